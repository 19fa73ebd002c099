// The list of capabilities behind the answer of VFIO_IOMMU_GET_INFO, as far as user space has room for it.
// Source followed: iommufd_fill_cap_dma_avail, iommufd_fill_cap_iova and the loop over both in
// iommufd_vfio_iommu_get_info, drivers/iommu/iommufd/vfio_compat.c.
// Each begins at a multiple of 8 bytes. Of the ranges those that fit are written, their number only when all do; the
// link of a capability is written as soon as there is room up to the next, which itself may be missing.
// Simplified: nothing can be mapped or reserved between looking at the ranges and telling them, as no lock is held.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { StructBytes } from '../abi/struct-codec.ts';
import type { IommufdStruct } from '../abi/struct-layouts.ts';
import type { UserMemory } from '../abi/user-memory.ts';
import type { VfioIommuInfo } from './vfio-get-info.ts';
import { VFIO_CAP_DMA_AVAIL, VFIO_CAP_IOVA_RANGE, VFIO_IOVA_RANGE, VFIO_TYPE1_INFO } from './vfio-structs.ts';

/**
 * Which capability an entry of the list is.
 * @public
 */
export const VfioInfoCap = { IOVA_RANGE: 1, DMA_AVAIL: 3 } as const;

const CAP_ALIGNMENT = 8;
const CAP_VERSION = 1;
const NEXT = { offset: 4, bytes: 4 };

/** Memory of user space, and how many bytes of it are for the answer. */
interface Room {
  readonly user: UserMemory;
  readonly bytes: number;
}

function* put(user: UserMemory, at: number, bytes: Uint8Array): ModelTask<number> {
  const error = yield* user.write(at, bytes);
  return error === 0 ? 0 : -Errno.EFAULT;
}

function capability(layout: IommufdStruct, id: number, field: string, value: number): StructBytes {
  const cap = new StructBytes(layout);
  cap.set('id', id);
  cap.set('version', CAP_VERSION);
  cap.set(field, value);
  return cap;
}

/** Bytes of the capability, or -EFAULT. */
type Fill = (info: VfioIommuInfo, room: Room, at: number) => ModelTask<number>;

function* fillDmaAvail(info: VfioIommuInfo, room: Room, at: number): ModelTask<number> {
  const { bytes } = capability(VFIO_CAP_DMA_AVAIL, VfioInfoCap.DMA_AVAIL, 'avail', info.dmaAvail);
  const error = at + bytes.length > room.bytes ? 0 : yield* put(room.user, at, bytes);
  return error === 0 ? bytes.length : error;
}

function* fillIova(info: VfioIommuInfo, room: Room, at: number): ModelTask<number> {
  const { bytes } = capability(
    VFIO_CAP_IOVA_RANGE,
    VfioInfoCap.IOVA_RANGE,
    'nr_iovas',
    info.iovaRanges.length,
  );
  let end = at + bytes.length;
  for (const { first, last } of info.iovaRanges) {
    const range = new StructBytes(VFIO_IOVA_RANGE);
    range.setWide('start', first);
    range.setWide('end', last);
    const error = end + range.bytes.length > room.bytes ? 0 : yield* put(room.user, end, range.bytes);
    if (error !== 0) return error;
    end += range.bytes.length;
  }
  const error = end > room.bytes ? 0 : yield* put(room.user, at, bytes);
  return error === 0 ? end - at : error;
}

const FILLS: readonly Fill[] = [fillDmaAvail, fillIova];

/**
 * Writes the list behind the structure, which has `bytes` bytes of `user` in all; the bytes that the whole answer
 * takes, or -EFAULT.
 * @internal
 */
export function* writeCapabilities(info: VfioIommuInfo, user: UserMemory, bytes: number): ModelTask<number> {
  let end = VFIO_TYPE1_INFO.bytes;
  let before = -1;
  for (const fill of FILLS) {
    const size = yield* fill(info, { user, bytes }, end);
    if (size < 0) return size;
    if (before >= 0 && bytes >= end) {
      const error = yield* put(user, before + NEXT.offset, linkTo(end));
      if (error !== 0) return error;
    }
    before = end;
    end += Math.ceil(size / CAP_ALIGNMENT) * CAP_ALIGNMENT;
  }
  return end;
}

function linkTo(offset: number): Uint8Array {
  const bytes = new Uint8Array(NEXT.bytes);
  new DataView(bytes.buffer).setUint32(0, offset, true);
  return bytes;
}

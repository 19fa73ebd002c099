// The byte face of VFIO's type 1 calls on a context: what iommufd does with a number outside its own table.
// Source followed: iommufd_vfio_ioctl and the beginnings of the calls in drivers/iommu/iommufd/vfio_compat.c.
// The fields that a call knows are read before any is looked at; how much is written back differs from call to call.
// Simplified: none.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import { StructBytes } from '../abi/struct-codec.ts';
import type { IommufdStruct } from '../abi/struct-layouts.ts';
import type { UserMemory } from '../abi/user-memory.ts';
import type { IommufdContext } from '../objects/iommufd-context.ts';
import { writeCapabilities } from './info-capabilities.ts';
import { iommufdVfioCheckExtension, iommufdVfioSetIommu } from './vfio-extension.ts';
import { iommufdVfioIommuGetInfo, type VfioIommuInfo } from './vfio-get-info.ts';
import { iommufdVfioMapDma } from './vfio-map-dma.ts';
import {
  VFIO_API_VERSION,
  VFIO_TYPE1_DMA_MAP,
  VFIO_TYPE1_DMA_UNMAP,
  VFIO_TYPE1_INFO,
  VfioRequest,
} from './vfio-structs.ts';
import { iommufdVfioUnmapDma } from './vfio-unmap-dma.ts';

/** Page sizes are told; a list of capabilities is. */
const INFO_FLAGS = 3;

/** The smallest structure; -EFAULT: it is not all there, -EINVAL: `argsz` says that it is shorter. */
function* readStruct(layout: IommufdStruct, user: UserMemory): ModelTask<Outcome<StructBytes>> {
  const cmd = new StructBytes(layout);
  const error = yield* user.read(0, cmd.bytes.subarray(0, layout.minBytes));
  if (error !== 0) return failure(Errno.EFAULT);
  return cmd.get('argsz') < layout.minBytes ? failure(Errno.EINVAL) : success(cmd);
}

function* writeStruct(cmd: StructBytes, user: UserMemory, bytes: number): ModelTask<number> {
  const error = yield* user.write(0, cmd.bytes.subarray(0, bytes));
  return error === 0 ? 0 : -Errno.EFAULT;
}

function* mapDma(ctx: IommufdContext, user: UserMemory): ModelTask<number> {
  const cmd = yield* readStruct(VFIO_TYPE1_DMA_MAP, user);
  if (!cmd.ok) return -cmd.errno;
  return yield* iommufdVfioMapDma(ctx, {
    flags: cmd.value.get('flags'),
    vaddr: cmd.value.wide('vaddr'),
    iova: cmd.value.wide('iova'),
    size: cmd.value.wide('size'),
  });
}

/** The size comes back whenever unmapping was tried; then -EFAULT hides what came of it. */
function* unmapDma(ctx: IommufdContext, user: UserMemory): ModelTask<number> {
  const cmd = yield* readStruct(VFIO_TYPE1_DMA_UNMAP, user);
  if (!cmd.ok) return -cmd.errno;
  const { error, size } = yield* iommufdVfioUnmapDma(ctx, {
    flags: cmd.value.get('flags'),
    iova: cmd.value.wide('iova'),
    size: cmd.value.wide('size'),
  });
  if (size === null) return error;
  cmd.value.setWide('size', size);
  const fault = yield* writeStruct(cmd.value, user, VFIO_TYPE1_DMA_UNMAP.minBytes);
  return fault === 0 ? error : fault;
}

function* getInfo(ctx: IommufdContext, user: UserMemory): ModelTask<number> {
  const cmd = yield* readStruct(VFIO_TYPE1_INFO, user);
  if (!cmd.ok) return -cmd.errno;
  const info = yield* iommufdVfioIommuGetInfo(ctx);
  return info.ok ? yield* answerInfo(cmd.value, info.value, user) : -info.errno;
}

/** The place of the list is told only when all of it is there; `argsz` becomes what all of it takes. */
function* answerInfo(cmd: StructBytes, info: VfioIommuInfo, user: UserMemory): ModelTask<number> {
  const room = cmd.get('argsz');
  const needed = yield* writeCapabilities(info, user, room);
  if (needed < 0) return needed;
  cmd.set('argsz', needed);
  cmd.set('flags', INFO_FLAGS);
  cmd.setWide('iova_pgsizes', info.pgsizes);
  if (room >= needed) cmd.set('cap_offset', VFIO_TYPE1_INFO.bytes);
  return yield* writeStruct(cmd, user, Math.min(room, VFIO_TYPE1_INFO.bytes));
}

/**
 * A type 1 call. `value` is the argument as a number, `user` what it points to. 0, of CHECK_EXTENSION 0 or 1, or a negative
 * errno; -ENOTTY: another number.
 * @kernel iommufd_vfio_ioctl
 * @internal
 */
export function* iommufdVfioIoctl(
  ctx: IommufdContext,
  request: number,
  value: number,
  user: UserMemory,
): ModelTask<number> {
  if (request === VfioRequest.GET_API_VERSION) return VFIO_API_VERSION;
  if (request === VfioRequest.SET_IOMMU) return yield* iommufdVfioSetIommu(ctx, value);
  if (request === VfioRequest.CHECK_EXTENSION) return yield* iommufdVfioCheckExtension(ctx, value);
  if (request === VfioRequest.IOMMU_GET_INFO) return yield* getInfo(ctx, user);
  if (request === VfioRequest.IOMMU_MAP_DMA) return yield* mapDma(ctx, user);
  return request === VfioRequest.IOMMU_UNMAP_DMA ? yield* unmapDma(ctx, user) : -Errno.ENOTTY;
}

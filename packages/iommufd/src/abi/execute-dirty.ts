// The calls on dirty records, from and to bytes.
// Source followed: drivers/iommu/iommufd/hw_pagetable.c as far as structures go; iova_bitmap_set in iova_bitmap.c.
// Bits are added to what the user's bitmap holds already. Where its memory is not there, they are lost without an error.
// Simplified: bits are added once the record has been read.

import { type ModelTask, PAGE_SIZE } from '@sgfree/hw-model';
import {
  type IommufdDirtyBits,
  iommufdHwptGetDirtyBitmap,
  iommufdHwptSetDirtyTracking,
} from '../calls/dirty-calls.ts';
import type { IommufdUcmd } from './iommufd-ucmd.ts';
import type { UserMemory } from './user-memory.ts';

/** @internal */
export function* executeSetDirtyTracking({ ctx, cmd }: IommufdUcmd): ModelTask<number> {
  return yield* iommufdHwptSetDirtyTracking(ctx, cmd.get('flags'), cmd.get('hwpt_id'));
}

/** @internal */
export function* executeGetDirtyBitmap(ucmd: IommufdUcmd): ModelTask<number> {
  const { ctx, cmd } = ucmd;
  const bits = yield* iommufdHwptGetDirtyBitmap(ctx, {
    hwptId: cmd.get('hwpt_id'),
    flags: cmd.get('flags'),
    iova: cmd.wide('iova'),
    length: cmd.wide('length'),
    pageSize: cmd.wide('page_size'),
  });
  if (!bits.ok) return -bits.errno;
  const user = ucmd.pointer('data');
  for (const run of bits.value) yield* addBits(user, run);
  return 0;
}

/** Changes the bitmap a page at a time. */
function* addBits(user: UserMemory, { first, last }: IommufdDirtyBits): ModelTask<void> {
  const end = Math.floor(last / 8);
  for (let at = Math.floor(first / 8); at <= end; at += PAGE_SIZE) {
    const bytes = new Uint8Array(Math.min(PAGE_SIZE, end - at + 1));
    const missing = yield* user.read(at, bytes);
    if (missing !== 0) return;
    setBits(bytes, first - at * 8, last - at * 8);
    const lost = yield* user.write(at, bytes);
    if (lost !== 0) return;
  }
}

/** Sets bits `first` to `last`, as far as they lie in the bytes. */
function setBits(bytes: Uint8Array, first: number, last: number): void {
  const end = Math.min(last, bytes.length * 8 - 1);
  for (let bit = Math.max(first, 0); bit <= end; bit += 1) {
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (1 << (bit & 7));
  }
}

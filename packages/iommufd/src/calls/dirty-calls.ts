// Recording which pages a device writes, and reading the record.
// Source followed: iommufd_hwpt_set_dirty_tracking and iommufd_hwpt_get_dirty_bitmap in
// drivers/iommu/iommufd/hw_pagetable.c; iommufd_check_iova_range in io_pagetable.c; the arithmetic of iova_bitmap.c.
// Simplified: none.

import { type ModelTask, PAGE_SIZE } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import { ioptReadAndClearDirtyData, ioptSetDirtyTracking } from '../io-pagetable/dirty-tracking.ts';
import type { IoPagetable } from '../io-pagetable/io-pagetable.ts';
import type { IommufdHwptPaging } from '../objects/hwpt-paging.ts';
import type { IommufdContext } from '../objects/iommufd-context.ts';
import { iommufdGetHwptPaging } from '../objects/lookup.ts';
import { iommufdPutObject } from '../objects/object-life.ts';
import {
  type U64,
  type U64Range,
  u64,
  u64IsZero,
  u64Max,
  u64Min,
  u64Minus,
  u64Plus,
  u64Previous,
  u64SumWraps,
} from '../u64/u64.ts';

/** Flag: record from now on. @public */
export const IOMMU_HWPT_DIRTY_TRACKING_ENABLE = 1;
/** Flag: the record is read and kept. @public */
export const IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR = 1;

/**
 * Starts or ends the record of a page table. 0, -EOPNOTSUPP (flags, or a table that cannot record), -ENOENT.
 * @kernel iommufd_hwpt_set_dirty_tracking
 * @public
 */
export function* iommufdHwptSetDirtyTracking(
  ctx: IommufdContext,
  flags: number,
  hwptId: number,
): ModelTask<number> {
  if ((flags & ~IOMMU_HWPT_DIRTY_TRACKING_ENABLE) !== 0) return -Errno.EOPNOTSUPP;
  const hwpt = iommufdGetHwptPaging(ctx, hwptId);
  if (!hwpt.ok) return -hwpt.errno;
  const { domain, ioas } = hwpt.value;
  const enable = (flags & IOMMU_HWPT_DIRTY_TRACKING_ENABLE) !== 0;
  const error = domain === null ? -Errno.EOPNOTSUPP : yield* ioptSetDirtyTracking(ioas.iopt, domain, enable);
  iommufdPutObject(hwpt.value);
  return error;
}

/**
 * A window of a dirty record to read.
 * @public
 */
export interface IommufdDirtyWindow {
  readonly hwptId: number;
  /** {@link IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR} or 0. */
  readonly flags: number;
  readonly iova: U64;
  /** Bytes. */
  readonly length: U64;
  /** Bytes that a bit stands for; of anything but a power of two only the lowest bit counts. */
  readonly pageSize: U64;
}

/**
 * Bits that are set, both inclusive: bit 0 stands for the page at the start of the window.
 * @public
 */
export interface IommufdDirtyBits {
  readonly first: number;
  readonly last: number;
}

/**
 * Reads which pages of a window were written. -EOPNOTSUPP (flags), -ENOENT, -EINVAL (no length), -EOVERFLOW, -EINVAL (not
 * aligned as mappings are, no page size, not aligned to it), -EOPNOTSUPP (a table that cannot record), -ENOMEM.
 * @kernel iommufd_hwpt_get_dirty_bitmap
 * @public
 */
export function* iommufdHwptGetDirtyBitmap(
  ctx: IommufdContext,
  window: IommufdDirtyWindow,
): ModelTask<Outcome<readonly IommufdDirtyBits[]>> {
  if ((window.flags & ~IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR) !== 0) return failure(Errno.EOPNOTSUPP);
  const hwpt = iommufdGetHwptPaging(ctx, window.hwptId);
  if (!hwpt.ok) return hwpt;
  const bits = yield* readWindow(ctx, hwpt.value, window);
  iommufdPutObject(hwpt.value);
  return bits;
}

function* readWindow(
  ctx: IommufdContext,
  { domain, ioas }: IommufdHwptPaging,
  { flags, iova, length, pageSize }: IommufdDirtyWindow,
): ModelTask<Outcome<readonly IommufdDirtyBits[]>> {
  const refused = checkDirtyWindow(ioas.iopt, iova, length, pageSize);
  if (refused !== 0) return failure(-refused as Errno);
  if (domain?.recordsDirty !== true) return failure(Errno.EOPNOTSUPP);
  // A page that remembers which pages of the bitmap are pinned.
  if (!ctx.platform.allocate(PAGE_SIZE)) return failure(Errno.ENOMEM);
  const window: U64Range = { first: iova, last: u64Plus(iova, u64Previous(length)) };
  const noClear = (flags & IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR) !== 0;
  const bits: IommufdDirtyBits[] = [];
  const error = yield* ioptReadAndClearDirtyData(ioas.iopt, domain, window, noClear, ({ first, last }) => {
    const from = bitOf(u64Minus(u64Max(first, iova), iova), pageSize);
    bits.push({ first: from, last: bitOf(u64Minus(u64Min(last, window.last), iova), pageSize) });
  });
  return error === 0 ? success(bits) : failure(-error as Errno);
}

/** The bit for a byte so far into the window. */
function bitOf({ page, byte }: U64, pageSize: U64): number {
  if (pageSize.byte === 0) return Math.floor(page / lowestBit(pageSize.page));
  const unit = lowestBit(pageSize.byte);
  return page * (PAGE_SIZE / unit) + Math.floor(byte / unit);
}

/** The lowest bit of a number below 2^52 that is not 0. */
function lowestBit(value: number): number {
  let bit = 1;
  while (Math.floor(value / (bit * 2)) * bit * 2 === value) bit *= 2;
  return bit;
}

/** True when `a` has a bit below the power of two `unit`, or, for any other unit, one in common with `unit - 1`. */
function misaligned(a: U64, unit: U64): boolean {
  const mask = u64Previous(unit);
  return commonBits(a.byte, mask.byte) || commonPages(a.page, mask.page);
}

const commonBits = (a: number, b: number): boolean => (a & b) !== 0;

/** Page numbers have up to 52 bits: two halves. */
function commonPages(a: number, b: number): boolean {
  const half = 2 ** 26;
  const [highA, highB] = [Math.floor(a / half), Math.floor(b / half)];
  return commonBits(highA, highB) || commonBits(a - highA * half, b - highB * half);
}

/**
 * Checks a window of a dirty record: 0; -EINVAL (no length), -EOVERFLOW, -EINVAL (not aligned as mappings are, no page size,
 * not aligned to it).
 */
function checkDirtyWindow(iopt: IoPagetable, iova: U64, length: U64, pageSize: U64): number {
  if (u64IsZero(length)) return -Errno.EINVAL;
  if (u64SumWraps(iova, u64Previous(length))) return -Errno.EOVERFLOW;
  const end = u64Plus(iova, length);
  const alignment = u64(iopt.iovaAlignment);
  if (misaligned(iova, alignment) || misaligned(end, alignment)) return -Errno.EINVAL;
  if (u64IsZero(pageSize)) return -Errno.EINVAL;
  return misaligned(iova, pageSize) || misaligned(end, pageSize) ? -Errno.EINVAL : 0;
}

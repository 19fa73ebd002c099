// Calls on an address space as a whole: making one, asking what it offers, confining automatic IOVAs.
// Source followed: iommufd_ioas_alloc_ioctl, iommufd_ioas_iova_ranges, iommufd_ioas_allow_iovas in
// drivers/iommu/iommufd/ioas.c.
// Simplified: none.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import { type IoptIovaRanges, ioptIovaRanges } from '../io-pagetable/io-pagetable.ts';
import { RangeSet } from '../io-pagetable/range-set.ts';
import { insertAllowed, replaceAllowed } from '../io-pagetable/reserve-iova.ts';
import type { IommufdContext } from '../objects/iommufd-context.ts';
import { iommufdIoasAlloc } from '../objects/iommufd-ioas.ts';
import { iommufdGetIoas } from '../objects/lookup.ts';
import {
  iommufdObjectAbortAndDestroy,
  iommufdObjectFinalize,
  iommufdPutObject,
} from '../objects/object-life.ts';
import type { U64Range } from '../u64/u64.ts';
import { type IommufdAnswer, noAnswer } from './answer.ts';

/** Bytes of a node that remembers an allowed range. */
const ALLOWED_BYTES = 48;

/**
 * Makes an address space; its number. -EOPNOTSUPP: `flags` are not 0; -ENOMEM; what `answer` says.
 * @kernel iommufd_ioas_alloc_ioctl
 * @public
 */
export function* iommufdIoasAllocIoctl(
  ctx: IommufdContext,
  flags: number,
  answer: IommufdAnswer = noAnswer,
): ModelTask<Outcome<number>> {
  if (flags !== 0) return failure(Errno.EOPNOTSUPP);
  const ioas = iommufdIoasAlloc(ctx);
  if (!ioas.ok) return ioas;
  const error = yield* answer(ioas.value.id);
  if (error !== 0) {
    yield* iommufdObjectAbortAndDestroy(ctx, ioas.value);
    return failure(-error as Errno);
  }
  iommufdObjectFinalize(ctx, ioas.value);
  return success(ioas.value.id);
}

/**
 * What an address space offers: the IOVAs that nothing reserves, and the alignment of mappings. -ENOENT.
 * @kernel iommufd_ioas_iova_ranges
 * @public
 */
export function* iommufdIoasIovaRanges(
  ctx: IommufdContext,
  ioasId: number,
): ModelTask<Outcome<IoptIovaRanges>> {
  const ioas = iommufdGetIoas(ctx, ioasId);
  if (!ioas.ok) return ioas;
  const offer = yield* ioptIovaRanges(ioas.value.iopt);
  iommufdPutObject(ioas.value);
  return success(offer);
}

/** Brings the next allowed range; null after the last one. */
type AllowedRangeSource = () => ModelTask<Outcome<U64Range> | null>;

/**
 * Confines automatic IOVAs to `ranges`, instead of those of the last call. 0; -ENOENT; -EINVAL: a range does not end
 * above its start, or meets another one; -EADDRINUSE: something in a range is reserved; -ENOMEM.
 * @kernel iommufd_ioas_allow_iovas
 * @public
 */
export function* iommufdIoasAllowIovas(
  ctx: IommufdContext,
  ioasId: number,
  ranges: readonly U64Range[],
): ModelTask<number> {
  const left = [...ranges];
  return yield* allowIovasFrom(ctx, ioasId, function* next() {
    yield* [];
    const range = left.shift();
    return range === undefined ? null : success(range);
  });
}

/** The same with ranges that are read one by one, as a fault in the middle comes after the errors before it. @internal */
export function* allowIovasFrom(
  ctx: IommufdContext,
  ioasId: number,
  next: AllowedRangeSource,
): ModelTask<number> {
  const ioas = iommufdGetIoas(ctx, ioasId);
  if (!ioas.ok) return -ioas.errno;
  const ranges = yield* loadIovas(ctx, next);
  const error = ranges.ok ? yield* replaceAllowed(ioas.value.iopt, ranges.value) : -ranges.errno;
  iommufdPutObject(ioas.value);
  return error;
}

function* loadIovas(ctx: IommufdContext, next: AllowedRangeSource): ModelTask<Outcome<RangeSet<U64Range>>> {
  const loaded = new RangeSet<U64Range>();
  for (;;) {
    const range = yield* next();
    if (range === null) return success(loaded);
    if (!range.ok) return range;
    const refused = insertAllowed(loaded, range.value);
    if (refused !== 0) return failure(-refused as Errno);
    if (!ctx.platform.allocate(ALLOWED_BYTES)) return failure(Errno.ENOMEM);
  }
}

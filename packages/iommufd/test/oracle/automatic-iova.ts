// The automatic choice of an IOVA, by trying every hole in bigint arithmetic.
// Source followed: iopt_alloc_iova in drivers/iommu/iommufd/io_pagetable.c.
// Simplified: for tests only; nothing is confined to allowed ranges.

import { type KnownSpace, LAST, type Span } from './known-state.ts';

const PAGE = 4096n;
const HUGE = 2n ** 21n;

/** The smallest power of two that is not below `value`. */
function roundUp(value: bigint): bigint {
  let power = 1n;
  while (power < value) power *= 2n;
  return power;
}

/** The lowest bit that is set. */
const lowestBit = (value: bigint): bigint => value & -value;

function fit({ first, last }: Span, alignment: bigint, offset: bigint, length: bigint): bigint | null {
  if (first + alignment - 1n > LAST) return null;
  const start = (((first + alignment - 1n) / alignment) * alignment) | offset;
  return start >= last || last - start < length - 1n ? null : start;
}

function holes(space: KnownSpace, first: bigint): Span[] {
  const taken = [...space.reserved, ...space.areas].sort((a, b) => (a.first < b.first ? -1 : 1));
  const found: Span[] = [];
  let from = first;
  for (const range of taken) {
    if (range.first > from) found.push({ first: from, last: range.first - 1n });
    if (range.last >= from) from = range.last + 1n;
  }
  const last = LAST - PAGE;
  if (from <= last) found.push({ first: from, last });
  return found;
}

/** The IOVA, or the errno by name. */
export function automaticIova(
  space: KnownSpace,
  hint: bigint,
  length: bigint,
): bigint | 'EOVERFLOW' | 'EINVAL' | 'ENOSPC' {
  if (length >= LAST / 2n) return 'EOVERFLOW';
  const byLength = roundUp(length);
  const byHint = hint === 0n ? HUGE : lowestBit(hint);
  const alignment = [byLength, byHint, HUGE].sort((a, b) => Number(a - b))[0] ?? 1n;
  if (alignment < space.alignment) return 'EINVAL';
  const offset = hint % PAGE;
  const start = fit({ first: PAGE, last: LAST - PAGE }, alignment, offset, length);
  if (start === null) return 'ENOSPC';
  for (const hole of holes(space, start)) {
    const found = fit(hole, alignment, offset, length);
    if (found !== null) return found;
  }
  return 'ENOSPC';
}

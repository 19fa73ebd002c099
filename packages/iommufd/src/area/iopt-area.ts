// IoptArea: a range of IOVAs with a stretch of somebody's pages behind it.
// Source followed: struct iopt_area and its index and address functions in drivers/iommu/iommufd/io_pagetable.h.
// `pages` is null while the area is being made or torn down: it then only keeps its IOVAs from others.
// Simplified: none.

import { PAGE_SIZE } from '@sgfree/hw-model';
import type { IoptDomain } from '../domain/iopt-domain.ts';
import type { IoPagetable } from '../io-pagetable/io-pagetable.ts';
import type { IoptPages } from '../pages/iopt-pages.ts';
import { type U64, type U64Range, u64, u64At, u64Minus, u64Plus, u64Span } from '../u64/u64.ts';

/**
 * Where an area lies and what it shows.
 * @internal
 */
export interface IoptAreaPlace {
  readonly range: U64Range;
  /** First byte within the pages: page index and offset. */
  readonly startByte: U64;
  /** IOMMU_READ, IOMMU_WRITE and IOMMU_CACHE bits. */
  readonly prot: number;
}

/**
 * A mapped range of an I/O address space.
 * @kernel iopt_area
 * @public
 */
export class IoptArea implements U64Range {
  readonly iopt: IoPagetable;
  readonly first: U64;
  readonly last: U64;
  readonly prot: number;
  /** First page of the pages, and offset of the first byte in it. */
  readonly firstIndex: number;
  readonly pageOffset: number;
  readonly lastIndex: number;
  /** Null while under construction or being torn down. Changed with the IOVA lock write-held. */
  pages: IoptPages | null = null;
  /** The domain that remembers the page frames. Guarded by the pages' mutex. */
  storageDomain: IoptDomain | null = null;
  /** Uses by in-kernel users. */
  numAccesses = 0;
  /** Of these, those that user space cannot end. */
  numLocks = 0;
  /** Set for ever once an unmap waits for users. */
  preventAccess = false;

  /** @internal */
  constructor(iopt: IoPagetable, place: IoptAreaPlace) {
    this.iopt = iopt;
    this.first = place.range.first;
    this.last = place.range.last;
    this.prot = place.prot;
    this.firstIndex = place.startByte.page;
    this.pageOffset = place.startByte.byte;
    this.lastIndex = u64Plus(place.startByte, u64Minus(this.last, this.first)).page;
  }

  /** Bytes. */
  get length(): U64 {
    return u64Span(this);
  }
}

/**
 * The IOVA of the first byte that a page shows in the area.
 * @internal
 */
export const ioptAreaIndexToIova = (area: IoptArea, index: number): U64 =>
  index === area.firstIndex
    ? area.first
    : u64Minus(u64Plus(area.first, u64At(index - area.firstIndex)), u64(area.pageOffset));

/**
 * Bytes of the area in pages `first` to `last`; fewer than 2^53.
 * @internal
 */
export function ioptAreaBytes(area: IoptArea, first: number, last: number): number {
  const whole = (last - first + 1) * PAGE_SIZE;
  const before = first === area.firstIndex ? area.pageOffset : 0;
  return last === area.lastIndex ? whole - before - unusedTail(area) : whole - before;
}

/** Bytes of the last page behind the area's last byte. */
function unusedTail(area: IoptArea): number {
  const inLast = u64Plus(u64At(area.firstIndex, area.pageOffset), u64Minus(area.last, area.first)).byte;
  return PAGE_SIZE - 1 - inLast;
}

/**
 * Position within the pages of the byte that the area shows at `iova`.
 * @internal
 */
export const ioptAreaStartByte = (area: IoptArea, iova: U64): U64 =>
  u64Plus(u64At(area.firstIndex, area.pageOffset), u64Minus(iova, area.first));

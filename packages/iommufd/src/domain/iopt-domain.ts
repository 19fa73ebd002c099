// IoptDomain: a paging domain as an I/O address space fills it: IOVAs and lengths in bytes, any granule.
// Source followed: what drivers/iommu/iommufd/pages.c and io_pagetable.c ask of struct iommu_domain: iommu_map,
// iommu_unmap_nofail, iommu_iova_to_phys, pgsize_bitmap and geometry.
// A granule below 4 KiB is a table of the same format whose units are smaller (the selftest's mock domain: 2 KiB).
// Simplified: none.

import { InternalError, PAGE_SIZE } from '@sgfree/hw-model';
import { mapFramesAndSync, type PagingDomain, unmapFramesAndSync } from '@sgfree/iommu';
import { Errno, warnViolation } from '@sgfree/mm';
import { type U64, type U64Range, u64At, u64Hex, u64Max, u64Min, u64Previous } from '../u64/u64.ts';

/**
 * How a domain is shown.
 * @public
 */
export interface IoptDomainOptions {
  /** Bytes of a leaf of level 0: 4096 or less; default 4096. */
  readonly granule?: number;
  /** IOVAs on offer; default those of the domain's geometry. */
  readonly aperture?: U64Range;
}

/**
 * A domain behind an I/O address space.
 * @public
 */
export class IoptDomain {
  readonly domain: PagingDomain;
  readonly aperture: U64Range;
  /** Bytes of the smallest page. */
  readonly smallestPage: number;
  /** Table units in a page of 4 KiB. */
  readonly #units: number;

  constructor(domain: PagingDomain, options: IoptDomainOptions = {}) {
    const granule = options.granule ?? PAGE_SIZE;
    this.domain = domain;
    this.#units = PAGE_SIZE / granule;
    this.aperture = options.aperture ?? apertureOf(domain, this.#units);
    this.smallestPage = (domain.pgsizeBitmap & -domain.pgsizeBitmap) / this.#units;
  }

  /** Table units in a page of 4 KiB. @internal */
  get unitsPerPage(): number {
    return this.#units;
  }

  /** Maps `bytes` bytes at `iova` to byte `physByte` of frame `physFrame`; 0 or a negative errno, and then nothing is mapped. */
  map(iova: U64, physFrame: number, physByte: number, bytes: number, prot: number): number {
    const unit = this.#unitOf(iova.page, iova.byte);
    const offset = this.#offsetOf(iova.byte);
    const phys = this.#unitOf(physFrame, physByte);
    const size = bytes * this.#units;
    return mapFramesAndSync(this.domain, unit, offset, phys, this.#offsetOf(physByte), size, prot);
  }

  /** Unmaps `bytes` bytes that are mapped, and flushes; anything else is a violation. */
  unmap(iova: U64, bytes: number): void {
    const size = bytes * this.#units;
    const unit = this.#unitOf(iova.page, iova.byte);
    const unmapped = unmapFramesAndSync(this.domain, unit, this.#offsetOf(iova.byte), size);
    if (unmapped !== size) {
      const asked = { iova: u64Hex(iova), bytes, unmapped: unmapped / this.#units };
      warnViolation(this.domain.log, 'iommufd-unmap-size', asked);
    }
  }

  /** The page frame that the byte at `iova` lies in, or -1. */
  frameAt(iova: U64): number {
    const unit = this.domain.table.physOf(this.#unitOf(iova.page, iova.byte));
    return unit < 0 ? -1 : Math.floor(unit / this.#units);
  }

  /** Offset within its page frame of the byte behind `iova`; throws {@link @sgfree/hw-model#InternalError} when nothing is mapped. */
  byteAt(iova: U64): number {
    const unit = this.domain.table.physOf(this.#unitOf(iova.page, iova.byte));
    if (unit < 0) throw new InternalError(`nothing is mapped at ${u64Hex(iova)}`);
    const granule = PAGE_SIZE / this.#units;
    const within = unit - Math.floor(unit / this.#units) * this.#units;
    return within * granule + this.#offsetOf(iova.byte) / this.#units;
  }

  /** True when the hardware can record writes (`dirty_ops`). */
  get recordsDirty(): boolean {
    return this.domain.dirtyOps !== null;
  }

  /** Makes the hardware record writes, or stop; 0 or a negative errno, -EOPNOTSUPP when it cannot. */
  setDirtyTracking(enable: boolean): number {
    return this.domain.dirtyOps?.setDirtyTracking(this.domain, enable) ?? -Errno.EOPNOTSUPP;
  }

  /**
   * Visits the bytes of `range` that pages written since the last clearing hold; the pages become clean unless `keep`.
   * What was cleared is in the gather of the paging domain, still to be flushed. Nothing for a domain that records no writes.
   */
  readDirty(range: U64Range, keep: boolean, visit: (dirty: U64Range) => void): void {
    const first = this.#unitOf(range.first.page, range.first.byte);
    const last = this.#unitOf(range.last.page, range.last.byte);
    this.domain.dirtyOps?.bits.read(first, last, keep, (unit, units) => {
      if (!keep) this.domain.ownGather.addRange(unit, 0, units * PAGE_SIZE);
      const from = this.#addressOf(unit);
      const to = u64Previous(this.#addressOf(unit + units));
      visit({ first: u64Max(from, range.first), last: u64Min(to, range.last) });
    });
  }

  /** What hardware does when a device writes at `iova`; false when nothing is mapped there or nothing is recorded. */
  markDirty(iova: U64): boolean {
    return this.domain.dirtyOps?.bits.mark(this.#unitOf(iova.page, iova.byte)) ?? false;
  }

  #addressOf(unit: number): U64 {
    const page = Math.floor(unit / this.#units);
    return u64At(page, (unit - page * this.#units) * (PAGE_SIZE / this.#units));
  }

  #unitOf(frame: number, byte: number): number {
    return frame * this.#units + Math.floor((byte * this.#units) / PAGE_SIZE);
  }

  /** Offset in a unit, stretched to a page. */
  #offsetOf(byte: number): number {
    const stretched = byte * this.#units;
    return stretched - Math.floor(stretched / PAGE_SIZE) * PAGE_SIZE;
  }
}

function apertureOf(domain: PagingDomain, units: number): U64Range {
  const { apertureFirstFrame, apertureLastFrame } = domain.geometry;
  const end = (apertureLastFrame + 1) / units;
  return { first: u64At(Math.floor(apertureFirstFrame / units)), last: u64At(end - 1, PAGE_SIZE - 1) };
}

// VtdNotPresentCache: what a unit in caching mode remembers about pages and functions that were not mapped.
// Source followed: VT-d specification 6.1 (caching mode) and 6.2.2.1 (tagging by domain id 0): emulated units report it,
// because they learn of a new mapping only through an invalidation.
// Software that maps a page without invalidating it finds it still missing here. First-stage pages never enter.
// Simplified: one direct-mapped array; entries that were present but denied the access are not kept.

import { VtdFaultReason } from './vtd-fault-reason.ts';
import type { VtdLookupFault } from './vtd-legacy-lookup.ts';

const ENTRIES = 256;
const MASK = ENTRIES - 1;
const NOT_PRESENT: ReadonlySet<VtdFaultReason> = new Set([
  VtdFaultReason.rootNotPresent,
  VtdFaultReason.contextNotPresent,
  VtdFaultReason.scalableRootNotPresent,
  VtdFaultReason.scalableContextNotPresent,
  VtdFaultReason.pasidDirectoryNotPresent,
  VtdFaultReason.pasidNotPresent,
]);

/**
 * Negative cache of one unit.
 * @internal
 */
export class VtdNotPresentCache {
  /** Domain of an entry, -1 = empty. */
  readonly #domain = new Int32Array(ENTRIES).fill(-1);
  readonly #frame = new Float64Array(ENTRIES);
  readonly #functions = new Map<number, VtdLookupFault>();

  /** True when page `frame` of `domain` is remembered as missing. */
  hasPage(domain: number, frame: number): boolean {
    const at = slotOf(domain, frame);
    return this.#domain[at] === domain && this.#frame[at] === frame;
  }

  addPage(domain: number, frame: number): void {
    const at = slotOf(domain, frame);
    this.#domain[at] = domain;
    this.#frame[at] = frame;
  }

  invalidatePages(domain: number, first: number, frames: number): void {
    for (let at = 0; at < ENTRIES; at += 1) {
      const frame = this.#frame[at] as number;
      if (this.#domain[at] === domain && frame >= first && frame < first + frames) this.#domain[at] = -1;
    }
  }

  invalidateDomain(domain: number): void {
    for (let at = 0; at < ENTRIES; at += 1) if (this.#domain[at] === domain) this.#domain[at] = -1;
  }

  invalidateAllPages(): void {
    this.#domain.fill(-1);
  }

  /** The fault that function `sourceId` met when its entry was not present. */
  functionFault(sourceId: number): VtdLookupFault | undefined {
    return this.#functions.get(sourceId);
  }

  /** Remembers `fault` if some entry on the way was missing. */
  addFunction(sourceId: number, fault: VtdLookupFault): void {
    if (NOT_PRESENT.has(fault.reason)) this.#functions.set(sourceId, fault);
  }

  /** Drops `sourceId` and the siblings that differ from it only in the bits `ignored`. */
  invalidateFunctions(sourceId: number, ignored: number): void {
    for (const held of this.#functions.keys()) {
      if ((held & ~ignored) === (sourceId & ~ignored)) this.#functions.delete(held);
    }
  }

  invalidateAllFunctions(): void {
    this.#functions.clear();
  }
}

// `&` on a double wraps modulo 2^32 first (ToInt32): the low bits that choose the slot stay exact.
const slotOf = (domain: number, frame: number): number => (frame + domain * 7) & MASK;

// VtdNotPresentCache: what a unit in caching mode remembers about pages and functions that were not mapped.
// Source followed: VT-d specification 6.1 (caching mode) and 6.2.2.1 (tagging by domain id 0): emulated units report it,
// because they learn of a new mapping only through an invalidation.
// Software that maps a page without invalidating it finds it still missing here. First-stage pages never enter.
// Simplified: functions are kept without bound; of pages see NotPresentPages.

import { NotPresentPages } from '../iommu-unit/not-present-pages.ts';
import { VtdFaultReason } from './vtd-fault-reason.ts';
import type { VtdLookupFault } from './vtd-legacy-lookup.ts';

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
  /** Pages by domain id. */
  readonly pages: NotPresentPages = new NotPresentPages();
  readonly #functions = new Map<number, VtdLookupFault>();

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

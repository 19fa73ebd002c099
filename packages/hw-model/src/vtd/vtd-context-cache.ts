// VtdContextCache: the device answers a unit has already looked up, kept until a context invalidation.
// Source followed: VT-d specification 6.2.3 (context cache) and 6.5.2.1 (context-cache invalidate descriptor).
// An entry whose table was changed in memory stays in force here: it is really stale.
// Simplified: as many entries as functions exist, so nothing is ever evicted.

import type { VtdDeviceTranslation } from './vtd-device-translation.ts';

const FUNCTION_MASKS = [0, 4, 6, 7] as const;

/**
 * Function bits that a device-selective invalidation ignores, by its FM field: none, bit 2, bits 2:1, bits 2:0.
 * @internal
 */
export const ignoredFunctionBits = (mask: number): number => FUNCTION_MASKS[mask] ?? 7;

/**
 * Context cache of one unit, tagged by source id.
 * @public
 */
export class VtdContextCache {
  readonly #buses: (VtdDeviceTranslation | undefined)[][] = [];

  /** The cached answer for `sourceId` (bus \<\< 8 | devfn). */
  get(sourceId: number): VtdDeviceTranslation | undefined {
    const bus = this.#buses[sourceId >>> 8];
    return bus === undefined ? undefined : bus[sourceId & 0xff];
  }

  set(translation: VtdDeviceTranslation): void {
    const number = translation.sourceId >>> 8;
    let bus = this.#buses[number];
    if (bus === undefined) {
      bus = [];
      this.#buses[number] = bus;
    }
    bus[translation.sourceId & 0xff] = translation;
  }

  invalidateAll(): void {
    this.#buses.length = 0;
  }

  /** Drops every function of domain `domain`. */
  invalidateDomain(domain: number): void {
    for (const bus of this.#buses) {
      bus?.forEach((entry, devfn) => {
        if (entry?.domain === domain) bus[devfn] = undefined;
      });
    }
  }

  /** Drops `sourceId` and, by the function mask `mask` (0 to 3), its sibling functions, where they belong to `domain`. */
  invalidateDevice(domain: number, sourceId: number, mask: number): void {
    const ignored = ignoredFunctionBits(mask);
    const bus = this.#buses[sourceId >>> 8];
    bus?.forEach((entry, devfn) => {
      const same = (devfn & ~ignored) === (sourceId & 0xff & ~ignored);
      if (same && entry?.domain === domain) bus[devfn] = undefined;
    });
  }
}

// TranslationAgent: the seam between the root complex and an IOMMU unit, as PCIe calls it.
// The root complex asks it once per request that reaches the root with an untranslated address.
// Simplified: one agent answers for all functions below one root complex; ATS requests are not modelled.

import type { DmaAddr, PhysAddr } from './addresses.ts';

/**
 * What stands between the root complex and memory: an IOMMU unit.
 * @public
 */
export interface TranslationAgent {
  /**
   * Translates one request that does not cross a 4 KiB boundary.
   * `requesterId` is bus \<\< 8 | devfn. Returns the physical address, or -1 when the unit blocked the
   * request (it has then recorded the fault itself). Plain number because it runs once per TLP.
   */
  translate(requesterId: number, address: DmaAddr, write: boolean): PhysAddr | -1;
}

// TranslationAgent: the seam between the root complex and an IOMMU unit, as PCIe calls it.
// The root complex asks it once per request that reaches the root: for an address, or whether a translated one may pass.
// Simplified: one agent answers for all functions below one root complex; translation requests of ATS are not modelled.

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
  /**
   * True when requests of `requesterId` whose address is translated already (AT = 10) may pass: the unit has ATS enabled
   * for that function. A unit without this method has it enabled for none.
   */
  admitsTranslated?(requesterId: number): boolean;
}

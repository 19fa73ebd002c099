// Access Control Services: the bits that decide whether a switch turns a peer request around or sends it up.
// Source followed: PCI Express Base Specification 6.0, sections 6.12.1 and 7.7.11.
// Read from the control register at routing time, so a configuration write takes effect on the next request.
// Simplified: requests are untranslated (AT = 00), so TB and DT never decide; completions take the request's way back.

import { addExtendedCapability, findExtendedCapability } from './capability-list.ts';
import type { ConfigSpace } from './config-space.ts';

/** Extended capability id of ACS. @internal */
export const PCI_EXT_CAP_ID_ACS = 0x0d;

/**
 * Bits of the ACS capability and control registers.
 * @public
 */
export const ACS: {
  readonly sourceValidation: 0x01;
  readonly translationBlocking: 0x02;
  readonly requestRedirect: 0x04;
  readonly completionRedirect: 0x08;
  readonly upstreamForwarding: 0x10;
  readonly egressControl: 0x20;
  readonly directTranslated: 0x40;
} = {
  sourceValidation: 0x01,
  translationBlocking: 0x02,
  requestRedirect: 0x04,
  completionRedirect: 0x08,
  upstreamForwarding: 0x10,
  egressControl: 0x20,
  directTranslated: 0x40,
};

/**
 * Adds the ACS capability with the bits `capability` implemented and none enabled.
 * @internal
 */
export function addAcsCapability(config: ConfigSpace, capability: number): void {
  const at = addExtendedCapability(config, PCI_EXT_CAP_ID_ACS, 1, 0x100, 12);
  // Egress control vector size, bits 15:8: 32 ports where egress control exists.
  const vectorSize = (capability & ACS.egressControl) !== 0 ? 32 : 0;
  config.preset(at + 4, 2, vectorSize * 256 + capability);
  config.permit(at + 6, 2, capability & 0x7f);
  if (vectorSize !== 0) config.permit(at + 8, 4, 0xffffffff);
}

/**
 * Offset of the ACS capability, or 0.
 * @public
 */
export function acsOffset(config: ConfigSpace): number {
  return findExtendedCapability(config, PCI_EXT_CAP_ID_ACS);
}

/**
 * What a port does with a peer request for the port numbered `targetPort`.
 * @internal
 */
export function acsPeerDecision(
  config: ConfigSpace,
  acsAt: number,
  targetPort: number,
): 'direct' | 'redirect' | 'violation' {
  if (acsAt === 0) return 'direct';
  const control = config.read(acsAt + 6, 2);
  const redirect = (control & ACS.requestRedirect) !== 0;
  if ((control & ACS.egressControl) !== 0) {
    const blocked = ((config.read(acsAt + 8, 4) >>> (targetPort & 31)) & 1) !== 0;
    if (!blocked) return 'direct';
    return redirect ? 'redirect' : 'violation';
  }
  return redirect ? 'redirect' : 'direct';
}

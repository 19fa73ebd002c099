// Access Control Services: the bits that decide whether a switch turns a peer request around or sends it up.
// Source followed: PCI Express Base Specification 6.0, sections 6.12.1 and 7.7.11.
// Read from the control register at routing time, so a configuration write takes effect on the next request.
// Simplified: completions take the request's way back, so completion redirect decides nothing here.

import { addExtendedCapability, findExtendedCapability } from './capability-list.ts';
import { CONFIG_SPACE_BYTES, type ConfigSpace } from './config-space.ts';

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
 * What a request says of its address (field AT): `untranslated` is 00, `translated` is 10.
 * @public
 */
export type AddressType = 'untranslated' | 'translated';

/**
 * Dwords of the egress control vector of a capability register: one bit for each port; a size of 0 means 256.
 * @internal
 */
export function egressVectorDwords(capability: number): number {
  return (capability & ACS.egressControl) === 0 ? 0 : Math.ceil((capability >>> 8 || 256) / 32);
}

/**
 * What a port does with a peer request for the port numbered `targetPort`.
 * @internal
 */
export function acsPeerDecision(
  config: ConfigSpace,
  acsAt: number,
  targetPort: number,
  addressType: AddressType,
): 'direct' | 'redirect' | 'violation' {
  if (acsAt === 0) return 'direct';
  const control = config.read(acsAt + 6, 2);
  if (addressType === 'translated' && (control & ACS.directTranslated) !== 0) return 'direct';
  const redirect = (control & ACS.requestRedirect) !== 0;
  if ((control & ACS.egressControl) !== 0) {
    if (!egressBlocks(config, acsAt, targetPort)) return 'direct';
    return redirect ? 'redirect' : 'violation';
  }
  return redirect ? 'redirect' : 'direct';
}

/** A port beyond the end of the vector has no bit that could block it. */
function egressBlocks(config: ConfigSpace, acsAt: number, targetPort: number): boolean {
  const dword = targetPort >>> 5;
  const at = acsAt + 8 + 4 * dword;
  if (dword >= egressVectorDwords(config.read(acsAt + 4, 2)) || at >= CONFIG_SPACE_BYTES) return false;
  return ((config.read(at, 4) >>> (targetPort & 31)) & 1) !== 0;
}

// An ACS control register of which some bits may be open: what a dump shows, or what a boot would leave there.
// Source followed: PCI Express Base Specification 6.0, section 7.7.11.3; redirection as p2pdma and the grouping code test it.
// Simplified: seven bits; the enhanced controls of revision 6 are not looked at.

import { ACS } from '@sgfree/hw-model';
import type { DumpedFunction, Knowledge } from '../model/dumped-function.ts';

/**
 * Bits 6:0 of an ACS control register; bits of `unknownBits` may be either.
 * @public
 */
export interface AcsControl {
  /** The known bits; unknown ones are zero here. */
  readonly value: number;
  readonly unknownBits: number;
}

/** All bits that exist. */
export const ALL_ACS_BITS = 0x7f;

/** The bits that make a peer request leave the direct way. */
export const REDIRECT_BITS: number = ACS.requestRedirect + ACS.completionRedirect + ACS.egressControl;

/** The bits an IOMMU driver asks for, and that a group of its own needs. */
export const ISOLATION_BITS: number =
  ACS.sourceValidation + ACS.requestRedirect + ACS.completionRedirect + ACS.upstreamForwarding;

/** The register as the dump shows it. */
export function dumpedControl({ acs }: DumpedFunction): AcsControl | 'absent' {
  if (acs.control === 'absent') return 'absent';
  if (acs.control === 'unknown') return { value: 0, unknownBits: ALL_ACS_BITS };
  return { value: acs.control, unknownBits: 0 };
}

/**
 * Whether the register redirects peer requests: RR, CR or EC set. False without the capability.
 * @public
 */
export function redirects(control: AcsControl | 'absent'): Knowledge<boolean> {
  if (control === 'absent') return false;
  if ((control.value & REDIRECT_BITS) !== 0) return true;
  return (control.unknownBits & REDIRECT_BITS) !== 0 ? 'unknown' : false;
}

/** Whether every bit of `bits` is set. */
export function allSet({ value, unknownBits }: AcsControl, bits: number): Knowledge<boolean> {
  if ((~value & ~unknownBits & bits) !== 0) return false;
  return (value & bits) === bits ? true : 'unknown';
}

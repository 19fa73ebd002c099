// AcsControlNow: the ACS control register as a dump shows it, and arithmetic of registers that are known in part.
// Source followed: PCI Express Base Specification 6.0, section 7.7.11.3.
// Simplified: seven bits.

import type { AcsControl, DumpedFunction } from '@sgfree/topology';

const ALL_BITS = 0x7f;

/** The register now; every bit open when the dump hides it. @internal */
export function acsControlNow({ acs }: DumpedFunction): AcsControl | 'absent' {
  if (acs.control === 'absent') return 'absent';
  if (acs.control === 'unknown') return { value: 0, unknownBits: ALL_BITS };
  return { value: acs.control, unknownBits: 0 };
}

/** The register when either of two values holds: a bit in which they differ is open. @internal */
export function eitherControl(one: AcsControl, other: AcsControl): AcsControl {
  const unknownBits = one.unknownBits | other.unknownBits | (one.value ^ other.value);
  return { value: one.value & ~unknownBits, unknownBits };
}

/** Whether two registers are known to the same degree and alike. @internal */
export const sameControl = (one: AcsControl, other: AcsControl): boolean =>
  one.value === other.value && one.unknownBits === other.unknownBits;

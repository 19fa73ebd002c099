// AddressAlias: what an address too wide for any mapping may have been before somebody widened or confused it.
// Source followed: Documentation/arch/x86/x86_64/mm.rst: where the kernel maps all memory unless it moves it at boot.
// Simplified: sign extension from 32, 40 and 48 bits; the direct map of x86-64 with four levels, not randomised.

import { type FaultAddress, signExtended } from './fault-address.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * One reading of a wide address, and what lies there.
 * @internal
 */
export interface AddressAlias {
  /** The address is another one of `bits` bits with its sign extended, or the kernel's own address of memory. */
  readonly kind: 'sign-extended' | 'direct-map';
  readonly bits: number;
  readonly address: number;
  readonly around: Surroundings;
}

const WIDTHS = [32, 40, 48] as const;
const DIRECT_MAP = 0xffff888000000000;
const DIRECT_MAP_BYTES = 2 ** 46;

/** The readings of an address, without what lies there. */
export function aliasesOf(at: FaultAddress): Omit<AddressAlias, 'around'>[] {
  const extended = WIDTHS.map((bits) => ({
    kind: 'sign-extended' as const,
    bits,
    address: signExtended(at, bits),
  })).filter(({ address }) => address >= 0);
  const offset = at.address - DIRECT_MAP;
  if (offset < 0 || offset >= DIRECT_MAP_BYTES) return extended;
  const inPage = Number.parseInt(at.addressText.slice(-3), 16);
  return [...extended, { kind: 'direct-map', bits: 64, address: offset + inPage }];
}

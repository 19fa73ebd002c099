// AcsWords: an ACS control register in the words of lspci, and which of its bits redirect.
// Source followed: PCI Express Base Specification 6.0, section 7.7.11.3; `ACSCtl:` lines of lspci.
// Simplified: none.

import { ACS_REDIRECT_MASK } from '@sgfree/p2p';
import type { AcsControl } from '@sgfree/topology';

const BITS = [
  [0x01, 'SrcValid', 'SV'],
  [0x02, 'TransBlk', 'TB'],
  [0x04, 'ReqRedir', 'RR'],
  [0x08, 'CmpltRedir', 'CR'],
  [0x10, 'UpstreamFwd', 'UF'],
  [0x20, 'EgressCtrl', 'EC'],
  [0x40, 'DirectTrans', 'DT'],
] as const;

/** `SrcValid+ TransBlk- ReqRedir+ ...`, with `?` for a bit that is not known. */
export const acsBitsText = ({ value, unknownBits }: AcsControl): string =>
  BITS.map(
    ([bit, name]) => `${name}${(unknownBits & bit) !== 0 ? '?' : (value & bit) !== 0 ? '+' : '-'}`,
  ).join(' ');

/** The names of the bits that redirect, as lspci prints them; empty when none does. */
export const redirectingBits = (control: number): string[] =>
  BITS.filter(([bit]) => (control & bit & ACS_REDIRECT_MASK) !== 0).map(([, name]) => name);

/** The two-letter names of all bits that are set. */
export const shortBits = (control: number): string[] =>
  BITS.filter(([bit]) => (control & bit) !== 0).map(([, , short]) => short);

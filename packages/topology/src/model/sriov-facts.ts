// What configuration bytes say about virtual functions: none in use, or how many and where.
// Source followed: PCI Express Base Specification 6.0, section 9.3.3: control at +8 (bit 0 enables), NumVFs at +0x10,
// First VF Offset at +0x14, VF Stride at +0x16.
// Simplified: BARs of virtual functions are read from the kernel's resource table only.

import { walkExtendedCapabilities } from './config-capabilities.ts';
import type { KnownConfig } from './known-config.ts';

const PCI_EXT_CAP_ID_SRIOV = 0x10;

/** Virtual functions in use: none, or their number and the distances of their addresses. */
export type SriovFacts =
  | 'none'
  | 'unknown'
  | { readonly count: number; readonly offset: number; readonly stride: number };

/** Decodes the SR-IOV capability. */
export function sriovFacts(config: KnownConfig): SriovFacts {
  const { at } = walkExtendedCapabilities(config, PCI_EXT_CAP_ID_SRIOV);
  if (typeof at !== 'number') return at === 'absent' ? 'none' : 'unknown';
  const control = config.read(at + 0x08, 2);
  const count = config.read(at + 0x10, 2);
  if ((control !== 'unknown' && (control & 1) === 0) || count === 0) return 'none';
  const offset = config.read(at + 0x14, 2);
  const stride = config.read(at + 0x16, 2);
  if (control === 'unknown' || count === 'unknown' || offset === 'unknown' || stride === 'unknown')
    return 'unknown';
  return { count, offset, stride };
}

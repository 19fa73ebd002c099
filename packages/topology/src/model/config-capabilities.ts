// The two capability lists, walked over bytes of which some may be missing.
// Source followed: PCI Local Bus 3.0, section 6.7; PCI Express Base Specification 6.0, section 7.6.3; the kernel's
// pci_find_capability and pci_find_ext_capability for where a walk ends.
// A list that leads to bytes which were not dumped answers 'unknown': the capability may stand there.
// Simplified: the first capability with the id is taken; no one looks for a second.

import type { RegisterFact } from './dumped-function.ts';
import type { KnownConfig } from './known-config.ts';

const FIRST_EXTENDED = 0x100;
const statusCapabilityList = 0x10;

/** Where a walk ended. `loop`: the list came back to itself, so nothing was found. */
export interface CapabilityWalk {
  readonly at: RegisterFact;
  readonly loop: boolean;
}

const absent: CapabilityWalk = { at: 'absent', loop: false };
const unknown: CapabilityWalk = { at: 'unknown', loop: false };

/** Offset of a capability in the first 256 bytes. */
export function walkCapabilities(config: KnownConfig, id: number): CapabilityWalk {
  const status = config.read(0x06, 2);
  if (status === 'unknown') return unknown;
  if ((status & statusCapabilityList) === 0) return absent;
  let next = config.read(0x34, 1);
  for (let steps = 0; steps < 48; steps += 1) {
    if (next === 'unknown') return unknown;
    const at = next & 0xfc;
    if (at < 0x40) return absent;
    const found = config.read(at, 1);
    if (found === 'unknown') return unknown;
    if (found === 0xff) return absent;
    if (found === id) return { at, loop: false };
    next = config.read(at + 1, 1);
  }
  return { at: 'absent', loop: true };
}

/** Offset of an extended capability, from 0x100 on. */
export function walkExtendedCapabilities(config: KnownConfig, id: number): CapabilityWalk {
  let at = FIRST_EXTENDED;
  for (let steps = 0; steps < (4096 - FIRST_EXTENDED) / 8; steps += 1) {
    const header = config.read(at, 4);
    if (header === 'unknown') return unknown;
    if (header === 0 || header === 0xffffffff) return absent;
    if ((header & 0xffff) === id) return { at, loop: false };
    at = (header >>> 20) & 0xffc;
    if (at < FIRST_EXTENDED) return absent;
  }
  return { at: 'absent', loop: true };
}

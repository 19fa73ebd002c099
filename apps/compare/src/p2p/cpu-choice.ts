// CpuChoice: the processor of the dumped machine, as far as the kernel's CPU rule needs it.
// Source followed: drivers/pci/p2pdma.c (cpu_supports_p2pdma): vendor string and family of an x86 CPU.
// A CPU is never concluded from the devices of a dump: a virtual machine shows Intel's chipset on any CPU.
// Simplified: one representative for each answer that the rule can give.

import type { P2pCpu } from '@sgfree/p2p';
import type { MachineDump } from '@sgfree/topology';

/** What `--cpu` takes. */
export const CPU_CHOICES = ['zen', 'amd-older', 'intel', 'hygon', 'other', 'unknown'] as const;

/** A value of `--cpu`. */
export type CpuChoice = (typeof CPU_CHOICES)[number];

/** A CPU, and who said so. */
export interface AskedCpu {
  readonly cpu: P2pCpu | 'unknown';
  readonly from: 'option' | 'dump' | 'nothing';
}

const CPUS: Readonly<Record<CpuChoice, P2pCpu | 'unknown'>> = {
  zen: { vendor: 'AuthenticAMD', family: 0x17 },
  'amd-older': { vendor: 'AuthenticAMD', family: 0x15 },
  intel: { vendor: 'GenuineIntel', family: 6 },
  hygon: { vendor: 'HygonGenuine', family: 0x18 },
  other: { vendor: 'other', family: 0 },
  unknown: 'unknown',
};

/** The CPU asked for, else the one that the dump names. */
export function askedCpu(choice: CpuChoice | undefined, dump: MachineDump): AskedCpu {
  if (choice !== undefined) return { cpu: CPUS[choice], from: 'option' };
  return { cpu: dump.cpu, from: dump.cpu === 'unknown' ? 'nothing' : 'dump' };
}

/** The two answers that matter while the CPU is not known. */
export const ZEN_CPU: P2pCpu = { vendor: 'AuthenticAMD', family: 0x17 };
/** Any CPU that the rule does not name. */
export const OTHER_CPU: P2pCpu = { vendor: 'other', family: 0 };

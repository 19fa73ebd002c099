// HostRules: what a kernel on a CPU thinks of requests between peers that pass the root complex.
// Source followed: drivers/pci/p2pdma.c (cpu_supports_p2pdma, then host_bridge_whitelist).
// Kept from Linux: an AMD CPU of family 17h or newer allows every pair before any list is looked at (p2p-zen-always).
// Simplified: no other architecture's CPU is spoken of in the known kernels.

import { type HostBridgeRow, hostBridgeListOf } from './host-bridge-list.ts';
import { knownKernel, liesBetweenKnown } from './kernel-version.ts';
import type { Truth } from './truth.ts';

/**
 * Vendor string and family of a CPU, as in `/proc/cpuinfo`.
 * @public
 */
export interface P2pCpu {
  readonly vendor: string;
  readonly family: number;
}

const ZEN_FAMILY = 0x17;

/**
 * True for an AMD CPU of family 17h or newer. (Hygon has a vendor string of its own.)
 * @public
 * @kernel cpu_supports_p2pdma
 */
export const cpuSupportsP2pdma = (cpu: P2pCpu | 'unknown'): Truth =>
  cpu === 'unknown' ? 'unknown' : cpu.vendor === 'AuthenticAMD' && cpu.family >= ZEN_FAMILY;

/**
 * The rules of one kernel on one CPU. A kernel version that is not known has no known list; the CPU rule is known of
 * the versions in between, and of an older or newer one it is not known for any CPU.
 * @public
 */
export class HostRules {
  readonly kernel: string;
  readonly cpu: P2pCpu | 'unknown';
  /** Whether the CPU alone allows every pair. */
  readonly cpuAllows: Truth;
  readonly list: readonly HostBridgeRow[] | 'unknown';

  constructor(kernel: string, cpu: P2pCpu | 'unknown') {
    this.kernel = kernel;
    this.cpu = cpu;
    const known = knownKernel(kernel);
    this.list = known === null ? 'unknown' : hostBridgeListOf(known);
    this.cpuAllows = cpuRule(kernel, cpu);
  }
}

function cpuRule(kernel: string, cpu: P2pCpu | 'unknown'): Truth {
  const supports = cpuSupportsP2pdma(cpu);
  return liesBetweenKnown(kernel) ? supports : 'unknown';
}

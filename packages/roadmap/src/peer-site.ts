// PeerSite: the fabric a peer-to-peer run takes place on, whoever built it: by hand, or from the dump of a real machine.
// A run hands out an empty machine and a way to plug its disk in; the builder of the site does everything else.
// Source followed: none; it is the seam between fabrics and runs.
// Simplified: one disk, one target.

import type { BridgeWindow, DmaRange } from '@sgfree/dma-core';
import {
  ADDRESS_LIMIT,
  addOffset,
  type Clock,
  dmaAddr,
  type EventLog,
  type HostBridge,
  type NvmeController,
  type NvmeControllerSpec,
  type PciFabric,
  type PciFunction,
  type PhysicalMemory,
  type PhysRange,
  type PlugPoint,
  physAddr,
} from '@sgfree/hw-model';
import type { KnownKernel, P2pCpu } from '@sgfree/p2p/stage-2';

/**
 * What the builder of a site gets.
 * @public
 */
export interface PeerGround {
  /** Holds nothing yet: the builder declares RAM, the fabric its apertures. */
  readonly memory: PhysicalMemory;
  readonly clock: Clock;
  readonly log: EventLog;
  /**
   * Makes the run's NVMe controller in the initiator's place of `fabric`. To be called once, before the fabric is
   * enumerated; the controller's configuration bytes (capabilities, BAR 0) are the builder's to complete.
   */
  readonly plugDisk: (
    fabric: PciFabric,
    under: PlugPoint,
    spec?: Omit<NvmeControllerSpec, 'scheduler' | 'medium'>,
  ) => NvmeController;
}

/**
 * A fabric ready for requests: BARs placed, windows open, memory decoding and bus mastering on.
 * @public
 */
export interface PeerSite {
  readonly fabric: PciFabric;
  /** What {@link PeerGround.plugDisk} returned; its function is the initiator. */
  readonly disk: NvmeController;
  /** The function whose BAR the data goes to and comes from. */
  readonly target: PciFunction;
  /** Register number of that BAR, 0 to 5. Its target must answer like memory. */
  readonly bar: number;
  /** RAM, all of it the kernel's: rings, descriptor pools and page tables; 32 MiB and more. */
  readonly kernelRam: PhysRange;
  /** The kernel's rules for host bridges: default an Intel CPU and Linux 7.3.4. */
  readonly cpu?: P2pCpu;
  readonly kernel?: KnownKernel;
}

/**
 * Builds a site on the ground of one run; called once per run, since nothing is shared between runs.
 * @public
 */
export type PeerSiteBuilder = (ground: PeerGround) => PeerSite;

/**
 * A site on which nothing can be run: its BAR cannot be offered, or is too small.
 * @public
 */
export class PeerSiteError extends Error {
  override readonly name = 'PeerSiteError';
}

/** A host bridge's apertures, which the IOVAs of devices below it must keep clear of. @internal */
export function bridgeWindowsOf({ apertures, busOffset }: HostBridge): BridgeWindow[] {
  return apertures.map(({ base, bytes }) => ({
    start: base,
    end: addOffset(base, bytes - 1),
    offset: -busOffset,
  }));
}

/** How devices below a host bridge reach memory when nothing translates; empty where addresses are not shifted. @internal */
export function dmaRangesOf({ busOffset }: HostBridge): DmaRange[] {
  if (busOffset === 0) return [];
  const bytes = ADDRESS_LIMIT - Math.abs(busOffset);
  const [cpuStart, dmaStart] = [physAddr(Math.max(0, -busOffset)), dmaAddr(Math.max(0, busOffset))];
  return [{ cpuStart, dmaStart, bytes }];
}

/** The part of a site that is the kernel's rules, as options of its peer-to-peer state. @internal */
export function hostRulesOf({ cpu, kernel }: PeerSite): {
  readonly cpu?: P2pCpu;
  readonly kernel?: KnownKernel;
} {
  return { ...(cpu === undefined ? {} : { cpu }), ...(kernel === undefined ? {} : { kernel }) };
}

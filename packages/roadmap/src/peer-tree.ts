// PeerTree: the bridges of the machine of peer-to-peer runs: a switch with two free ports or more below one root port, and a second
// root port of the same host bridge.
// Source followed: PCI Express Base Specification 6.0, section 6.12 (ACS); the values that Linux 7.3.4 programs (p2pdma).
// Simplified: 1 GiB of RAM, the top of which is the kernel's.

import {
  ACS,
  addOffset,
  type Clock,
  type EventLog,
  type HostBridge,
  type PciBridge,
  PciFabric,
  type PciFunction,
  type PhysicalMemory,
  type PhysRange,
  physAddr,
} from '@sgfree/hw-model';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const RAM: PhysRange = { base: physAddr(MIB), bytes: GIB - MIB };
const KERNEL_RAM_BYTES: number = 64 * MIB;

/**
 * What the tree grows on.
 * @internal
 */
export interface PeerTreeParts {
  /** Empty: the tree adds its RAM. */
  readonly memory: PhysicalMemory;
  readonly clock: Clock;
  readonly log: EventLog;
  /** Ids of the host bridge's function 00.0; default one that Linux 7.3.4 lists. */
  readonly hostIdentity?: { readonly vendorId: number; readonly deviceId: number };
  /** Free ports of the switch, at least 2; default 2. */
  readonly switchPorts?: number;
}

/**
 * The tree; endpoints are plugged into its free ports before {@link PeerTree.bringUp}.
 * @internal
 */
export class PeerTree {
  readonly fabric: PciFabric;
  readonly host: HostBridge;
  /** The switch's free ports. */
  readonly below: readonly [PciBridge, PciBridge, ...PciBridge[]];
  /** The root port beside the switch. */
  readonly apart: PciBridge;
  readonly kernelRam: PhysRange = {
    base: addOffset(RAM.base, RAM.bytes - KERNEL_RAM_BYTES),
    bytes: KERNEL_RAM_BYTES,
  };
  readonly #switchRoot: PciBridge;

  constructor({ memory, clock, log, hostIdentity, switchPorts = 2 }: PeerTreeParts) {
    memory.addRam(RAM.base, RAM.bytes);
    this.fabric = new PciFabric({ memory, clock, log });
    this.host = this.fabric.addHostBridge({
      memoryAperture: { base: physAddr(2 * GIB), bytes: GIB },
      prefetchAperture: { base: physAddr(64 * GIB), bytes: 4 * GIB },
      ...(hostIdentity === undefined ? {} : { identity: hostIdentity }),
    });
    this.#switchRoot = this.fabric.addRootPort(this.host);
    const { downstream } = this.fabric.addSwitch(this.#switchRoot, { downstreamPorts: switchPorts });
    this.below = downstream as [PciBridge, PciBridge, ...PciBridge[]];
    this.apart = this.fabric.addRootPort(this.host);
  }

  /**
   * Enumerates, and lets `endpoints` answer and issue requests. With `redirect` every port has the ACS bits that Linux sets for
   * an IOMMU (SV, RR, CR, UF), so that switches send peers' requests up; without, all are off, as `pci=disable_acs_redir=`
   * leaves the redirecting ones.
   */
  bringUp(endpoints: readonly PciFunction[], redirect: boolean): void {
    this.fabric.enumerate();
    for (const fn of endpoints) fn.setCommand({ memory: true, busMaster: true });
    if (redirect) for (const port of [this.#switchRoot, this.apart, ...this.below]) redirectAt(port);
  }
}

function redirectAt({ config, acsAt }: PciFunction): void {
  const bits = ACS.sourceValidation | ACS.requestRedirect | ACS.completionRedirect | ACS.upstreamForwarding;
  config.write(acsAt + 6, 2, bits);
}

// PeerTreeSite: the machine of peer-to-peer runs that nobody brought a dump for: a switch with the disk and a peer below
// it, and a second peer below another root port of the same host bridge.
// Source followed: PCI Express Base Specification 6.0, section 6.12 (ACS); the values that Linux 7.3.4 programs (p2pdma).
// Simplified: 1 GiB of RAM; peers are 256 MiB of memory behind a BAR and issue no request of their own.

import {
  ACS,
  addOffset,
  BarMemory,
  type HostBridge,
  type PciBridge,
  PciFabric,
  type PciFunction,
  type PhysRange,
  physAddr,
} from '@sgfree/hw-model';
import type { P2pCpu } from '@sgfree/p2p/stage-2';
import type { PeerSite, PeerSiteBuilder } from './peer-site.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const RAM: PhysRange = { base: physAddr(MIB), bytes: GIB - MIB };
const KERNEL_RAM_BYTES: number = 64 * MIB;

/**
 * Bytes of each peer's BAR 0.
 * @public
 */
export const PEER_BAR_BYTES: number = 256 * MIB;

/**
 * Where the peer is, seen from the disk: below the same switch, or below another root port.
 * @public
 */
export type PeerPlace = 'switch' | 'host-bridge';

/**
 * How the machine is set up.
 * @public
 */
export interface PeerTreeOptions {
  readonly peer: PeerPlace;
  /**
   * True: every port has the ACS bits that Linux sets for an IOMMU (SV, RR, CR, UF), so that switches send peers'
   * requests up. Default false: all off, as `pci=disable_acs_redir=` leaves the redirecting ones.
   */
  readonly redirect?: boolean;
  /** Ids of the host bridge's function 00.0; default one that Linux 7.3.4 lists. */
  readonly hostIdentity?: { readonly vendorId: number; readonly deviceId: number };
  readonly cpu?: P2pCpu;
}

/**
 * The site of these options.
 * @public
 */
export function peerTreeSite(options: PeerTreeOptions): PeerSiteBuilder {
  return ({ memory, clock, log, plugDisk }): PeerSite => {
    memory.addRam(RAM.base, RAM.bytes);
    const fabric = new PciFabric({ memory, clock, log });
    const host = addHost(fabric, options);
    const first = fabric.addRootPort(host);
    const { downstream } = fabric.addSwitch(first, { downstreamPorts: 2 });
    const second = fabric.addRootPort(host);
    const [diskPort, peerPort] = downstream as [PciBridge, PciBridge];
    const disk = plugDisk(fabric, diskPort);
    const beside = addPeer(fabric, peerPort, 'peer below the switch');
    const apart = addPeer(fabric, second, 'peer below another root port');
    fabric.enumerate();
    for (const fn of [disk.endpoint, beside, apart]) fn.setCommand({ memory: true, busMaster: true });
    if (options.redirect === true) for (const port of [first, second, ...downstream]) redirectAt(port);
    const target = options.peer === 'switch' ? beside : apart;
    const kernelRam = { base: addOffset(RAM.base, RAM.bytes - KERNEL_RAM_BYTES), bytes: KERNEL_RAM_BYTES };
    const site = { fabric, disk, target, bar: 0, kernelRam };
    return options.cpu === undefined ? site : { ...site, cpu: options.cpu };
  };
}

function addHost(fabric: PciFabric, { hostIdentity }: PeerTreeOptions): HostBridge {
  return fabric.addHostBridge({
    memoryAperture: { base: physAddr(2 * GIB), bytes: GIB },
    prefetchAperture: { base: physAddr(64 * GIB), bytes: 4 * GIB },
    ...(hostIdentity === undefined ? {} : { identity: hostIdentity }),
  });
}

function addPeer(fabric: PciFabric, port: PciBridge, name: string): PciFunction {
  return fabric.addEndpoint(port, {
    name,
    identity: { vendorId: 0x1b36, deviceId: 0x0100, classCode: 0x030200 },
    bars: [{ index: 0, bytes: PEER_BAR_BYTES, prefetchable: true, target: new BarMemory(PEER_BAR_BYTES) }],
  });
}

function redirectAt({ config, acsAt }: PciFunction): void {
  const bits = ACS.sourceValidation | ACS.requestRedirect | ACS.completionRedirect | ACS.upstreamForwarding;
  config.write(acsAt + 6, 2, bits);
}

// PeerTreeSite: the machine of peer-to-peer runs that nobody brought a dump for: a switch with the disk and a peer below
// it, and a second peer below another root port of the same host bridge.
// Source followed: the project's design, stage 2: the same I/O with its data in a peer, by either way.
// Simplified: peers are 256 MiB of memory behind a BAR and issue no request of their own.

import { BarMemory, type PciBridge, type PciFabric, type PciFunction } from '@sgfree/hw-model';
import type { P2pCpu } from '@sgfree/p2p/stage-2';
import type { PeerSite, PeerSiteBuilder } from './peer-site.ts';
import { PeerTree } from './peer-tree.ts';

const MIB = 2 ** 20;

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
    const tree = new PeerTree({ ...options, memory, clock, log });
    const { fabric, kernelRam } = tree;
    const [diskPort, peerPort] = tree.below;
    const disk = plugDisk(fabric, diskPort);
    const beside = addPeer(fabric, peerPort, 'peer below the switch');
    const apart = addPeer(fabric, tree.apart, 'peer below another root port');
    tree.bringUp([disk.endpoint, beside, apart], options.redirect === true);
    const target = options.peer === 'switch' ? beside : apart;
    const site = { fabric, disk, target, bar: 0, kernelRam };
    return options.cpu === undefined ? site : { ...site, cpu: options.cpu };
  };
}

function addPeer(fabric: PciFabric, port: PciBridge, name: string): PciFunction {
  return fabric.addEndpoint(port, {
    name,
    identity: { vendorId: 0x1b36, deviceId: 0x0100, classCode: 0x030200 },
    bars: [{ index: 0, bytes: PEER_BAR_BYTES, prefetchable: true, target: new BarMemory(PEER_BAR_BYTES) }],
  });
}

// The figures that every run on the scene of an exported BAR reports alike: the pair, and what is left.
// Source followed: the project's design, "what every stage is judged by".
// What only a storage driver has is zero here: descriptor blocks.
// Simplified: none.

import { pciP2pdmaDistance } from '@sgfree/p2p';
import type { PeerReport } from '../peer-report.ts';
import type { Leftovers } from '../stage-report.ts';
import { untranslatedWay } from '../untranslated-way.ts';
import type { ExportedBarScene } from './exported-bar-scene.ts';
import { LENT_BAR } from './near-computer.ts';

/** What a run adds to what the scene knows of the pair. @internal */
export type PairUse = Pick<PeerReport, 'barPagesUsed' | 'iosLeftOut' | 'refusals' | 'bytesUntouched'>;

/** The adapter, the disk, and what the kernel says of the way between them. @internal */
export function scenePeer({ computer, kernel, barBytes }: ExportedBarScene, use: PairUse): PeerReport {
  const { pdev } = kernel.vdev;
  return {
    initiator: kernel.adapterFunction.name,
    target: pdev.name,
    bar: LENT_BAR,
    barBytes,
    mapType: kernel.mapType,
    untranslatedWay: untranslatedWay(computer.nic.endpoint, computer.disk),
    distance: pciP2pdmaDistance(pdev, kernel.adapterFunction, false),
    structPages: 0,
    structPageBytes: 0,
    ...use,
  };
}

/** What is left in the scene, with the bytes of range lists that are still out; all zero once everybody has gone. @internal */
export function sceneLeftovers({ kernel, near, tables }: ExportedBarScene, listBytes: number): Leftovers {
  const { files, buffers } = kernel.dmaBufs;
  const { registration } = kernel.vdev;
  return {
    iovaRanges: kernel.liveIovaRanges,
    pageTableEntries: kernel.liveTableEntries,
    iotlbEntries: kernel.unit?.iotlb.live ?? 0,
    coherentFrames: 0,
    descriptorBlocks: 0,
    trackingBytes: tables.heldBytes + listBytes,
    p2pmemBlocks: 0,
    dmaBufs: files.count + buffers.size + (registration.refs - 1),
    memoryRegions: near.device.nic.keys.size,
  };
}

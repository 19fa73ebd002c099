// The machine of the native mapping records: one domain over a VT-d second-stage table of 48 bits, one device whose
// limits change from record to record, and peers' pages told apart by frame number alone.
// Field meanings: vectors/native/README.md, section dmasg-golden/1.
// Simplified: invalidations are not recorded, so the driver of the domain has nothing to do.

import {
  type Device,
  DmaPlatform,
  dmaSetMask,
  iommuGetDmaCookie,
  iommuSetupDmaOps,
  type P2pClassifier,
  pciDevice,
} from '@sgfree/dma-core';
import { addOffset, Clock, dmaAddr, PhysicalMemory, physAddr } from '@sgfree/hw-model';
import { type IovaDomain, PageTable, PagingDomain, VtdSecondStageFormat } from '@sgfree/iommu';
import { FrameAllocator, PageFrames } from '@sgfree/mm';
import { BrokenHeader, type JsonRecord } from '../suite.ts';

const GRANULE = 4096;
/** Frames above every page of a record. */
const LAST_PEER_FRAME = 2 ** 40;
const tableRam = { base: physAddr(0), bytes: 2 ** 36 };

/** The domain and device of one file. */
export interface DmasgMachine {
  readonly dev: Device;
  readonly domain: PagingDomain;
  readonly iovad: IovaDomain;
}

function numberOf(header: JsonRecord, field: string): number {
  const value = header[field];
  if (typeof value !== 'number') throw new BrokenHeader(`dmasg-golden/1 needs ${field}`);
  return value;
}

/** Builds the machine a header describes; throws {@link BrokenHeader}. */
export function dmasgMachine(header: JsonRecord): DmasgMachine {
  const vaBits = /^vtdss (39|48|57)-bit$/.exec(String(header['domain']))?.[1];
  if (vaBits === undefined || header['granule'] !== GRANULE) {
    throw new BrokenHeader('dmasg-golden/1 needs a vtdss domain and granule 4096');
  }
  const memory = new PhysicalMemory();
  memory.addRam(tableRam.base, tableRam.bytes);
  const platform = new DmaPlatform({
    memory,
    frames: new PageFrames(),
    p2p: peersByFrame(header),
    cpus: numberOf(header, 'cpus'),
    clock: new Clock(),
  });
  addPeers(platform.frames, header);
  const format = new VtdSecondStageFormat({ flushRange: true });
  const frames = new FrameAllocator(memory, tableRam);
  const table = new PageTable({ format, memory, frames, vaBits: Number(vaBits) });
  const ops = { iotlbSync() {}, flushIotlbAll() {}, iotlbSyncMap: null };
  const firstFrame = numberOf(header, 'startPfn');
  const geometry = {
    apertureFirstFrame: firstFrame,
    apertureLastFrame: 2 ** (Number(vaBits) - 12) - 1,
    forceAperture: true,
  };
  const domain = new PagingDomain({ table, ops, type: 'dma', geometry });
  const dev = pciDevice({ name: 'native', platform });
  iommuSetupDmaOps(dev, domain);
  dmaSetMask(dev, 2 ** 32 - 1);
  dev.pci32BitWorkaround = numberOf(header, 'pci32BitWorkaround') === 1;
  return { dev, domain, iovad: iommuGetDmaCookie(domain).iovad };
}

/** From one frame on pages are reached by bus address, from another on not at all. */
function addPeers(frames: PageFrames, header: JsonRecord): void {
  const reachable = numberOf(header, 'p2pBusPfn');
  const unreachable = numberOf(header, 'p2pUnsupportedPfn');
  if (reachable < unreachable) frames.addZoneDevice('pci-p2pdma', reachable, unreachable - reachable);
  frames.addZoneDevice('pci-p2pdma', unreachable, LAST_PEER_FRAME - unreachable);
}

function peersByFrame(header: JsonRecord): P2pClassifier {
  const unreachable = numberOf(header, 'p2pUnsupportedPfn');
  const busOffset = numberOf(header, 'p2pBusOffset');
  return {
    mapType: ({ firstFrame }) => (firstFrame >= unreachable ? 'not-supported' : 'bus-addr'),
    busAddress: (_pagemap, phys) => dmaAddr(addOffset(phys, busOffset)),
  };
}

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
import { count, cpuCount, exactly, flag, matching, read } from '../recorded-value.ts';
import type { JsonRecord } from '../suite.ts';

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

const domainName = matching(/^vtdss (39|48|57)-bit$/, 'a vtdss domain of 39, 48 or 57 bits');

/** Builds the machine a header describes. */
export function dmasgMachine(header: JsonRecord): DmasgMachine {
  const vaBits = Number.parseInt(read(header, 'domain', domainName).slice('vtdss '.length), 10);
  read(header, 'granule', exactly(GRANULE));
  const memory = new PhysicalMemory();
  memory.addRam(tableRam.base, tableRam.bytes);
  const platform = new DmaPlatform({
    memory,
    frames: new PageFrames(),
    p2p: peersByFrame(header),
    cpus: read(header, 'cpus', cpuCount),
    clock: new Clock(),
  });
  addPeers(platform.frames, header);
  const format = new VtdSecondStageFormat({ flushRange: true });
  const frames = new FrameAllocator(memory, tableRam);
  const table = new PageTable({ format, memory, frames, vaBits });
  const ops = { iotlbSync() {}, flushIotlbAll() {}, iotlbSyncMap: null };
  const firstFrame = read(header, 'startPfn', count);
  const geometry = {
    apertureFirstFrame: firstFrame,
    apertureLastFrame: 2 ** (vaBits - 12) - 1,
    forceAperture: true,
  };
  const domain = new PagingDomain({ table, ops, type: 'dma', geometry });
  const dev = pciDevice({ name: 'native', platform });
  iommuSetupDmaOps(dev, domain);
  dmaSetMask(dev, 2 ** 32 - 1);
  dev.pci32BitWorkaround = read(header, 'pci32BitWorkaround', flag);
  return { dev, domain, iovad: iommuGetDmaCookie(domain).iovad };
}

/** From one frame on pages are reached by bus address, from another on not at all. */
function addPeers(frames: PageFrames, header: JsonRecord): void {
  const reachable = read(header, 'p2pBusPfn', count);
  const unreachable = read(header, 'p2pUnsupportedPfn', count);
  if (reachable < unreachable) frames.addZoneDevice('pci-p2pdma', reachable, unreachable - reachable);
  frames.addZoneDevice('pci-p2pdma', unreachable, LAST_PEER_FRAME - unreachable);
}

function peersByFrame(header: JsonRecord): P2pClassifier {
  const unreachable = read(header, 'p2pUnsupportedPfn', count);
  const busOffset = read(header, 'p2pBusOffset', count);
  return {
    mapType: ({ firstFrame }) => (firstFrame >= unreachable ? 'not-supported' : 'bus-addr'),
    busAddress: (_pagemap, phys) => dmaAddr(addOffset(phys, busOffset)),
  };
}

// HmmDmaMap: pages that nobody pins, each mapped for a device when it is there and unmapped when it goes.
// Source followed: mm/hmm.c (hmm_dma_map_alloc, hmm_dma_map_pfn, hmm_dma_unmap_pfn, hmm_dma_map_free).
// Behind an IOMMU the DMA addresses of the whole range are taken at once; each page is linked and made visible by itself,
// and unlinked with an IOTLB flush of its own.
// Simplified: the list of pages has one entry per 4 KiB page, whatever the entries' size.

import {
  type Device,
  type DmaAttrs,
  dmaAddressingLimited,
  dmaMapPhys,
  dmaMappingError,
  dmaNeedUnmap,
  dmaUnmapPhys,
  type P2pdmaMapState,
  pciP2pdmaState,
} from '@sgfree/dma-core';
import {
  DmaIovaState,
  dmaIovaFree,
  dmaIovaLink,
  dmaIovaSync,
  dmaIovaTryAlloc,
  dmaIovaUnlink,
  dmaUseIova,
} from '@sgfree/dma-iova';
import { addOffset, type DmaAddr, dmaAddr, PAGE_SIZE, physAddr, physOfFrame } from '@sgfree/hw-model';
import { Errno, failure, HmmPfn, HmmPfns, type Outcome, success, warnViolation } from '@sgfree/mm';
import { UMEM_DIRECTION } from './pinned-umem.ts';

const ENTRY_BYTES = 8;
const NO_ADDRESS = -1;

/**
 * The pages of a range and their DMA addresses.
 * @public
 * @kernel struct hmm_dma_map
 */
export class HmmDmaMap {
  readonly state: DmaIovaState = new DmaIovaState();
  readonly pfns: HmmPfns;
  /** Bytes that one mapping covers. */
  readonly entrySize: number;
  /** Addresses to unmap, where there is no range of them; null when there is, or unmapping does nothing. */
  dmaList: Float64Array | null = null;

  constructor(entries: number, entrySize: number) {
    this.pfns = new HmmPfns(entries);
    this.entrySize = entrySize;
  }
}

/**
 * Makes a map of `entries` pages, mapped `entrySize` bytes at a time. -EOPNOTSUPP for a device that needs syncs or does not
 * reach all memory; -EINVAL for less than one entry; -ENOMEM.
 * @public
 * @kernel hmm_dma_map_alloc
 */
export function hmmDmaMapAlloc(
  dev: Device,
  entries: number,
  entrySize: number,
  allocate: (bytes: number) => boolean,
): Outcome<HmmDmaMap> {
  if (!dev.dmaSkipSync || dmaAddressingLimited(dev)) return failure(Errno.EOPNOTSUPP);
  const count = Math.floor((entries * PAGE_SIZE) / entrySize);
  if (count === 0) return failure(Errno.EINVAL);
  if (!allocate(entries * ENTRY_BYTES)) return failure(Errno.ENOMEM);
  const map = new HmmDmaMap(entries, entrySize);
  const useIova = dmaIovaTryAlloc(dev, map.state, physAddr(0), entries * PAGE_SIZE);
  if (useIova || !dmaNeedUnmap(dev)) return success(map);
  if (!allocate(entries * ENTRY_BYTES)) return failure(Errno.ENOMEM);
  map.dmaList = new Float64Array(entries);
  return success(map);
}

/**
 * Gives the addresses back; every page must be unmapped.
 * @public
 * @kernel hmm_dma_map_free
 */
export function hmmDmaMapFree(dev: Device, map: HmmDmaMap): void {
  if (dmaUseIova(map.state)) dmaIovaFree(dev, map.state);
}

/**
 * Maps entry `idx`, whose page is number `page` of the list: its DMA address, or -1 when it cannot be mapped. What is mapped
 * already keeps its address.
 * @public
 * @kernel hmm_dma_map_pfn
 */
export function hmmDmaMapPfn(
  dev: Device,
  map: HmmDmaMap,
  idx: number,
  page: number,
  p2pState: P2pdmaMapState,
): DmaAddr | -1 {
  const { pfns, state, entrySize } = map;
  const flags = pfns.flags[page] ?? 0;
  const frame = pfns.frame[page] ?? 0;
  if ((flags & HmmPfn.DMA_MAPPED) !== 0 && (flags & HmmPfn.P2PDMA_BUS) === 0) {
    if (dmaUseIova(state)) return addOffset(state.addr, idx * entrySize);
    if (map.dmaList !== null) return dmaAddr(map.dmaList[idx] ?? 0);
  }
  const route = pciP2pdmaState(p2pState, dev, frame);
  const phys = physOfFrame(frame);
  if (route === 'bus-addr') {
    pfns.flags[page] = flags | HmmPfn.P2PDMA_BUS | HmmPfn.DMA_MAPPED;
    const { p2p, frames } = dev.platform;
    const pagemap = frames.pagemapOf(frame);
    return p2p === null || pagemap === undefined ? NO_ADDRESS : p2p.busAddress(pagemap, phys);
  }
  const peer = route === 'thru-host-bridge';
  const address = route === 'not-supported' ? NO_ADDRESS : mapEntry(dev, map, idx, frame, attrsOf(peer));
  if (address === NO_ADDRESS) {
    pfns.flags[page] = flags & ~HmmPfn.P2PDMA;
    return NO_ADDRESS;
  }
  pfns.flags[page] = flags | HmmPfn.DMA_MAPPED | (peer ? HmmPfn.P2PDMA : 0);
  return address;
}

const attrsOf = (peer: boolean): DmaAttrs => ({ requireCoherent: true, ...(peer ? { mmio: true } : {}) });

function mapEntry(dev: Device, map: HmmDmaMap, idx: number, frame: number, attrs: DmaAttrs): DmaAddr | -1 {
  const { state, entrySize } = map;
  const offset = idx * entrySize;
  const phys = physOfFrame(frame);
  if (!dmaUseIova(state)) {
    const address = dmaMapPhys(dev, phys, entrySize, UMEM_DIRECTION, attrs);
    if (dmaMappingError(dev, address) !== 0) return NO_ADDRESS;
    if (map.dmaList !== null) map.dmaList[idx] = address;
    return address;
  }
  if (dmaIovaLink(dev, state, phys, offset, entrySize, UMEM_DIRECTION, attrs) !== 0) return NO_ADDRESS;
  if (dmaIovaSync(dev, state, offset, entrySize) === 0) return addOffset(state.addr, offset);
  dmaIovaUnlink(dev, state, offset, entrySize, UMEM_DIRECTION, attrs);
  return NO_ADDRESS;
}

/**
 * Unmaps entry `idx`, whose page is number `page` of the list; true when it was mapped. A page that is not there but mapped
 * cannot be (a violation).
 * @public
 * @kernel hmm_dma_unmap_pfn
 */
export function hmmDmaUnmapPfn(dev: Device, map: HmmDmaMap, idx: number, page: number): boolean {
  const { pfns, state, entrySize } = map;
  const flags = pfns.flags[page] ?? 0;
  if ((flags & HmmPfn.VALID) === 0 || (flags & HmmPfn.DMA_MAPPED) === 0) {
    if ((flags & HmmPfn.DMA_MAPPED) !== 0) warnViolation(dev.log, 'hmm-mapped-not-valid', { entry: idx });
    return false;
  }
  const attrs = attrsOf((flags & HmmPfn.P2PDMA) !== 0);
  if ((flags & HmmPfn.P2PDMA_BUS) === 0) {
    if (dmaUseIova(state)) {
      dmaIovaUnlink(dev, state, idx * entrySize, entrySize, UMEM_DIRECTION, attrs);
    } else if (map.dmaList !== null) {
      dmaUnmapPhys(dev, dmaAddr(map.dmaList[idx] ?? 0), entrySize, UMEM_DIRECTION, attrs);
    }
  }
  pfns.flags[page] = flags & ~(HmmPfn.DMA_MAPPED | HmmPfn.P2PDMA | HmmPfn.P2PDMA_BUS);
  return true;
}

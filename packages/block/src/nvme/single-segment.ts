// The fast path of a request with one segment: one dma_map_phys, no list of any kind.
// Source followed: drivers/nvme/host/pci.c (nvme_pci_setup_data_simple, nvme_pci_prp_iter-less unmap).
// Simplified: no peer-to-peer pages here: they take the long way.

import {
  DMA_MAPPING_ERROR,
  dmaMapPhys,
  dmaMappingError,
  dmaUnmapPhys,
  NO_ATTRS,
  P2pdmaMapState,
  pciP2pdmaState,
} from '@sgfree/dma-core';
import { addOffset, dmaAddr, frameOf, offsetWithin } from '@sgfree/hw-model';
import type { BlkStatus } from '../blk-status.ts';
import { rqDmaDir } from '../request-direction.ts';
import type { NvmeMappingContext } from './data-mapper.ts';
import type { NvmeIod } from './nvme-iod.ts';
import { NVME_CTRL_PAGE_SIZE } from './nvme-pci-limits.ts';
import { putSglDataBlock } from './sgl-builder.ts';
import { nvmeSglUse } from './sgl-choice.ts';
import { NVME_CMD_SGL_METABUF } from './submission-entry.ts';

/** True when the request's memory is a peer's, which its page tells. @internal */
export function pageIsPeers({ request }: NvmeIod, { dev }: NvmeMappingContext): boolean {
  const [vec] = request.vecs;
  dev.platform.frames.touched += 1;
  return vec !== undefined && pciP2pdmaState(new P2pdmaMapState(), dev, frameOf(vec.phys)) !== 'none';
}

/**
 * Maps a request of one bio_vec. 'again': this request has to take the long way; nothing was mapped.
 * `isPeers` tells whether its memory is a peer's.
 * @internal
 */
export function mapSingleSegment<Iod extends NvmeIod>(
  iod: Iod,
  context: NvmeMappingContext,
  isPeers: (iod: Iod, context: NvmeMappingContext) => boolean = pageIsPeers,
): BlkStatus | 'again' {
  const { request } = iod;
  const vec = request.vecs[0];
  const { dev, policy } = context;
  if (vec === undefined || request.vecs.length !== 1) return 'again';
  const use = nvmeSglUse(request, policy);
  const prpPossible = offsetWithin(vec.phys, NVME_CTRL_PAGE_SIZE) + vec.bytes <= 2 * NVME_CTRL_PAGE_SIZE;
  if (use === 'unsupported' && !prpPossible) return 'again';
  if (isPeers(iod, context)) return 'again';
  const addr = dmaMapPhys(dev, vec.phys, vec.bytes, rqDmaDir(request), NO_ATTRS);
  if (dmaMappingError(dev, addr) !== 0 || addr === DMA_MAPPING_ERROR) return 'resource';
  iod.singleSegment = true;
  iod.totalBytes = vec.bytes;
  iod.dmaRangesOut = 1;
  if (use === 'forced' || !prpPossible) {
    iod.entry.flags = NVME_CMD_SGL_METABUF;
    putSglDataBlock(iod.entry.dataPointer, 0, addr, vec.bytes);
    return 'ok';
  }
  const inFirst = NVME_CTRL_PAGE_SIZE - offsetWithin(addr, NVME_CTRL_PAGE_SIZE);
  const twoPages = vec.bytes > inFirst;
  iod.entry.setPrps(addr, twoPages ? addOffset(addr, inFirst) : 0);
  return 'ok';
}

/**
 * Undoes {@link mapSingleSegment}: the address stands in the first 8 bytes of either form of data pointer.
 * @internal
 */
export function unmapSingleSegment(iod: NvmeIod, context: NvmeMappingContext): void {
  dmaUnmapPhys(context.dev, dmaAddr(iod.entry.prp1), iod.totalBytes, rqDmaDir(iod.request), NO_ATTRS);
  iod.singleSegment = false;
}

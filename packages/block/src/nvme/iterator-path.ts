// IteratorPath: the data path of Linux 7.3.4 once it is known where a request's memory lies: the block layer's DMA
// iterator, PRPs or SGLs from its ranges, and the way back.
// Source followed: drivers/nvme/host/pci.c (nvme_map_data, nvme_unmap_data, nvme_pci_prp_save_mapping, nvme_free_prps,
// nvme_free_sgls).
// Simplified: no metadata; one pool of dma_vecs whose reserve is not modelled.

import { type DmaAttrs, dmaNeedUnmap, dmaUnmapPhys, NO_ATTRS } from '@sgfree/dma-core';
import { DmaIovaState } from '@sgfree/dma-iova';
import type { DmaAddr } from '@sgfree/hw-model';
import { BlkDmaIter, blkRqDmaMapCoalesce, blkRqDmaMapIterNext, blkRqDmaUnmap } from '../blk-dma-iter.ts';
import type { BlkStatus } from '../blk-status.ts';
import { rqDmaDir } from '../request-direction.ts';
import type { NvmeMappingContext } from './data-mapper.ts';
import type { DmaRangeSource } from './dma-range-source.ts';
import { type DmaRange, NvmeIod } from './nvme-iod.ts';
import { setupPrps } from './prp-builder.ts';
import { setupSgls, sglRanges } from './sgl-builder.ts';
import { choosesSgl, nvmeSglUse } from './sgl-choice.ts';
import { mapSingleSegment, unmapSingleSegment } from './single-segment.ts';
import { TRACKING_BYTES } from './tracking-memory.ts';

/**
 * Per-command state of the two-step data path.
 * @public
 */
export class IovaIod extends NvmeIod {
  readonly state: DmaIovaState = new DmaIovaState();
  readonly iter: BlkDmaIter = new BlkDmaIter();
  /** True while {@link IovaIod.state} is in use and counted. */
  coalesced = false;
  usesSgl = false;
  /** Ranges that PRPs cannot give back (`dma_vecs`); null when nothing needs them. */
  dmaVecs: DmaRange[] | null = null;
}

/** The iterator's ranges, each noted as it appears when PRPs will have to be unmapped one by one. */
class IteratorRanges implements DmaRangeSource {
  readonly #iod: IovaIod;
  readonly #context: NvmeMappingContext;

  constructor(iod: IovaIod, context: NvmeMappingContext) {
    this.#iod = iod;
    this.#context = context;
  }

  get addr(): DmaAddr {
    return this.#iod.iter.addr;
  }

  get bytes(): number {
    return this.#iod.iter.bytes;
  }

  get status(): BlkStatus {
    return this.#iod.iter.status;
  }

  next(): boolean {
    const { request, iter, dmaVecs, coalesced } = this.#iod;
    if (coalesced || !blkRqDmaMapIterNext(request, this.#context.dev, iter)) return false;
    dmaVecs?.push({ addr: iter.addr, bytes: iter.bytes });
    return true;
  }
}

/**
 * How a mapper finds out whose memory a request's is.
 * @internal
 */
export interface MemoryLookup<Iod extends IovaIod> {
  /** True when it is a peer's: then the fast path of one segment does not apply. */
  readonly isPeers: (iod: Iod, context: NvmeMappingContext) => boolean;
  /** Finds the route and maps the first range into `iod.iter`; false: nothing mapped, the iterator's status says why. */
  readonly start: (iod: Iod, context: NvmeMappingContext) => boolean;
}

/**
 * Maps and unmaps commands by the iterator, whoever starts it.
 * @internal
 */
export class IteratorPath<Iod extends IovaIod> {
  readonly #context: NvmeMappingContext;
  readonly #lookup: MemoryLookup<Iod>;

  constructor(context: NvmeMappingContext, lookup: MemoryLookup<Iod>) {
    this.#context = context;
    this.#lookup = lookup;
  }

  mapData(iod: Iod): BlkStatus {
    const { request } = iod;
    const { dev, policy, pools, tracking } = this.#context;
    if (request.physicalSegments === 1) {
      const status = mapSingleSegment(iod, this.#context, this.#lookup.isPeers);
      if (status !== 'again') return status;
    }
    if (!this.#lookup.start(iod, this.#context)) return iod.iter.status;
    iod.coalesced = blkRqDmaMapCoalesce(iod.state);
    if (iod.coalesced) tracking.take('iova-state', TRACKING_BYTES.iovaState);
    const segments = iod.coalesced ? 1 : request.physicalSegments;
    iod.usesSgl = choosesSgl(nvmeSglUse(request, policy), request.bytes, segments, policy);
    const source = new IteratorRanges(iod, this.#context);
    if (iod.usesSgl) return this.#settle(iod, setupSgls(iod, source, pools, segments, iod.coalesced));
    if (!iod.coalesced && iod.iter.mapType !== 'bus-addr' && dmaNeedUnmap(dev)) {
      iod.dmaVecs = [{ addr: iod.iter.addr, bytes: iod.iter.bytes }];
      tracking.take('dma-vecs', TRACKING_BYTES.dmaVecs);
    }
    return this.#settle(iod, setupPrps(iod, source, pools));
  }

  unmapData(iod: Iod): void {
    if (iod.singleSegment) {
      unmapSingleSegment(iod, this.#context);
      return;
    }
    const { dev, pools, tracking } = this.#context;
    // All of a coalesced request was linked, however far its descriptors got.
    const mapped = iod.coalesced ? iod.request.bytes : iod.totalBytes;
    if (!blkRqDmaUnmap(iod.request, dev, iod.state, mapped, iod.iter.mapType)) {
      this.#unmapRanges(iod);
    }
    pools.free(iod);
    if (iod.coalesced) tracking.give(TRACKING_BYTES.iovaState);
    iod.coalesced = false;
    if (iod.dmaVecs !== null) tracking.give(TRACKING_BYTES.dmaVecs);
    iod.dmaVecs = null;
  }

  #unmapRanges(iod: Iod): void {
    const { dev, pools } = this.#context;
    const attrs: DmaAttrs = iod.iter.mapType === 'thru-host-bridge' ? { mmio: true } : NO_ATTRS;
    const ranges = iod.usesSgl ? sglRanges(iod, pools) : (iod.dmaVecs ?? []);
    for (const { addr, bytes } of ranges) dmaUnmapPhys(dev, addr, bytes, rqDmaDir(iod.request), attrs);
  }

  #settle(iod: Iod, status: BlkStatus): BlkStatus {
    if (status !== 'ok') this.unmapData(iod);
    return status;
  }
}

// SgDataMapper: the data path as it was before the two-step API: a scatterlist per command, mapped with dma_map_sg.
// Source followed: drivers/nvme/host/pci.c of Linux 6.16 (nvme_map_data, nvme_unmap_data, iod_mempool), over the
// requests and limits of 7.3.4, so that both ways of mapping move the same I/O.
// Simplified: where 6.16 would have cut a request at each gap, this one maps it whole and describes it by an SGL.

import { NO_ATTRS } from '@sgfree/dma-core';
import { dmaMapSgtable, dmaUnmapSgtable, SgTable, sgInitTable } from '@sgfree/dma-sg';
import { type DmaAddr, dmaAddr } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { blkRqMapSg } from '../blk-map-sg.ts';
import type { BlkStatus } from '../blk-status.ts';
import type { BlockRequest } from '../block-request.ts';
import { rqDmaDir } from '../request-direction.ts';
import type { NvmeDataMapper, NvmeMappingContext } from './data-mapper.ts';
import type { DmaRangeSource } from './dma-range-source.ts';
import { NvmeIod } from './nvme-iod.ts';
import { setupPrps } from './prp-builder.ts';
import { setupSgls } from './sgl-builder.ts';
import { choosesSgl, nvmeSglUse } from './sgl-choice.ts';
import { mapSingleSegment, unmapSingleSegment } from './single-segment.ts';
import { TRACKING_BYTES } from './tracking-memory.ts';

/**
 * Per-command state of the scatterlist data path.
 * @public
 */
export class SgIod extends NvmeIod {
  /** The mapped table (`iod->sgt`); null before and after. */
  table: SgTable | null = null;
}

/** The DMA segments of a mapped table. */
class MappedSegments implements DmaRangeSource {
  readonly status: BlkStatus = 'ok';
  readonly #table: SgTable;
  #index = 0;

  constructor(table: SgTable) {
    this.#table = table;
  }

  get addr(): DmaAddr {
    return dmaAddr(this.#table.list.dmaAddress[this.#index] as number);
  }

  get bytes(): number {
    return this.#table.list.dmaLength[this.#index] as number;
  }

  next(): boolean {
    if (this.#index + 1 >= this.#table.mappedCount) return false;
    this.#index += 1;
    return true;
  }
}

/**
 * Maps commands with a scatterlist each.
 * @public
 */
export class SgDataMapper implements NvmeDataMapper<SgIod> {
  readonly #context: NvmeMappingContext;

  constructor(context: NvmeMappingContext) {
    this.#context = context;
  }

  newIod(request: BlockRequest): SgIod {
    return new SgIod(request);
  }

  mapData(iod: SgIod): BlkStatus {
    const { request } = iod;
    const { dev, tracking } = this.#context;
    if (request.physicalSegments === 1) {
      const status = mapSingleSegment(iod, this.#context);
      if (status !== 'again') return status;
    }
    const table = new SgTable(dev.platform.frames);
    sgInitTable(table.list, request.physicalSegments);
    table.segmentCount = blkRqMapSg(request, table.list);
    tracking.take('scatterlist', TRACKING_BYTES.scatterlistArray);
    tracking.take('sg-table', TRACKING_BYTES.sgTable);
    const error = dmaMapSgtable(dev, table, rqDmaDir(request), NO_ATTRS);
    if (error !== 0) {
      this.#giveTable();
      return error === -Errno.EREMOTEIO ? 'target' : 'resource';
    }
    iod.table = table;
    const status = this.#setup(iod, table);
    if (status !== 'ok') this.unmapData(iod);
    return status;
  }

  unmapData(iod: SgIod): void {
    if (iod.singleSegment) {
      unmapSingleSegment(iod, this.#context);
      return;
    }
    const { dev, pools } = this.#context;
    if (iod.table !== null) {
      dmaUnmapSgtable(dev, iod.table, rqDmaDir(iod.request), NO_ATTRS);
      this.#giveTable();
    }
    iod.table = null;
    pools.free(iod);
  }

  #setup(iod: SgIod, table: SgTable): BlkStatus {
    const { policy, pools } = this.#context;
    const { request } = iod;
    const source = new MappedSegments(table);
    const use = nvmeSglUse(request, policy);
    if (choosesSgl(use, request.bytes, request.physicalSegments, policy)) {
      return setupSgls(iod, source, pools, table.mappedCount, table.mappedCount === 1);
    }
    return setupPrps(iod, source, pools);
  }

  #giveTable(): void {
    this.#context.tracking.give(TRACKING_BYTES.scatterlistArray + TRACKING_BYTES.sgTable);
  }
}

// IovaDataMapper: the data path of Linux 7.3.4: the block layer's DMA iterator, no scatterlist; the request's first page
// tells whose memory it is.
// Source followed: drivers/nvme/host/pci.c (nvme_map_data, nvme_unmap_data), block/blk-mq-dma.c.
// Simplified: see IteratorPath.

import { blkRqDmaMapIterStart } from '../blk-dma-iter.ts';
import type { BlkStatus } from '../blk-status.ts';
import type { BlockRequest } from '../block-request.ts';
import type { NvmeDataMapper, NvmeMappingContext } from './data-mapper.ts';
import { IovaIod, IteratorPath, type MemoryLookup } from './iterator-path.ts';
import { pageIsPeers } from './single-segment.ts';

const byPage: MemoryLookup<IovaIod> = {
  isPeers: pageIsPeers,
  start: ({ request, state, iter }, { dev }) => blkRqDmaMapIterStart(request, dev, state, iter),
};

/**
 * Maps commands with the two-step API where their shape allows it, else range by range.
 * @public
 */
export class IovaDataMapper implements NvmeDataMapper<IovaIod> {
  readonly #path: IteratorPath<IovaIod>;

  constructor(context: NvmeMappingContext) {
    this.#path = new IteratorPath(context, byPage);
  }

  newIod(request: BlockRequest): IovaIod {
    return new IovaIod(request);
  }

  mapData(iod: IovaIod): BlkStatus {
    return this.#path.mapData(iod);
  }

  unmapData(iod: IovaIod): void {
    this.#path.unmapData(iod);
  }
}

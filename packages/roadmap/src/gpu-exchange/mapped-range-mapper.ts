// MappedRangeMapper: the NVMe data path for memory that has been mapped already: a request carries DMA addresses, and nothing is mapped
// or unmapped for it.
// Source followed: none; nvme_map_data of Linux 7.3.4 with its iterator taken away; the RFC "dmabuf read/write via io_uring" maps a buffer
// once for many requests in the same way.
// Simplified: ranges of whole pages, so that PRPs express every request.

import {
  type BlkStatus,
  type BlockRequest,
  choosesSgl,
  type DmaRangeSource,
  type NvmeDataMapper,
  NvmeIod,
  type NvmeMappingContext,
  nvmeSglUse,
  setupPrps,
  setupSgls,
} from '@sgfree/block';
import { type DmaAddr, dmaAddr } from '@sgfree/hw-model';

/** A range as an importer knows it. @internal */
export interface MappedRange {
  readonly address: DmaAddr;
  readonly bytes: number;
}

/** A request on memory that is mapped for the disk. @internal */
export interface MappedRequest extends BlockRequest {
  readonly ranges: readonly MappedRange[];
}

/** @internal */
export class MappedIod extends NvmeIod {
  declare readonly request: MappedRequest;
}

class Ranges implements DmaRangeSource {
  readonly status = 'ok';
  readonly #ranges: readonly MappedRange[];
  #at = 0;

  constructor(ranges: readonly MappedRange[]) {
    this.#ranges = ranges;
  }

  get addr(): DmaAddr {
    return this.#ranges[this.#at]?.address ?? dmaAddr(0);
  }

  get bytes(): number {
    return this.#ranges[this.#at]?.bytes ?? 0;
  }

  next(): boolean {
    this.#at += 1;
    return this.#at < this.#ranges.length;
  }
}

/** @internal */
export class MappedRangeMapper implements NvmeDataMapper<MappedIod, MappedRequest> {
  readonly #context: NvmeMappingContext;

  constructor(context: NvmeMappingContext) {
    this.#context = context;
  }

  newIod(request: MappedRequest): MappedIod {
    return new MappedIod(request);
  }

  mapData(iod: MappedIod): BlkStatus {
    const { request } = iod;
    const { policy, pools } = this.#context;
    const source = new Ranges(request.ranges);
    const count = request.ranges.length;
    const sgl = choosesSgl(nvmeSglUse(request, policy), request.bytes, count, policy);
    const status = sgl ? setupSgls(iod, source, pools, count, count === 1) : setupPrps(iod, source, pools);
    if (status !== 'ok') pools.free(iod);
    return status;
  }

  unmapData(iod: MappedIod): void {
    this.#context.pools.free(iod);
  }
}

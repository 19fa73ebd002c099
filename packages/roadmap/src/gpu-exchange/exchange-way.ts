// ExchangeWay: one way of sharing the card's objects: how they are exported, how importers get at them, and what crosses.
// Source followed: none; it is the seam between the exchange and what a mapping is.
// Simplified: adapter and disk import alike.

import type { DmaBuf } from '@sgfree/dma-buf';
import type { GpuBo } from '@sgfree/gpu-driver';
import type { Outcome } from '@sgfree/mm';
import type { DmabufImport } from '@sgfree/rdma';
import type { GpuExchangeWayName } from './gpu-exchange-input.ts';

/**
 * What a mapping is made of, for the count of what crosses.
 * @internal
 */
export interface MappingSize {
  /** Entries that the importer walks. */
  readonly entries: number;
  /** Bytes of memory that it takes. */
  readonly bytes: number;
}

/** @internal */
export interface ExchangeWay<Mapping> {
  readonly name: GpuExchangeWayName;
  /** True when what crosses is a scatterlist. */
  readonly scatterlist: boolean;
  /** The buffer over an object, with a reference for the caller. */
  readonly exported: (bo: GpuBo) => Outcome<DmaBuf<Mapping>>;
  /** What the drivers of adapter and disk import through. */
  readonly via: DmabufImport<Mapping>;
  readonly sizeOf: (mapping: Mapping, bo: GpuBo) => MappingSize;
}

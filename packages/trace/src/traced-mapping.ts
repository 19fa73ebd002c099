// TracedMapping: one mapping as a trace shows it, with what was recorded kept apart from what was inferred.
// Source followed: the trace events of the DMA API and of the IOMMU core; a two-step transfer has no event of its own, so
// it is the set of otherwise unexplained `iommu:map` lines that one `iommu:unmap` removes.
// Simplified: request boundaries are in no trace; a mapping is what one call of the DMA API made.

import type { TraceDirection } from './trace-event.ts';

/**
 * Where a value comes from: the trace says it, a stated rule derives it, or nobody knows.
 * @public
 */
export type Provenance = 'recorded' | 'inferred' | 'unknown';

/**
 * What made the mapping: dma_map_phys (and the older dma_map_page, dma_map_resource), dma_map_sg, an allocation of
 * coherent memory, a two-step transfer (dma_iova_*, inferred), or a direct user of the IOMMU (VFIO, inferred).
 * @public
 */
export type TracedMappingKind = 'phys' | 'sg' | 'coherent' | 'two-step' | 'iommu-api';

/**
 * One mapping. `pieces` are the physical ranges in order of DMA addresses, as exact as the trace is.
 * @public
 */
export interface TracedMapping {
  readonly kind: TracedMappingKind;
  /** Running number in order of mapping. */
  readonly id: number;
  readonly device: string;
  readonly deviceFrom: Provenance;
  readonly direction: TraceDirection;
  readonly directionFrom: Provenance;
  readonly attrs: string;
  /** Where the pieces begin and end to the byte: `inferred` when only whole granules are known. */
  readonly bytesFrom: Provenance;
  /** First DMA address. */
  readonly dmaAddr: number;
  readonly bytes: number;
  readonly pieceDma: readonly number[];
  readonly piecePhys: readonly number[];
  readonly pieceBytes: readonly number[];
  /** Line, time (nanoseconds, -1 unknown), CPU and task of the mapping. */
  readonly mappedLine: number;
  readonly mappedAt: number;
  readonly mappedCpu: number;
  readonly mappedTask: string;
  /** The rules by which something was inferred, as stable codes; empty when all is recorded. */
  readonly rules: readonly string[];
}

/**
 * Where a mapping ended.
 * @public
 */
export interface TracedUnmapping {
  readonly line: number;
  readonly at: number;
  readonly cpu: number;
  readonly task: string;
  /** `inferred` when no line says that the mapping ended here; recorded when left out. */
  readonly from?: Provenance;
  /** The rules by which this end was given to this mapping, as stable codes; none when left out. */
  readonly rules?: readonly string[];
}

// MappingMethod: how a run maps one kind of mapping, behind one shape: the calls of the DMA API and what they remember.
// Source followed: the callers of each family of calls, who keep just enough to unmap.
// Simplified: what a driver keeps besides (requests, descriptors) is there anyway and counts for nobody.

import type { ReplayMapping } from './replay-mapping.ts';
import type { RunDevice } from './run-device.ts';

/** Kernel structures in which callers remember mappings. */
export const TRACKING_STRUCTURES = ['scatterlist', 'dma-iova-state', 'dma-vec'] as const;

/** Index into {@link TRACKING_STRUCTURES}: a number, because it is booked for every mapping. */
export const SCATTERLIST = 0;
export const DMA_IOVA_STATE = 1;
export const DMA_VEC = 2;

/** Bytes of each structure on x86-64; of a scatterlist and of dma_vec: of one entry. */
export const STRUCTURE_BYTES: readonly number[] = [32, 16, 16];

/** Why a run could not map; stable codes. */
export type MapFailure =
  | 'map-phys-failed'
  | 'map-sg-failed'
  | 'coherent-alloc-failed'
  | 'iova-alloc-failed'
  | 'iova-link-failed'
  | 'iommu-map-failed';

/** One way of mapping. */
export interface MappingMethod {
  /** Why the last map call failed. */
  readonly failure: MapFailure;
  /** Structure in which the last mapping is remembered, and how many entries it has; 0 entries: nothing is kept. */
  readonly structure: number;
  readonly entries: number;
  /** DMA ranges that the last map call handed out. */
  readonly rangesOut: number;
  /** Maps; the DMA address of the first byte, or -1 with nothing left mapped. */
  map(device: RunDevice, mapping: ReplayMapping): number;
  /** Unmaps what {@link MappingMethod.map} mapped. */
  unmap(device: RunDevice, mapping: ReplayMapping): void;
  /** DMA address of the last byte of a mapping; -1 when the mapping does not say where it leads. */
  lastByte(mapping: ReplayMapping): number;
}

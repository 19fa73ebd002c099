// DmaDebugEntry: what the checker remembers of one mapping: one per dma_map_phys, per DMA segment of a list, per
// coherent block.
// Source followed: kernel/dma/debug.c (struct dma_debug_entry, the printed names of its types).
// Entries are reused as in the kernel, newest first, because the cacheline table may still name one that was given back.
// Simplified: no stack trace; the number of the call that made the mapping stands in its place.

import type { Device } from '../device.ts';
import type { DmaAttrs } from '../dma-attrs.ts';
import type { DmaDataDirection } from '../dma-direction.ts';

/**
 * The API a mapping was made with, as the kernel prints it; 'single' is only ever looked up (single syncs).
 * @public
 */
export type DmaDebugType = 'phy' | 'scatter-gather' | 'coherent' | 'noncoherent' | 'single';

/**
 * What a call says about a mapping.
 * @internal
 */
export interface DmaDebugRef {
  readonly dev: Device;
  /** DMA address as a plain number; -1 = `DMA_MAPPING_ERROR`. */
  readonly devAddr: number;
  /** Bytes. */
  readonly size: number;
  readonly type: DmaDebugType;
  readonly direction: DmaDataDirection;
  /** Entries of the list that the caller named (`sg_call_ents`), 0 outside lists. */
  readonly entryCount: number;
  /** Segments that the list was mapped to (`sg_mapped_ents`), 0 outside lists. */
  readonly segmentCount: number;
  /** Physical address, 0 where the call does not say. */
  readonly phys: number;
  readonly attrs: DmaAttrs;
}

/**
 * Whether the driver asked `dma_mapping_error` about the mapping (`enum map_err_types`).
 * @public
 */
export type MapErrorCheck = 'not applicable' | 'not checked' | 'checked';

/**
 * A live mapping (`struct dma_debug_entry`); fields as in {@link DmaDebugRef}.
 * @internal
 */
export class DmaDebugEntry implements DmaDebugRef {
  dev: Device;
  devAddr: number;
  size: number;
  type: DmaDebugType;
  direction: DmaDataDirection;
  entryCount: number;
  segmentCount: number;
  phys: number;
  attrs: DmaAttrs;
  mapErrorCheck: MapErrorCheck = 'not applicable';
  /** Number of the call that made it. */
  call = 0;

  constructor(ref: DmaDebugRef) {
    this.dev = ref.dev;
    this.devAddr = ref.devAddr;
    this.size = ref.size;
    this.type = ref.type;
    this.direction = ref.direction;
    this.entryCount = ref.entryCount;
    this.segmentCount = ref.segmentCount;
    this.phys = ref.phys;
    this.attrs = ref.attrs;
  }

  /** Becomes the mapping `ref`; field by field, because every mapping passes here. */
  become(ref: DmaDebugRef, call: number): this {
    this.dev = ref.dev;
    this.devAddr = ref.devAddr;
    this.size = ref.size;
    this.type = ref.type;
    this.direction = ref.direction;
    this.entryCount = ref.entryCount;
    this.segmentCount = ref.segmentCount;
    this.phys = ref.phys;
    this.attrs = ref.attrs;
    this.mapErrorCheck = ref.type === 'phy' ? 'not checked' : 'not applicable';
    this.call = call;
    return this;
  }
}

/**
 * A call on one range outside lists.
 * @internal
 */
export const singleRef = (
  dev: Device,
  devAddr: number,
  size: number,
  type: DmaDebugType,
  direction: DmaDataDirection,
  phys: number,
  attrs: DmaAttrs,
): DmaDebugRef => ({
  dev,
  devAddr,
  size,
  type,
  direction,
  entryCount: 0,
  segmentCount: 0,
  phys,
  attrs,
});

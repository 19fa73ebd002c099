// GpuAbuse: one way in which an exporter was seen to misuse the DMA API.
// Source followed: amdgpu_vram_mgr.c, amdgpu_dma_buf.c, xe_ttm_vram_mgr.c and xe_dma_buf.c (drivers/gpu/drm), held against the rules of the DMA API.
// Simplified: those of GPU exporters only.

/**
 * Abuses by name: entries that name no page and look as if they did; the page of an entry read to find out what the entry is; the
 * way of undoing chosen by where the object lies by then; other attributes at unmap than at map; a mapping through the host bridge
 * for a peer that needs a bus address.
 * @public
 */
export type GpuAbuseName =
  | 'null-page-scatterlist'
  | 'page-pointer-as-type-tag'
  | 'unmap-by-current-placement'
  | 'attribute-mismatch'
  | 'ignoring-p2p-bus-addressing';

/**
 * What was seen.
 * @public
 */
export interface GpuAbuse {
  readonly name: GpuAbuseName;
  /** The object, and the importer's device. */
  readonly object: string;
  readonly device: string;
  /** For people. */
  readonly detail: string;
}

// GpuAbuse: one way in which an exporter was seen to misuse the DMA API.
// Source followed: the catalogue of DMA-API abuses in the kernel; the numbers are its rows.
// Simplified: the rows that GPU exporters contain.

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
 * Rows of the catalogue.
 * @public
 */
export const GPU_ABUSE_ROWS: Readonly<Record<GpuAbuseName, number>> = {
  'null-page-scatterlist': 1,
  'page-pointer-as-type-tag': 2,
  'unmap-by-current-placement': 3,
  'attribute-mismatch': 19,
  'ignoring-p2p-bus-addressing': 20,
};

/**
 * What was seen.
 * @public
 */
export interface GpuAbuse {
  readonly name: GpuAbuseName;
  /** Row of the catalogue. */
  readonly row: number;
  /** The object, and the importer's device. */
  readonly object: string;
  readonly device: string;
  /** For people. */
  readonly detail: string;
}

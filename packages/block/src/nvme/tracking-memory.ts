// TrackingMemory: bytes a driver keeps per request only to map and unmap it, by kernel structure.
// Source followed: the structure sizes of Linux 7.3.4 on x86-64; drivers/nvme/host/pci.c (struct nvme_iod and pools).
// Simplified: the request and its bio_vecs are there anyway and count for nobody.

/**
 * Structures that are counted. `iova-state`: dma_iova_state and the mapped length. `descriptor`: PRP lists and SGLs.
 * @public
 */
export type TrackingStructure = 'scatterlist' | 'sg-table' | 'iova-state' | 'dma-vecs' | 'descriptor';

/**
 * Bytes of each object taken: a pooled array counts whole, however little of it is used.
 * @public
 */
export const TRACKING_BYTES: {
  /** 128 entries of 32 bytes: one object of the driver's mempool. */
  readonly scatterlistArray: 4096;
  readonly sgTable: 16;
  /** struct dma_iova_state (16) and the mapped length (8). */
  readonly iovaState: 24;
  /** 256 struct nvme_dma_vec of 16 bytes. */
  readonly dmaVecs: 4096;
} = { scatterlistArray: 4096, sgTable: 16, iovaState: 24, dmaVecs: 4096 };

/**
 * What is held now, what was ever taken, and the most held at once, in bytes.
 * @public
 */
export class TrackingMemory {
  readonly taken: Record<TrackingStructure, number> = {
    scatterlist: 0,
    'sg-table': 0,
    'iova-state': 0,
    'dma-vecs': 0,
    descriptor: 0,
  };
  held = 0;
  peak = 0;

  /** Sum over all structures of what was ever taken. */
  get takenBytes(): number {
    return Object.values(this.taken).reduce((sum, bytes) => sum + bytes, 0);
  }

  take(structure: TrackingStructure, bytes: number): void {
    this.taken[structure] += bytes;
    this.held += bytes;
    if (this.held > this.peak) this.peak = this.held;
  }

  give(bytes: number): void {
    this.held -= bytes;
  }
}

// GpuCopy: one order to a copy engine: bytes from one place to another, each in the device's own memory or on the bus.
// Source followed: the copy packets of today's GPUs (a source, a destination, a length; each address in the GPU's own space).
// Simplified: linear copies only; an address in VRAM is an offset, an address on the bus is a DMA address.

import type { DmaAddr } from '../../addresses.ts';
import type { TransferStatus } from '../dma-engine.ts';

/**
 * Where bytes come from or go to: an offset in the device's memory, or a DMA address.
 * @public
 */
export type GpuPlace = { readonly vram: number } | { readonly bus: DmaAddr };

/**
 * One copy.
 * @public
 */
export interface GpuCopy {
  readonly from: GpuPlace;
  readonly to: GpuPlace;
  /** At least 1. */
  readonly bytes: number;
  /** Called once, when the last byte has arrived or the copy has failed. */
  readonly done: (status: TransferStatus) => void;
}

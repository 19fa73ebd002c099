// The user's bytes of VFIO_DEVICE_FEATURE_DMA_BUF: a fixed part, and ranges that are read beyond what `argsz` covers.
// Source followed: include/uapi/linux/vfio.h (struct vfio_device_feature, struct vfio_device_feature_dma_buf).
// Simplified: the user's memory is the byte array, and ends where that ends.

import { PAGE_SIZE } from '@sgfree/hw-model';
import type { VfioRegionDmaRange } from './get-dmabuf-phys.ts';

/** Bytes of the header: argsz and flags. @internal */
export const FEATURE_HEADER_BYTES = 8;
/** Bytes of the fixed payload behind the header. @internal */
export const DMA_BUF_PAYLOAD_BYTES = 16;
/** Bytes of a range. @internal */
export const DMA_RANGE_BYTES = 16;

/**
 * The fixed payload.
 * @public
 */
export interface VfioDmaBufRequest {
  /** The number of the BAR. */
  readonly regionIndex: number;
  readonly openFlags: number;
  /** Must be 0. */
  readonly flags: number;
  readonly nrRanges: number;
}

/** `words` numbers of 32 bits at `offset`; null when the user's memory ends before. @internal */
export function readWords(arg: Uint8Array, offset: number, words: number): number[] | null {
  if (offset + words * 4 > arg.length) return null;
  const view = new DataView(arg.buffer, arg.byteOffset);
  return Array.from({ length: words }, (_, i) => view.getUint32(offset + i * 4, true));
}

/** The fixed payload; null = unreadable. @internal */
export function readRequest(arg: Uint8Array): VfioDmaBufRequest | null {
  const words = readWords(arg, FEATURE_HEADER_BYTES, 4);
  if (words === null) return null;
  const [regionIndex = 0, openFlags = 0, flags = 0, nrRanges = 0] = words;
  return { regionIndex, openFlags, flags, nrRanges };
}

/** The ranges behind it; null = unreadable. @internal */
export function readRanges(arg: Uint8Array, nrRanges: number): VfioRegionDmaRange[] | null {
  const at = FEATURE_HEADER_BYTES + DMA_BUF_PAYLOAD_BYTES;
  if (at + nrRanges * DMA_RANGE_BYTES > arg.length) return null;
  return Array.from({ length: nrRanges }, (_, i) => {
    const words = readWords(arg, at + i * DMA_RANGE_BYTES, 4) ?? [];
    const [offsetLow = 0, offsetHigh = 0, lengthLow = 0, lengthHigh = 0] = words;
    return { offset: pagesOf(offsetLow, offsetHigh), length: pagesOf(lengthLow, lengthHigh) };
  });
}

/**
 * 64 bits as a number. Whole pages are exact; of anything else only that it is no whole page matters, so its upper bits
 * are left out rather than letting the number round to a page.
 */
function pagesOf(low: number, high: number): number {
  return low % PAGE_SIZE === 0 ? high * 2 ** 32 + low : low;
}

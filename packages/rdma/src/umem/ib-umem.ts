// IbUmem: memory that a device was registered for: where it is, whether it may be written, and its DMA ranges.
// Source followed: include/rdma/ib_umem.h, drivers/infiniband/core/umem.c (ib_umem_release, ib_umem_offset,
// ib_umem_num_dma_blocks, ib_umem_start_dma_addr, ib_umem_check_rereg).
// Blocks are counted from `iova`, the offset in the first page is that of `address`; asking for a page size sets `iova`.
// Simplified: none.

import type { DmaAttrs } from '@sgfree/dma-core';
import { addOffset, type DmaAddr, type ModelTask, offsetWithin, PAGE_SIZE } from '@sgfree/hw-model';
import { DmaApiViolation, Errno } from '@sgfree/mm';
import type { DmaRange } from '../dma-range.ts';
import { ibAccessWritable } from '../verbs/ib-access.ts';
import type { IbDevice } from '../verbs/ib-device.ts';
import { type U64, u64, u64Within } from './u64.ts';

/** Bytes of the object in the allocation sweeps. @internal */
export const UMEM_BYTES = 128;

/**
 * Registered memory, of whichever kind.
 * @kernel struct ib_umem
 * @public
 */
export abstract class IbUmem {
  readonly ibdev: IbDevice;
  /** User address; of a dma-buf the offset in the buffer. */
  readonly address: number;
  /** Bytes. */
  readonly length: number;
  readonly writable: boolean;
  readonly dmaAttrs: DmaAttrs;
  readonly isDmabuf: boolean = false;
  /** Base-2 logarithm of the page size of on-demand memory, 0 for other memory. */
  readonly odpPageShift: number = 0;
  /** First byte as the device names it; set by whoever asks for a page size. */
  iova: U64;

  constructor(ibdev: IbDevice, address: number, length: number, access: number, dmaAttrs: DmaAttrs) {
    this.ibdev = ibdev;
    this.address = address;
    this.length = length;
    this.writable = ibAccessWritable(access);
    this.dmaAttrs = dmaAttrs;
    this.iova = u64(address);
  }

  /** What the device may touch, in order. */
  abstract dmaRanges(): Iterable<DmaRange>;

  /** Gives everything back. @internal */
  abstract release(): ModelTask<void>;

  /** Reads `bytes.length` bytes from `offset` on as the CPU sees them; how many there were. @internal */
  copyTo(_bytes: Uint8Array, _offset: number): number {
    throw new DmaApiViolation('umem-without-pages', 'the CPU has no view of this memory');
  }
}

/**
 * Gives registered memory back; the device must not touch it any more.
 * @kernel ib_umem_release
 * @public
 */
export function* ibUmemRelease(umem: IbUmem): ModelTask<void> {
  yield* umem.release();
}

/**
 * Bytes of the first page before the memory.
 * @kernel ib_umem_offset
 * @public
 */
export const ibUmemOffset = (umem: Pick<IbUmem, 'address'>): number => offsetWithin(umem.address, PAGE_SIZE);

/**
 * Blocks of `pgsz` bytes that the memory takes at its `iova`.
 * @kernel ib_umem_num_dma_blocks
 * @public
 */
export const ibUmemNumDmaBlocks = (umem: Pick<IbUmem, 'iova' | 'length'>, pgsz: number): number =>
  Math.ceil((u64Within(umem.iova, pgsz) + umem.length) / pgsz);

/**
 * {@link ibUmemNumDmaBlocks} for pages.
 * @kernel ib_umem_num_pages
 * @public
 */
export const ibUmemNumPages = (umem: Pick<IbUmem, 'iova' | 'length'>): number =>
  ibUmemNumDmaBlocks(umem, PAGE_SIZE);

/**
 * DMA address of the first byte. Throws {@link @sgfree/mm#DmaApiViolation} `umem-without-dma` when nothing is mapped.
 * @kernel ib_umem_start_dma_addr
 * @public
 */
export function ibUmemStartDmaAddr(umem: Pick<IbUmem, 'address' | 'dmaRanges'>): DmaAddr {
  for (const range of umem.dmaRanges()) return addOffset(range.address, ibUmemOffset(umem));
  throw new DmaApiViolation('umem-without-dma', 'nothing of the memory is mapped');
}

/**
 * Copies `dst.length` bytes from `offset` on: 0, or -EINVAL beyond the memory or when there are fewer. Memory without pages
 * throws {@link @sgfree/mm#DmaApiViolation} `umem-without-pages`.
 * @kernel ib_umem_copy_from
 * @public
 */
export function ibUmemCopyFrom(dst: Uint8Array, umem: IbUmem, offset: number): number {
  if (offset > umem.length || dst.length > umem.length - offset) return -Errno.EINVAL;
  return umem.copyTo(dst, offset + ibUmemOffset(umem)) === dst.length ? 0 : -Errno.EINVAL;
}

/**
 * Whether a region over `umem` can be re-registered: 0; -EOPNOTSUPP for a dma-buf; -EACCES when only its rights are to change
 * and writing is added to memory that was pinned for reading.
 * @kernel ib_umem_check_rereg
 * @public
 */
export function ibUmemCheckRereg(
  umem: IbUmem,
  changes: { readonly translation: boolean },
  access: number,
): number {
  if (umem.isDmabuf) return -Errno.EOPNOTSUPP;
  if (!changes.translation && ibAccessWritable(access) && !umem.writable) return -Errno.EACCES;
  return 0;
}

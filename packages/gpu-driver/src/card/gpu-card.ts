// GpuCard: what a GPU driver keeps of one card: the device for DMA, the provider of its VRAM, the allocators, and its buffers.
// Source followed: struct amdgpu_device and struct xe_device as far as memory is concerned.
// Simplified: the BAR is resized before the machine boots; no virtual memory of the card; one process.

import { type DmaBufPlatform, type DmaFence, dmaFenceContextAlloc, dmaFenceGet } from '@sgfree/dma-buf';
import type { Device } from '@sgfree/dma-core';
import type { GpuDevice, PhysAddr } from '@sgfree/hw-model';
import { addOffset, InternalError } from '@sgfree/hw-model';
import type { PageAllocator } from '@sgfree/mm';
import {
  type P2pdmaProvider,
  type PciDev,
  pcimP2pdmaInit,
  pcimP2pdmaProvider,
  pciResourceStart,
} from '@sgfree/p2p';
import { VramManager } from '../memory/vram-manager.ts';
import type { GpuBo } from '../objects/gpu-bo.ts';

/** The BAR that shows VRAM, and that of the registers. */
const VRAM_BAR = 0;
const REGISTER_BAR = 5;

/**
 * What a driver is bound with.
 * @public
 */
export interface GpuCardParts {
  readonly gpu: GpuDevice;
  readonly pdev: PciDev;
  /** The card as the DMA API knows it. */
  readonly dev: Device;
  readonly dmaBufs: DmaBufPlatform;
  /** System pages for buffers that are not in VRAM. */
  readonly pages: PageAllocator;
}

/**
 * A card with its driver bound. Throws when the card's VRAM cannot be offered to peers.
 * @public
 */
export class GpuCard {
  readonly gpu: GpuDevice;
  readonly pdev: PciDev;
  readonly dev: Device;
  readonly dmaBufs: DmaBufPlatform;
  readonly pages: PageAllocator;
  readonly vram: VramManager;
  /** Whose memory the BAR is. */
  readonly provider: P2pdmaProvider;
  /** Physical address of the first byte of VRAM, as the CPU and peers see it. */
  readonly aperture: PhysAddr;
  /** Physical address of the page of registers that others may ring; null for a card without. */
  readonly remapPage: PhysAddr | null;
  /** Timeline of the copy engine. */
  readonly copyContext: number;
  /** Every buffer of the card, the least recently used first. */
  readonly lru: GpuBo[] = [];
  /** References that keep the card awake. */
  runtimeRefs = 0;
  /** Moves since the card was bound, those that made room for others, and bytes whose copy has ended. */
  readonly counters: { moves: number; evictions: number; bytesMoved: number } = {
    moves: 0,
    evictions: 0,
    bytesMoved: 0,
  };
  #copySeqno = 0;
  #lastCopy: DmaFence | null = null;

  constructor(parts: GpuCardParts) {
    const { gpu, pdev } = parts;
    this.gpu = gpu;
    this.pdev = pdev;
    this.dev = parts.dev;
    this.dmaBufs = parts.dmaBufs;
    this.pages = parts.pages;
    this.vram = new VramManager(gpu.vram.bytes, gpu.visibleBytes);
    const aperture = pciResourceStart(pdev, VRAM_BAR);
    const provider = pcimP2pdmaInit(pdev) === 0 ? pcimP2pdmaProvider(pdev, VRAM_BAR) : null;
    if (aperture === null || provider === null) throw new InternalError(`${pdev.name} shows no VRAM`);
    this.aperture = aperture;
    this.remapPage = gpu.registers === null ? null : pciResourceStart(pdev, REGISTER_BAR);
    this.provider = provider;
    this.copyContext = dmaFenceContextAlloc(parts.dmaBufs, 1);
  }

  /** Physical address of a byte of VRAM that the BAR shows. */
  vramPhys(offset: number): PhysAddr {
    return addOffset(this.aperture, offset);
  }

  /** Puts a copy behind all others: the fence of the one before it, with a reference; null when there is none. @internal */
  takeTurn(fence: DmaFence): DmaFence | null {
    const before = this.#lastCopy;
    this.#lastCopy = fence;
    return before === null ? null : dmaFenceGet(before);
  }

  /** The copy is over. @internal */
  endTurn(fence: DmaFence): void {
    if (this.#lastCopy === fence) this.#lastCopy = null;
  }

  /** The next sequence number of the copy engine. */
  nextCopySeqno(): number {
    this.#copySeqno += 1;
    return this.#copySeqno;
  }
}

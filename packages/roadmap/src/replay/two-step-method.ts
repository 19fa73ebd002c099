// TwoStepMethod: any number of ranges through the two-step API: one range of addresses, a link for each piece, one sync.
// Source followed: block/blk-mq-dma.c (blk_rq_dma_map_iter_start and its neighbours): where there is no IOMMU the API
// refuses, and each piece is mapped by itself.
// Simplified: the mapped length that callers keep beside the state is not counted.

import { dmaMapPhys, dmaNeedUnmap, dmaUnmapPhys } from '@sgfree/dma-core';
import { DmaIovaState, dmaIovaDestroy, dmaIovaLink, dmaIovaSync, dmaIovaTryAlloc } from '@sgfree/dma-iova';
import { dmaAddr, physAddr, rawOffset } from '@sgfree/hw-model';
import { DMA_IOVA_STATE, DMA_VEC, type MapFailure, type MappingMethod } from './mapping-method.ts';
import type { ReplayMapping } from './replay-mapping.ts';
import type { RunDevice } from './run-device.ts';

/** Maps with dma_iova_try_alloc, dma_iova_link and dma_iova_sync, or piece by piece. */
export class TwoStepMethod implements MappingMethod {
  failure: MapFailure = 'iova-alloc-failed';
  structure: number = DMA_IOVA_STATE;
  entries = 0;
  rangesOut = 0;
  /** By slot. */
  readonly #states: (DmaIovaState | undefined)[] = [];
  /** By slot: the addresses of pieces mapped one by one; undefined = one range. */
  readonly #pieces: (number[] | undefined)[] = [];
  readonly #spare: DmaIovaState[] = [];

  map(device: RunDevice, mapping: ReplayMapping): number {
    const { dev } = device;
    if (!dev.dmaIommu) return this.#mapPieces(device, mapping);
    const { slot, phys, totalBytes } = mapping;
    const state = this.#spare.pop() ?? new DmaIovaState();
    this.structure = DMA_IOVA_STATE;
    this.entries = 1;
    this.rangesOut = 1;
    this.failure = 'iova-alloc-failed';
    const allocated = dmaIovaTryAlloc(dev, state, physAddr(phys[0] as number), totalBytes);
    if (allocated && this.#link(device, mapping, state)) {
      this.#states[slot] = state;
      return state.addr;
    }
    this.#spare.push(state);
    return -1;
  }

  unmap(device: RunDevice, mapping: ReplayMapping): void {
    const { slot, totalBytes, direction, attrs } = mapping;
    const state = this.#states[slot];
    if (state === undefined) {
      this.#unmapPieces(device, mapping);
      return;
    }
    dmaIovaDestroy(device.dev, state, totalBytes, direction, attrs);
    this.#states[slot] = undefined;
    this.#spare.push(state);
  }

  lastByte({ slot, bytes, totalBytes }: ReplayMapping): number {
    const state = this.#states[slot];
    if (state !== undefined) return rawOffset(state.addr, totalBytes - 1);
    return (this.#pieces[slot]?.at(-1) as number) + (bytes.at(-1) as number) - 1;
  }

  #link({ dev }: RunDevice, mapping: ReplayMapping, state: DmaIovaState): boolean {
    const { phys, bytes, totalBytes, direction, attrs } = mapping;
    let linked = 0;
    for (let piece = 0; piece < phys.length; piece += 1) {
      const length = bytes[piece] as number;
      const start = physAddr(phys[piece] as number);
      if (dmaIovaLink(dev, state, start, linked, length, direction, attrs) !== 0) {
        this.failure = 'iova-link-failed';
        dmaIovaDestroy(dev, state, linked, direction, attrs);
        return false;
      }
      linked += length;
    }
    if (dmaIovaSync(dev, state, 0, totalBytes) === 0) return true;
    this.failure = 'iova-link-failed';
    dmaIovaDestroy(dev, state, linked, direction, attrs);
    return false;
  }

  #mapPieces(device: RunDevice, mapping: ReplayMapping): number {
    const { dev } = device;
    const { slot, phys, bytes, direction, attrs } = mapping;
    const addresses: number[] = [];
    this.#pieces[slot] = addresses;
    this.structure = DMA_VEC;
    this.entries = dmaNeedUnmap(dev) ? phys.length : 0;
    this.rangesOut = phys.length;
    for (let piece = 0; piece < phys.length; piece += 1) {
      const start = physAddr(phys[piece] as number);
      const address = dmaMapPhys(dev, start, bytes[piece] as number, direction, attrs);
      if (address === -1) {
        this.failure = 'map-phys-failed';
        this.#unmapPieces(device, mapping);
        return -1;
      }
      addresses.push(address);
    }
    return addresses[0] as number;
  }

  #unmapPieces({ dev }: RunDevice, { slot, bytes, direction, attrs }: ReplayMapping): void {
    const addresses = this.#pieces[slot] ?? [];
    for (let piece = 0; piece < addresses.length; piece += 1) {
      const address = dmaAddr(addresses[piece] as number);
      dmaUnmapPhys(dev, address, bytes[piece] as number, direction, attrs);
    }
    this.#pieces[slot] = undefined;
  }
}

// P2pmemPool: the registered pages of a function's BARs, handed out in whole pages, lowest first.
// Source followed: lib/genalloc.c (gen_pool with first fit; chunks are searched newest first), drivers/pci/p2pdma.c.
// The address of a block is the CPU physical address of its first page, in place of the kernel's virtual address.
// Simplified: no bitmaps; a sorted list of free runs per chunk.

import {
  addOffset,
  byteDistance,
  frameOf,
  liesWithin,
  PAGE_SIZE,
  type PciBusAddr,
  type PhysAddr,
  pciBusAddr,
  rawOffset,
} from '@sgfree/hw-model';
import { type DevPagemap, DmaApiViolation } from '@sgfree/mm';
import type { P2pdmaProvider } from './pci-p2pdma.ts';

/** Pages free from `first` on, numbered within the chunk. */
interface FreeRun {
  first: number;
  pages: number;
}

/**
 * Pages registered by one call, with the references that keep them.
 * @public
 */
export class P2pmemChunk {
  readonly provider: P2pdmaProvider;
  readonly pagemap: DevPagemap;
  readonly start: PhysAddr;
  readonly bytes: number;
  /** Blocks handed out and not yet returned. */
  liveBlocks = 0;
  /** True once the owner's driver is on its way out: nothing is handed out any more. */
  dying = false;
  readonly #free: FreeRun[];

  constructor(provider: P2pdmaProvider, pagemap: DevPagemap, start: PhysAddr, bytes: number) {
    this.provider = provider;
    this.pagemap = pagemap;
    this.start = start;
    this.bytes = bytes;
    this.#free = [{ first: 0, pages: bytes / PAGE_SIZE }];
  }

  /** Free bytes. */
  get available(): number {
    return this.#free.reduce((sum, { pages }) => sum + pages * PAGE_SIZE, 0);
  }

  holds(address: PhysAddr, bytes: number): boolean {
    return liesWithin(address, bytes, this.start, this.bytes);
  }

  /** Takes the lowest run of `pages` pages; null when there is none. */
  take(pages: number): PhysAddr | null {
    const at = this.#free.findIndex((run) => run.pages >= pages);
    const run = this.#free[at];
    if (run === undefined) return null;
    const address = addOffset(this.start, run.first * PAGE_SIZE);
    run.first += pages;
    run.pages -= pages;
    if (run.pages === 0) this.#free.splice(at, 1);
    return address;
  }

  /** Takes pages back; all of them must be out. */
  give(address: PhysAddr, pages: number): void {
    const first = frameOf(address) - frameOf(this.start);
    const found = this.#free.findIndex((run) => run.first >= first);
    const at = found < 0 ? this.#free.length : found;
    const [below, above] = [this.#free[at - 1], this.#free[at]];
    const overlapsBelow = below !== undefined && below.first + below.pages > first;
    if (overlapsBelow || (above !== undefined && above.first < first + pages)) {
      throw new DmaApiViolation('p2p-free-of-free', `page ${first} and ${pages - 1} more are not all out`);
    }
    this.#free.splice(at, 0, { first, pages });
    this.#join(at);
    this.#join(at - 1);
  }

  #join(at: number): void {
    const [run, next] = [this.#free[at], this.#free[at + 1]];
    if (run === undefined || next === undefined || run.first + run.pages !== next.first) return;
    run.pages += next.pages;
    this.#free.splice(at + 1, 1);
  }
}

/**
 * All registered pages of one function.
 * @public
 */
export class P2pmemPool {
  /** Newest first. */
  readonly chunks: P2pmemChunk[] = [];

  /** Bytes registered (sysfs attribute `size`). */
  get size(): number {
    return this.chunks.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Bytes free (sysfs attribute `available`). */
  get available(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.available, 0);
  }

  /** The chunk that holds all of a block. */
  chunkOf(address: PhysAddr, bytes: number): P2pmemChunk | undefined {
    return this.chunks.find((chunk) => chunk.holds(address, bytes));
  }
}

/** The bus address of a byte of a chunk. @internal */
export const chunkBusAddress = ({ provider, start }: P2pmemChunk, address: PhysAddr): PciBusAddr =>
  pciBusAddr(rawOffset(start, byteDistance(start, address) + provider.busOffset));

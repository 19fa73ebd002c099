// DmaRangeList: where one device finds a buffer: DMA addresses and lengths, and the two-step state that is undone with them.
// No page, no table, no CPU view, no limit on the length of an entry.
// Source followed: our own; what dma_buf_phys_vec_to_sgt keeps beside its table, without the table.
// The exporter owns it: an importer reads it between map and unmap, and reading it afterwards throws.
// Simplified: neighbouring ranges are not joined.

import type { Device, DmaAttrs } from '@sgfree/dma-core';
import type { DmaIovaState } from '@sgfree/dma-iova';
import { addOffset, type DmaAddr, dmaAddr } from '@sgfree/hw-model';
import { DmaApiViolation } from '@sgfree/mm';

/** Bytes of memory that an entry and the state of a list take. @internal */
export const RANGE_LIST_BYTES = { head: 40, entry: 16 } as const;

/**
 * How the addresses of a list came to be: the peer's own on the bus, one run of DMA addresses, or a mapping for each range.
 * @beta
 */
export type DmaRangeListRoute = 'bus-address' | 'iova' | 'mapped';

/**
 * One range as the device sees it.
 * @beta
 */
export interface DmaListRange {
  readonly address: DmaAddr;
  readonly bytes: number;
}

/**
 * What a list is made of.
 * @internal
 */
export interface RangeListParts {
  /** The attachment that it was made for. */
  readonly owner: object;
  readonly dev: Device;
  readonly attrs: DmaAttrs;
  readonly route: DmaRangeListRoute;
  readonly state: DmaIovaState;
  /** Ranges that it may get. */
  readonly capacity: number;
}

/**
 * The DMA addresses of a mapped buffer, in the order of its bytes.
 * @beta
 */
export class DmaRangeList {
  readonly dev: Device;
  /** What each of its mappings was made with. */
  readonly attrs: DmaAttrs;
  readonly route: DmaRangeListRoute;
  /** In use for route `iova`. */
  readonly state: DmaIovaState;
  readonly #addresses: Float64Array;
  readonly #lengths: Float64Array;
  readonly #owner: object;
  #count = 0;
  #live = true;

  /** @internal */
  constructor({ owner, dev, attrs, route, state, capacity }: RangeListParts) {
    this.#owner = owner;
    this.dev = dev;
    this.attrs = attrs;
    this.route = route;
    this.state = state;
    this.#addresses = new Float64Array(capacity);
    this.#lengths = new Float64Array(capacity);
  }

  /** Ranges of the list. */
  get count(): number {
    return this.#count;
  }

  /** False once the mapping has been given back. */
  get live(): boolean {
    return this.#live;
  }

  /** Range `index`. Throws `DmaApiViolation` `range-list-after-unmap`, and `range-list-index` outside the list. */
  at(index: number): DmaListRange {
    if (!this.#live) throw new DmaApiViolation('range-list-after-unmap', this.dev.name);
    if (!(index >= 0 && index < this.#count)) throw new DmaApiViolation('range-list-index', `${index}`);
    return { address: dmaAddr(this.#addresses[index] ?? -1), bytes: this.#lengths[index] ?? 0 };
  }

  /** All ranges in order; each is looked up when it is reached. */
  *ranges(): Generator<DmaListRange, void, void> {
    for (let index = 0; index < this.#count; index += 1) yield this.at(index);
  }

  /**
   * Where byte `offset` of the buffer lies and how many bytes follow it there; null behind the end.
   */
  find(offset: number): DmaListRange | null {
    let start = 0;
    for (const { address, bytes } of this.ranges()) {
      if (offset < start + bytes) {
        return { address: addOffset(address, offset - start), bytes: start + bytes - offset };
      }
      start += bytes;
    }
    return null;
  }

  /** @internal */
  add(address: DmaAddr, bytes: number): void {
    this.#addresses[this.#count] = address;
    this.#lengths[this.#count] = bytes;
    this.#count += 1;
  }

  /** Only its owner may give it back, and once. @internal */
  mustBeOf(owner: object): void {
    if (owner !== this.#owner) throw new DmaApiViolation('range-list-foreign', this.dev.name);
    if (!this.#live) throw new DmaApiViolation('range-list-twice', this.dev.name);
  }

  /** @internal */
  end(): void {
    this.#live = false;
  }
}

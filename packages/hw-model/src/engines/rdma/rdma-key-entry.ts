// RdmaKeyEntry: one row of the NIC's key table: who may touch which bytes through a key, and where they are.
// Source followed: the kernel's rxe driver (rxe_mr.c, rxe_mw.c) for states, lookup and the range check.
// A key stops being honoured at the next request after its row changes; requests already on the bus are counted, and
// software that must know that none is left waits for that count.
// Simplified: rows are objects of the model, not bytes of device memory.

import { offsetWithin } from '../../addresses.ts';
import type { ModelTask } from '../../yield-point.ts';
import type { RdmaTranslation } from './rdma-translation.ts';

/**
 * What a row stands for: all of the device's DMA space, a region, a region that work requests register, a window.
 * @public
 */
export type RdmaKeyKind = 'dma' | 'region' | 'fast' | 'window';

/**
 * `free` = waits for a registering work request; only `valid` keys are honoured.
 * @public
 */
export type RdmaKeyState = 'invalid' | 'free' | 'valid';

/**
 * What a row says about its bytes.
 * @public
 */
export interface RdmaKeyContents {
  /** Sum of {@link RDMA_ACCESS} bits. */
  readonly access: number;
  /** First byte as work requests name it; plain number below 2^53. */
  readonly iova: number;
  readonly length: number;
  readonly translation: RdmaTranslation | null;
  /** Bytes of the first block before the region's first byte; default `iova` modulo the block size. */
  readonly pageOffset?: number;
}

/**
 * A row of the key table.
 * @public
 */
export class RdmaKeyEntry {
  readonly index: number;
  readonly kind: RdmaKeyKind;
  /** The protection domain, a number that software chooses. */
  readonly pd: number;
  /** Full key for local use: index \<\< 8 | variant. */
  lkey: number;
  /** Full key for peers; 0 = they have none. */
  rkey = 0;
  state: RdmaKeyState = 'invalid';
  access = 0;
  iova = 0;
  length = 0;
  translation: RdmaTranslation | null = null;
  /** Blocks that are missing make a page fault instead of an error. */
  onDemand = false;
  /** Windows bound to this region. */
  boundWindows = 0;
  /** The region that a window was bound to. */
  region: RdmaKeyEntry | null = null;
  #generation = 0;
  #inFlight = 0;
  #pageOffset = 0;

  constructor(index: number, kind: RdmaKeyKind, pd: number, variant: number) {
    this.index = index;
    this.kind = kind;
    this.pd = pd;
    this.lkey = index * 256 + variant;
  }

  /** Counts what made earlier uses of this key end: invalidation, a new registration. */
  get generation(): number {
    return this.#generation;
  }

  /** True while a request that was translated through this row has not finished on the bus. */
  get inUse(): boolean {
    return this.#inFlight > 0;
  }

  /** Fills the row and makes its key good. */
  validate(contents: RdmaKeyContents): void {
    this.access = contents.access;
    this.iova = contents.iova;
    this.length = contents.length;
    this.state = 'valid';
    this.#generation += 1;
    this.translate(contents.translation, contents.pageOffset);
  }

  /** Puts other blocks behind the same key; block size and offset may differ. Uses that go on see them at once. */
  translate(translation: RdmaTranslation | null, pageOffset?: number): void {
    this.translation = translation;
    this.#pageOffset =
      pageOffset ?? (translation === null ? 0 : offsetWithin(this.iova, translation.pageBytes));
  }

  /** The key is no longer good: `free` for another registration, or `invalid` with its index kept. */
  invalidate(into: 'free' | 'invalid'): void {
    this.state = into;
    this.#generation += 1;
    if (this.region !== null) this.region.boundWindows -= 1;
    this.region = null;
  }

  /** False when `length` bytes from `iova` on are not all inside. Nothing overflows. A whole-space key has no bounds. */
  contains(iova: number, length: number): boolean {
    if (this.kind === 'dma') return true;
    return iova >= this.iova && length <= this.length && iova - this.iova <= this.length - length;
  }

  /** Bytes from the start of the first block to `iova`. */
  blockOffset(iova: number): number {
    return iova - this.iova + this.#pageOffset;
  }

  /** A request was translated through this row and goes to the bus. */
  requestStarted(): void {
    this.#inFlight += 1;
  }

  /** A request of this row has finished on the bus. */
  requestFinished(): void {
    this.#inFlight -= 1;
  }

  /**
   * Waits until no request of this key is on the bus. After an invalidation or a zap no further byte moves through the
   * key once this returns; without one, new requests may follow at once.
   */
  *quiesce(): ModelTask<void> {
    yield { at: 'rdma:quiesce', until: () => this.#inFlight === 0 };
  }
}

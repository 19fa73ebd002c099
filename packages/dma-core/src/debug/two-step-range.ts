// TwoStepRange: what a state of the two-step API stands for: which of its bytes have memory behind them, since when, and
// whether the device may see them yet.
// Source followed: none; the kernel keeps 16 bytes a state and its checker never sees the API.
// Offsets count from the state's address, as callers name them.
// Simplified: none.

import type { Device } from '../device.ts';
import type { DmaAttrs } from '../dma-attrs.ts';
import type { DmaDataDirection } from '../dma-direction.ts';
import type { HashedRange } from './address-hash.ts';

/**
 * A linked piece: bytes [start, end) of the range.
 * @internal
 */
export interface LinkedPiece {
  readonly start: number;
  readonly end: number;
  /** Physical address of the byte at `start`. */
  readonly phys: number;
  readonly direction: DmaDataDirection;
  readonly attrs: DmaAttrs;
  /** True once made visible to the device. */
  synced: boolean;
}

/**
 * Addresses that a state holds, or held.
 * @internal
 */
export class TwoStepRange implements HashedRange {
  readonly dev: Device;
  readonly devAddr: number;
  readonly size: number;
  /** Number of the call that took the addresses. */
  readonly call: number;
  /** Number of the call that gave them back, -1 while they are held. */
  endedAt = -1;
  /** True after a link or a sync that failed: the driver is on its way out. */
  failed = false;
  readonly #pieces: LinkedPiece[] = [];

  constructor(dev: Device, devAddr: number, size: number, call: number) {
    this.dev = dev;
    this.devAddr = devAddr;
    this.size = size;
    this.call = call;
  }

  get live(): boolean {
    return this.endedAt < 0;
  }

  /** Linked pieces, in order. */
  get pieces(): readonly LinkedPiece[] {
    return this.#pieces;
  }

  /** End of the last linked piece, 0 without one. */
  get linkedEnd(): number {
    return this.#pieces.at(-1)?.end ?? 0;
  }

  insert(piece: LinkedPiece): void {
    this.#pieces.splice(this.#firstEndingAfter(piece.start), 0, piece);
  }

  /** The linked pieces within bytes [start, end); those that stick out are cut there first. */
  within(start: number, end: number): readonly LinkedPiece[] {
    this.#cutAt(start);
    this.#cutAt(end);
    return this.#pieces.slice(this.#firstEndingAfter(start), this.#firstEndingAfter(end));
  }

  /** The piece that holds byte `offset`, or null. */
  pieceAt(offset: number): LinkedPiece | null {
    const piece = this.#pieces[this.#firstEndingAfter(offset)];
    return piece !== undefined && piece.start <= offset ? piece : null;
  }

  /** Linked bytes within [start, end). */
  linkedBytes(start: number, end: number): number {
    let bytes = 0;
    for (let at = this.#firstEndingAfter(start); at < this.#pieces.length; at += 1) {
      const piece = this.#pieces[at] as LinkedPiece;
      if (piece.start >= end) break;
      bytes += Math.min(piece.end, end) - Math.max(piece.start, start);
    }
    return bytes;
  }

  /** Forgets the links within [start, end). */
  remove(start: number, end: number): void {
    const { length } = this.within(start, end);
    this.#pieces.splice(this.#firstEndingAfter(start), length);
  }

  #cutAt(offset: number): void {
    const at = this.#firstEndingAfter(offset);
    const piece = this.#pieces[at];
    if (piece === undefined || piece.start >= offset) return;
    const rest: LinkedPiece = { ...piece, start: offset, phys: piece.phys + offset - piece.start };
    this.#pieces.splice(at, 1, { ...piece, end: offset }, rest);
  }

  /** Index of the first piece that ends after `offset`. */
  #firstEndingAfter(offset: number): number {
    let low = 0;
    let high = this.#pieces.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#pieces[middle] as LinkedPiece).end <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

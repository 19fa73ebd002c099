// WatchedMemory: device memory that remembers when a request reached it: the hardware's own witness of a revoke.
// Source followed: none; a bus analyser at the device's port.
// Simplified: it sees requests of devices and of the CPU alike; the owner does not touch its memory while it is watched.

import { BarMemory } from '@sgfree/hw-model';

/** @internal */
export interface WatchedAccess {
  /** Clock step of the request. */
  readonly step: number;
  readonly write: boolean;
  readonly offset: number;
  readonly bytes: number;
}

/** Memory behind a BAR, with its visitors' book. @internal */
export class WatchedMemory extends BarMemory {
  readonly accesses: WatchedAccess[] = [];
  readonly #now: () => number;

  /** @param now - the clock step */
  constructor(bytes: number, now: () => number) {
    super(bytes);
    this.#now = now;
  }

  override mmioRead(offset: number, into: Uint8Array): boolean {
    this.accesses.push({ step: this.#now(), write: false, offset, bytes: into.length });
    return super.mmioRead(offset, into);
  }

  override mmioWrite(offset: number, from: Uint8Array): boolean {
    this.accesses.push({ step: this.#now(), write: true, offset, bytes: from.length });
    return super.mmioWrite(offset, from);
  }

  /** Bytes from `offset` on, without an entry in the book. */
  peek(offset: number, bytes: number): Uint8Array {
    const found = new Uint8Array(bytes);
    super.mmioRead(offset, found);
    return found;
  }

  /** Stores bytes without an entry in the book, as the owner does before it lends the memory. */
  poke(offset: number, bytes: Uint8Array): void {
    super.mmioWrite(offset, bytes);
  }
}

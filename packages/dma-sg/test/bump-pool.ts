// A bounce pool that never gives a slot twice and keeps the copy rules out: enough to see who bounces what.
// Simplified: every slot is a page of its own; nothing is copied.

import type { BouncePool } from '@sgfree/dma-core';
import { addOffset, type PhysAddr, physAddr } from '@sgfree/hw-model';

export class BumpPool implements BouncePool {
  readonly calls: string[] = [];
  readonly #end: PhysAddr;
  readonly #start: PhysAddr = physAddr(0x8000000);
  #next: PhysAddr = this.#start;

  constructor(pages: number) {
    this.#end = addOffset(this.#start, pages * 4096);
  }

  map(_dev: unknown, orig: PhysAddr, size: number): PhysAddr | -1 {
    if (this.#next >= this.#end) return -1;
    const slot = this.#next;
    this.#next = addOffset(slot, 4096);
    this.#note('map', orig, size);
    return slot;
  }

  unmap(_dev: unknown, bounced: PhysAddr, size: number): void {
    this.#note('unmap', bounced, size);
  }

  contains(_dev: unknown, address: PhysAddr): boolean {
    return address >= this.#start && address < this.#end;
  }

  syncForCpu(_dev: unknown, bounced: PhysAddr, size: number): void {
    this.#note('cpu', bounced, size);
  }

  syncForDevice(_dev: unknown, bounced: PhysAddr, size: number): void {
    this.#note('device', bounced, size);
  }

  #note(call: string, address: PhysAddr, size: number): void {
    this.calls.push(`${call} ${address.toString(16)} ${size.toString(16)}`);
  }
}

// DeadMappings: the latest mappings that are gone, so that a late use can be told from a wild address.
// Source followed: none; the kernel's checker forgets a mapping when it is unmapped.
// Simplified: a ring of fixed size; what falls out of it is unknown again.

import type { Device } from '../device.ts';
import { type HashedRange, holds } from './address-hash.ts';
import type { DmaDebugType } from './debug-entry.ts';

/**
 * A mapping that is gone.
 * @internal
 */
export interface DeadMapping extends HashedRange {
  readonly api: DmaDebugType | 'two-step';
  /** Number of the call that ended it. */
  readonly endedAt: number;
}

/**
 * The last few mappings that ended.
 * @internal
 */
export class DeadMappings {
  readonly #ring: DeadMapping[] = [];
  readonly #most: number;
  #next = 0;

  /** Remembers `most` mappings, at least one. */
  constructor(most: number) {
    this.#most = Math.max(1, most);
  }

  add(mapping: DeadMapping): void {
    this.#ring[this.#next] = mapping;
    this.#next = (this.#next + 1) % this.#most;
  }

  /** The youngest one of `dev` that held `address`; with `start`, that started there. */
  find(dev: Device, address: number, start: boolean): DeadMapping | null {
    const { length } = this.#ring;
    for (let back = 1; back <= length; back += 1) {
      const mapping = this.#ring[(this.#next - back + length) % length] as DeadMapping;
      if (mapping.dev !== dev) continue;
      if (start ? mapping.devAddr === address : holds(mapping, address)) return mapping;
    }
    return null;
  }
}

// RdmaKeyUse: a key as a piece of work found it. The work goes on only while the key is what it was then.
// Source followed: the kernel's rxe driver (rxe_resp.c, rxe_recheck_mr): long work looks at its key again and again.
// A key that was taken back and given out anew in the meantime is another key, even under the same number.
// Simplified: counted changes of the row instead of references to it.

import type { RdmaKeyEntry } from './rdma-key-entry.ts';

/**
 * The use of a key by one work request or message.
 * @internal
 */
export class RdmaKeyUse {
  readonly entry: RdmaKeyEntry;
  /** The row with the blocks: for a window the region it was bound to. */
  readonly region: RdmaKeyEntry;
  readonly #generation: number;
  readonly #regionGeneration: number;
  readonly #wasValid: boolean;

  constructor(entry: RdmaKeyEntry) {
    this.entry = entry;
    this.region = entry.region ?? entry;
    this.#generation = entry.generation;
    this.#regionGeneration = this.region.generation;
    this.#wasValid = entry.state === 'valid' && this.region.state === 'valid';
  }

  /** False as soon as the key is no longer the one that was found. */
  get good(): boolean {
    return (
      this.#wasValid &&
      this.entry.generation === this.#generation &&
      this.region.generation === this.#regionGeneration
    );
  }
}

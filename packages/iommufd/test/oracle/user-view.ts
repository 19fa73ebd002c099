// UserView: which user memory of a world is there, may be written, and what it holds, without any of the model's own copies.
// Source followed: none.
// Simplified: for tests only.

import { physOfFrame } from '@sgfree/hw-model';
import { type AbiWorld, P } from '../abi-world.ts';

/** User memory as an outsider sees it. */
export class UserView {
  readonly #world: AbiWorld;

  constructor(world: AbiWorld) {
    this.#world = world;
  }

  /** True when every byte is there, and may be written where `write` is asked. */
  covers(first: bigint, bytes: bigint, write: boolean): boolean {
    const { buffer, scratch, readOnly } = this.#world;
    if (bytes === 0n) return true;
    const ends = first + bytes;
    const within = (start: number, pages: number): boolean =>
      first >= BigInt(start) && ends <= BigInt(start + pages * P);
    return within(buffer, 16) || within(scratch, 1) || (!write && within(readOnly, 1));
  }

  /** Eight bytes as a number; memory that was never touched is zero. */
  word(address: bigint): bigint {
    const { mm, memory } = this.#world;
    const pte = mm.ptes.get(Number(address) / P - Number(address % BigInt(P)) / P);
    if (pte === undefined) return 0n;
    const bytes = new Uint8Array(8);
    memory.read(physOfFrame(pte.frame, Number(address % BigInt(P))), bytes);
    return new DataView(bytes.buffer).getBigUint64(0, true);
  }
}

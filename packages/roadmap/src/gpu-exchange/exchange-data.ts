// ExchangeData: what every byte of an exchange must be, and where it lies on the disk.
// Source followed: the project's rule that data is a keyed function of seed, object and offset, so that a wrong or stale byte is seen.
// Each round has places of its own on the disk: those that it reads, and those that it writes.
// Simplified: none.

import { type BlockMedium, PAGE_SIZE } from '@sgfree/hw-model';
import { BLOCK_BYTES, mediumFor } from '../io-data.ts';
import { KeyedData } from '../keyed-data.ts';
import { bytesDiffering } from '../revoke/lent-slots.ts';

/** Blocks of the disk that one object has in one round, at most. */
const ROOM = 4096;
/** Keys of the peer's bytes lie this far from those of the disk's. */
const PEER_SEED = 0x51ed;

/** @internal */
export class ExchangeData {
  readonly medium: BlockMedium;
  /** Bytes compared, and those among them that were wrong. */
  verified = 0;
  wrong = 0;
  readonly #disk: KeyedData;
  readonly #peer: KeyedData;
  readonly #rounds: number;

  constructor(seed: number, objects: number, rounds: number) {
    this.#disk = new KeyedData(seed, BLOCK_BYTES);
    this.#peer = new KeyedData(seed + PEER_SEED, BLOCK_BYTES);
    this.#rounds = rounds;
    this.medium = mediumFor(seed, 2 * ROOM * objects * rounds);
  }

  /** First byte on the disk of what round `round` of an object reads, or of what it writes there. */
  position(object: number, round: number, what: 'read' | 'written'): number {
    const slot = 2 * (object * this.#rounds + round) + (what === 'read' ? 0 : 1);
    return slot * ROOM * BLOCK_BYTES;
  }

  /** What the disk holds there. */
  held(object: number, round: number, bytes: number): Uint8Array {
    return filled(this.#disk, this.position(object, round, 'read'), bytes);
  }

  /** What the peer sends back. */
  sent(object: number, round: number, bytes: number): Uint8Array {
    return filled(this.#peer, this.position(object, round, 'written'), bytes);
  }

  /** What the disk got back. */
  written(object: number, round: number, bytes: number): Uint8Array {
    const found = new Uint8Array(bytes);
    this.medium.read(this.position(object, round, 'written') / BLOCK_BYTES, found);
    return found;
  }

  /** Compares, byte by byte. */
  compare(found: Uint8Array, wanted: Uint8Array): void {
    this.verified += wanted.length;
    this.wrong += bytesDiffering(found, wanted);
  }
}

function filled(data: KeyedData, position: number, bytes: number): Uint8Array {
  const into = new Uint8Array(bytes);
  data.fill(position / BLOCK_BYTES, into);
  return into;
}

/** Bytes of object `index`: each has one page more than the one before. @internal */
export const objectBytesOf = (first: number, index: number): number => first + index * PAGE_SIZE;

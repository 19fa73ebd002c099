// TraceInput: the bytes of a trace as they come: a file, standard input, either of them packed by gzip.
// Source followed: none; gzip is recognised by its first two bytes, whatever the name says.
// What cannot be read at all is an InputError; a packed trace that breaks off gives what came before, and says so.
// Simplified: other kinds of packing are named, not unpacked.

import { createReadStream } from 'node:fs';
import { InputError } from '../request-list/input-error.ts';
import { unreadable } from '../request-list/read-input.ts';
import type { World } from '../world.ts';
import { foreignFormat } from './foreign-format.ts';
import { isGzip, unpackGzip } from './gzip-members.ts';

const CHUNK_BYTES = 1 << 18;
/** So many bytes tell what kind of data it is. */
const HEAD_BYTES = 16;
const EXPECTED = 'kernel trace text, plain or packed by gzip';

/** The bytes of one trace, to be read once. */
export interface TraceInput extends AsyncIterable<Uint8Array> {
  /** The path, or `<stdin>`. */
  readonly name: string;
  /** Bytes taken from the source so far, packed as they are. */
  readonly bytesRead: number;
  /** What is wrong with a packed trace of which a part could be used; null = nothing. Final when all is read. */
  readonly damage: string | null;
}

/**
 * The trace at `path`; `-` = standard input. Nothing is opened before the first byte is asked for. Reading throws
 * {@link InputError} for what is missing, unreadable or neither text nor gzip data.
 */
export function openTrace(path: string, world: Pick<World, 'streamStdin'>): TraceInput {
  return new OpenedTrace(path, world);
}

class OpenedTrace implements TraceInput {
  readonly name: string;
  bytesRead = 0;
  damage: string | null = null;
  readonly #open: () => AsyncIterable<Uint8Array>;

  constructor(path: string, world: Pick<World, 'streamStdin'>) {
    this.name = path === '-' ? '<stdin>' : path || '""';
    this.#open = () =>
      path === '-' ? world.streamStdin() : createReadStream(path, { highWaterMark: CHUNK_BYTES });
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    const source = this.#counted();
    try {
      const head = await firstBytes(source);
      const foreign = foreignFormat(head);
      if (foreign !== null) throw new InputError(this.name, 0, foreign, EXPECTED);
      yield* this.#unpacked(head, source);
    } finally {
      // A reader that stops early must not leave a pipe open.
      await source.return();
    }
  }

  async *#unpacked(
    head: Uint8Array,
    rest: AsyncGenerator<Uint8Array, void>,
  ): AsyncGenerator<Uint8Array, void> {
    const whole = joined(head, rest);
    if (!isGzip(head)) return yield* whole;
    yield* unpackGzip(whole, (damage) => {
      this.damage = damage;
    });
  }

  async *#counted(): AsyncGenerator<Uint8Array, void> {
    try {
      for await (const chunk of this.#open()) {
        this.bytesRead += chunk.length;
        yield chunk;
      }
    } catch (error) {
      throw unreadable(this.name, error, EXPECTED);
    }
  }
}

/** The first chunks of `source`, until they are long enough to be told apart. */
async function firstBytes(source: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  let head: Uint8Array = new Uint8Array(0);
  while (head.length < HEAD_BYTES) {
    const next = await source.next();
    if (next.done) break;
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
  }
  return head;
}

async function* joined(
  head: Uint8Array,
  rest: AsyncGenerator<Uint8Array, void>,
): AsyncGenerator<Uint8Array, void> {
  yield head;
  yield* rest;
}

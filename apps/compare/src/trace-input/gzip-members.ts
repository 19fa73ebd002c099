// Gzip data as a stream: its members one after the other, and as much of a damaged one as can be unpacked.
// Source followed: RFC 1952 (members simply follow each other); zlib unpacks the deflate data inside.
// Header and trailer are read here, because zlib's own gzip reader throws away what it has when a checksum is wrong.
// Simplified: of damaged deflate data, what the last few packed KiB before the damage held may be lost too.

import { constants, crc32, createInflateRaw, type InflateRaw } from 'node:zlib';
import { ByteQueue } from './byte-queue.ts';
import { gzipHeaderBytes, isGzip } from './gzip-header.ts';

export { isGzip } from './gzip-header.ts';

const SLICE_BYTES = 1 << 12;
const UNPACKED_BYTES = 1 << 16;
const TRAILER_BYTES = 8;
/** A header with a longer name or comment is not believed. */
const MOST_HEADER = 1 << 18;

/** The unpacked bytes of `source`; `damaged` hears what is wrong, if anything, before the end. */
export async function* unpackGzip(
  source: AsyncIterable<Uint8Array>,
  damaged: (what: string) => void,
): AsyncGenerator<Uint8Array, void> {
  const packed = new ByteQueue(source);
  for (;;) {
    const header = await headerOf(packed);
    if (header === 'end') return;
    if (header !== 'member') return damaged(header);
    const damage = yield* memberOf(packed);
    if (damage !== null) return damaged(damage);
  }
}

/** Takes the next header; `end` when there is nothing but padding, otherwise `member` or what is wrong. */
async function headerOf(packed: ByteQueue): Promise<string> {
  await packed.atLeast(2);
  if (packed.bytes.length === 0) return 'end';
  if (!isGzip(packed.bytes)) return 'bytes after the end of the gzip data';
  for (;;) {
    const header = gzipHeaderBytes(packed.bytes);
    if (header === 'bad') return 'a gzip header that is none';
    if (header !== 'more') {
      packed.take(header);
      return 'member';
    }
    const { length } = packed.bytes;
    if (length > MOST_HEADER || !(await packed.atLeast(length + 1))) return 'gzip data that breaks off';
  }
}

/** Unpacks one member behind its header; returns what is wrong with it, or null. */
async function* memberOf(packed: ByteQueue): AsyncGenerator<Uint8Array, string | null> {
  const member = new DeflateStream();
  let checksum = 0;
  try {
    while (!member.ended) {
      if (!(await packed.atLeast(1))) return 'gzip data that breaks off';
      const out = await member.push(packed.bytes.subarray(0, SLICE_BYTES));
      packed.take(member.consumed);
      for (const chunk of out) {
        checksum = crc32(chunk, checksum);
        yield chunk;
      }
      if (member.broken) return 'damaged gzip data';
    }
  } finally {
    member.close();
  }
  if (!(await packed.atLeast(TRAILER_BYTES))) return 'gzip data that breaks off';
  const { buffer, byteOffset } = packed.take(TRAILER_BYTES);
  const wanted = new DataView(buffer, byteOffset).getUint32(0, true);
  return wanted === checksum ? null : 'gzip data whose checksum is wrong';
}

/** Deflate data, a slice at a time. */
class DeflateStream {
  ended = false;
  broken = false;
  /** Bytes of the last slice that were used. */
  consumed = 0;
  #out: Uint8Array[] = [];
  #settle: () => void = () => undefined;
  readonly #zlib: InflateRaw = createInflateRaw({
    chunkSize: UNPACKED_BYTES,
    finishFlush: constants.Z_SYNC_FLUSH,
  });

  constructor() {
    this.#zlib.on('data', (chunk: Uint8Array) => this.#out.push(chunk));
    this.#zlib.on('end', () => {
      this.ended = true;
      this.#settle();
    });
    this.#zlib.on('error', () => {
      this.broken = true;
      this.#settle();
    });
  }

  /** What `slice` gives. */
  async push(slice: Uint8Array): Promise<Uint8Array[]> {
    const before = this.#zlib.bytesWritten;
    await new Promise<void>((resolve) => {
      this.#settle = resolve;
      this.#zlib.write(slice, () => resolve());
    });
    this.consumed = this.#zlib.bytesWritten - before;
    const out = this.#out;
    this.#out = [];
    return out;
  }

  close(): void {
    this.#zlib.destroy();
  }
}

// Unpacking what a dump came in: gzip or bzip2, by the first bytes, whatever the name says.
// Source followed: RFC 1952 and the bzip2 format, as node:zlib and the library `unbzip2-stream` read them.
// Simplified: three layers of packing at most; more than a bound is refused as soon as it shows, so that a small file
// can fill neither memory nor time; the bound of bzip2 is lower, since it is unpacked slowly.

import { gunzipSync } from 'node:zlib';
import unbzip2 from 'unbzip2-stream';
import { InputError } from '../request-list/input-error.ts';
import { isGzip } from '../trace-input/gzip-header.ts';

/** The most that a dump may hold, in bytes. */
export const MOST_DUMP_BYTES: number = 2 ** 29;
/** The same for data that bzip2 packed. */
const MOST_BZIP2_BYTES = 2 ** 27;
const CHUNK_BYTES = 2 ** 16;
const MOST_LAYERS = 3;

/** The bytes inside; `bytes` themselves when they are not packed. Throws {@link InputError}. */
export async function unpackDump(
  name: string,
  bytes: Uint8Array,
  progress: (unpacked: number) => void,
  most: number = MOST_DUMP_BYTES,
): Promise<Uint8Array> {
  let inside = bytes;
  for (let layer = 0; layer < MOST_LAYERS; layer += 1) {
    if (isGzip(inside)) inside = gunzipped(name, inside, most);
    else if (isBzip2(inside))
      inside = await bunzipped(name, inside, Math.min(most, MOST_BZIP2_BYTES), progress);
    else return inside;
  }
  if (!isGzip(inside) && !isBzip2(inside)) return inside;
  throw new InputError(name, 0, `data packed more than ${MOST_LAYERS} times`, 'a dump, packed once');
}

/** `BZh`, a block size, and the first bytes of pi that begin a block. */
const isBzip2 = (bytes: Uint8Array): boolean =>
  /^BZh[1-9]1AY/.test(String.fromCharCode(...bytes.subarray(0, 7)));

function gunzipped(name: string, bytes: Uint8Array, most: number): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: most });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      throw tooMuch(name, 'gzip', most);
    }
    throw new InputError(name, 0, `damaged gzip data (${code})`, 'gzip data of a dump');
  }
}

async function bunzipped(
  name: string,
  bytes: Uint8Array,
  most: number,
  progress: (unpacked: number) => void,
): Promise<Uint8Array> {
  const stream = unbzip2();
  const parts: Uint8Array[] = [];
  let total = 0;
  const ended = new Promise<void>((resolve, reject) => {
    stream.on('data', (part: Uint8Array) => {
      total += part.length;
      // Thrown through the library, which stops there: refusing alone would let it unpack the rest.
      if (total > most) throw tooMuch(name, 'bzip2', most);
      parts.push(part);
      progress(total);
    });
    stream.on('end', () => resolve());
    stream.on('error', (error: Error) => reject(error instanceof InputError ? error : damaged(name, error)));
  });
  // A failure may come while the bytes are still being handed over.
  ended.catch(() => undefined);
  for (let at = 0; at < bytes.length && total <= most; at += CHUNK_BYTES) {
    stream.write(bytes.subarray(at, at + CHUNK_BYTES));
  }
  stream.end();
  await ended;
  return Buffer.concat(parts, total);
}

function damaged(name: string, error: Error): InputError {
  return new InputError(name, 0, `damaged bzip2 data (${error.message})`, 'bzip2 data of a dump');
}

function tooMuch(name: string, packing: 'bzip2' | 'gzip', most: number): InputError {
  const size = `${most / 2 ** 20} MiB`;
  const found = `${packing} data of more than ${size}`;
  return new InputError(name, 0, found, `at most ${size} (unpack it first, or copy less of /sys)`);
}

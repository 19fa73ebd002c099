// A long trace made of a recorded one: the lines of 411 lazy NVMe requests, over and over, in chunks as a file gives them.
// Simplified: every repetition is the same; times step back where one begins.

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const file: URL = new URL('../../../vectors/kernel/io/lazy/trace_nvio_wide.txt.gz', import.meta.url);

/** Bytes of a chunk, as file streams give them. */
export const CHUNK_BYTES = 65_536;

/** The recorded text. */
export const recordedTraceText = (): Uint8Array => gunzipSync(readFileSync(file));

/** The text cut into chunks. */
export function chunksOf(text: Uint8Array): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < text.length; at += CHUNK_BYTES) chunks.push(text.subarray(at, at + CHUNK_BYTES));
  return chunks;
}

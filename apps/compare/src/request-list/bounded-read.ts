// Reading to the end of a file descriptor that may have none: a pipe, a terminal, /dev/zero.
// Source followed: read(2): a descriptor without data in non-blocking mode answers EAGAIN; then there is a pause.
// Simplified: the pause is a fixed 10 ms.

import { readSync } from 'node:fs';

const CHUNK_BYTES = 1 << 20;
const PAUSE_MS = 10;

/** All bytes up to the end, or null when there are more than `most`. Throws what the system reports. */
export function readToEnd(descriptor: number, most: number): Uint8Array | null {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const chunk = new Uint8Array(CHUNK_BYTES);
    const count = readSome(descriptor, chunk);
    if (count === 0) return Buffer.concat(chunks, bytes);
    chunks.push(chunk.subarray(0, count));
    bytes += count;
    if (bytes > most) return null;
  }
}

function readSome(descriptor: number, into: Uint8Array): number {
  for (;;) {
    try {
      return readSync(descriptor, into);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  }
}

// The traces that the project carries: every trace file of the recorded kernels.
// Source followed: vectors/kernel/README.md, families inv and io.
// Simplified: a file is read as a whole.

import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const root: URL = new URL('../../../../vectors/kernel/', import.meta.url);

/** Paths of all trace files below vectors/kernel. */
export function recordedTraceNames(): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => /(?:^|\/)(?:trace_\w+|\S+_trace)\.txt(?:\.gz)?$/.test(path))
    .sort();
}

export function recordedTrace(name: string): Uint8Array {
  const bytes = readFileSync(new URL(name, root));
  return name.endsWith('.gz') ? gunzipSync(bytes) : bytes;
}

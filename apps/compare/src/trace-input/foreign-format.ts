// Data that is no text, by its first bytes: other packings, and binary traces that have a tool to print them.
// Source followed: the magic numbers of the formats' own documents.
// Simplified: only what people keep traces in.

const FORMATS: readonly (readonly [string, readonly number[]])[] = [
  ['zstd data', [0x28, 0xb5, 0x2f, 0xfd]],
  ['xz data', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['bzip2 data', [0x42, 0x5a, 0x68]],
  ['lz4 data', [0x04, 0x22, 0x4d, 0x18]],
  ['a zip archive', [0x50, 0x4b, 0x03, 0x04]],
  ['a 7-Zip archive', [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]],
  ['a perf.data file (perf script prints it)', [0x50, 0x45, 0x52, 0x46, 0x49, 0x4c, 0x45, 0x32]],
  ['a trace.dat file (trace-cmd report prints it)', [0x17, 0x08, 0x44, 0x74, 0x72, 0x61, 0x63, 0x69, 0x6e]],
];

/** What the data is, when it is known and no text; null otherwise. */
export function foreignFormat(head: Uint8Array): string | null {
  const format = FORMATS.find(([, magic]) => magic.every((byte, index) => head[index] === byte));
  return format?.[0] ?? null;
}

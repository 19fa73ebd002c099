// Sizes as people write them: 4096, 64K, 3G, 16GiB.
// Source followed: the habit of kernel command lines (memparse): K, M, G, T are powers of 1024.
// Simplified: no fractions.

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** Bytes, or null when `text` is not a size. */
export function parseSize(text: string): number | null {
  const match = /^(\d{1,15})([KMGT]?)(?:iB|B)?$/i.exec(text.trim());
  if (match === null) return null;
  const unit = UNITS[(match[2] ?? '').toUpperCase()] ?? 1;
  const bytes = Number(match[1]) * unit;
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** Bytes in the largest unit that leaves no fraction. */
export function sizeText(bytes: number): string {
  for (const [unit, size] of [
    ['TiB', 2 ** 40],
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ] as const) {
    if (bytes >= size && bytes % size === 0) return `${bytes / size} ${unit}`;
  }
  return `${bytes} B`;
}

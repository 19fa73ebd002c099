// Wording: addresses, sizes and spans of time in the stories, written one way everywhere.
// Source followed: the habit of kernel logs: hex for addresses, seconds with six digits for trace times.
// Simplified: a trace clock without a point is shown as plain ticks by the caller.

/**
 * Hex with 0x; -1 is 2^64 - 1.
 * @public
 */
export const hexText = (value: number): string =>
  value < 0 ? '0xffffffffffffffff' : `0x${value.toString(16)}`;

/**
 * Bytes with thousands grouped, and the binary unit when it comes out even.
 * @public
 */
export function bytesText(bytes: number): string {
  const plain = `${String(bytes).replace(/\B(?=(\d{3})+$)/g, ',')} ${bytes === 1 ? 'byte' : 'bytes'}`;
  for (const [unit, size] of [
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ] as const) {
    if (bytes >= size && bytes % size === 0) return `${plain} (${bytes / size} ${unit})`;
  }
  return plain;
}

/**
 * A point of the trace clock in seconds: six digits, nine when the clock is finer. Ticks stay a plain number.
 * @public
 */
export function timeText(time: number, inTicks = false): string {
  if (time < 0) return '-';
  if (inTicks) return String(time);
  const seconds = Math.floor(time / 1e9);
  const rest = String(time - seconds * 1e9).padStart(9, '0');
  return `${seconds}.${rest.endsWith('000') ? rest.slice(0, 6) : rest}`;
}

const SPAN_UNITS = [
  [1e9, 's'],
  [1e6, 'ms'],
  [1e3, 'us'],
  [1, 'ns'],
] as const;

/**
 * A span of nanoseconds, rounded to three digits behind the point.
 * @public
 */
export function spanText(nanoseconds: number): string {
  const size = Math.abs(nanoseconds);
  const [unit, name] = SPAN_UNITS.find(([least]) => size >= least) ?? [1, 'ns'];
  return `${String(Math.round((nanoseconds / unit) * 1000) / 1000)} ${name}`;
}

// How recorded and computed values are printed: as JSON, on one line, with bigints as hex strings.
// Simplified: `undefined` is printed as the word absent, which no record contains as a bare word.

/** A value that JSON can carry. */
export function toJsonValue(value: unknown): unknown {
  if (value === undefined) return 'absent';
  if (typeof value === 'bigint') return `0x${value.toString(16)}`;
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (Array.isArray(value)) return value.map(toJsonValue);
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return Array.from(value as Uint8Array);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toJsonValue(inner)]));
  }
  return value;
}

/** A value in a sentence: JSON, cut after `limit` characters. */
export function printValue(value: unknown, limit: number = 120): string {
  const text = value === undefined ? 'absent' : (JSON.stringify(toJsonValue(value)) ?? typeof value);
  return text.length > limit ? `${text.slice(0, limit)}... (${text.length} characters)` : text;
}

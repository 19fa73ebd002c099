// The header of a gzip member.
// Source followed: RFC 1952, section 2.3.
// Simplified: the optional fields are skipped, and the header's own checksum is not compared.

const FIXED_BYTES = 10;
const DEFLATE = 8;
const FHCRC = 2;
const FEXTRA = 4;
const FNAME = 8;
const FCOMMENT = 16;
const RESERVED = 0xe0;

/** Whether `bytes` start as a gzip member does. */
export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/**
 * Bytes of the header at the start of `bytes`: `more` when it does not end within them, `bad` when it is none.
 */
export function gzipHeaderBytes(bytes: Uint8Array): number | 'more' | 'bad' {
  const flags = bytes[3] ?? 0;
  if (bytes.length < FIXED_BYTES) return 'more';
  if (!isGzip(bytes) || bytes[2] !== DEFLATE || (flags & RESERVED) !== 0) return 'bad';
  let at = FIXED_BYTES;
  if (flags & FEXTRA) at += 2 + (bytes[at] ?? 0) + (bytes[at + 1] ?? 0) * 256;
  for (const field of [FNAME, FCOMMENT]) {
    if (!(flags & field)) continue;
    const end = bytes.indexOf(0, at);
    if (end < 0) return 'more';
    at = end + 1;
  }
  if (flags & FHCRC) at += 2;
  return at <= bytes.length ? at : 'more';
}

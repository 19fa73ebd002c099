// Bytes of the fixed words that trace text is made of.
// Source followed: the kernel prints them in ASCII.
// Simplified: nothing but ASCII.

/** The bytes of an ASCII text. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

// Recorded 64-bit values as the model takes them: an address is a page frame and an offset in the page, an entry two
// 32-bit words. Hex digits are cut between the two, so that no value is ever rounded.
// Simplified: lower-case hex, with or without 0x.

/** A 64-bit address: page frame (below 2^52) and offset in the page. */
export interface WideAddress {
  readonly frame: number;
  readonly offset: number;
}

/** Reads a hex address. */
export function parseAddress(text: string): WideAddress {
  const digits = text.replace(/^0x/, '').padStart(4, '0');
  return {
    frame: Number.parseInt(digits.slice(0, -3), 16),
    offset: Number.parseInt(digits.slice(-3), 16),
  };
}

/** Reads a hex byte count; counts are multiples of a page wherever they exceed 2^53. */
export function parseBytes(text: string): number {
  const { frame, offset } = parseAddress(text);
  return frame * 4096 + offset;
}

/** Two words as one hex number, no prefix and no leading zeros. */
export const hexOfWords = (low: number, high: number): string =>
  high === 0 ? low.toString(16) : high.toString(16) + low.toString(16).padStart(8, '0');

/** An address as hex, no prefix and no leading zeros. */
export const hexOfAddress = (frame: number, offset: number = 0): string =>
  frame === 0 ? offset.toString(16) : frame.toString(16) + offset.toString(16).padStart(3, '0');

// Live 64-bit values as the records print them: an address is a page frame and an offset in the page, an entry two
// 32-bit words. Hex digits are joined between the two, so that no value is ever rounded.
// Simplified: lower-case hex without 0x.

/** Two words as one hex number, no prefix and no leading zeros. */
export const hexOfWords = (low: number, high: number): string =>
  high === 0 ? low.toString(16) : high.toString(16) + low.toString(16).padStart(8, '0');

/** An address as hex, no prefix and no leading zeros. */
export const hexOfAddress = (frame: number, offset: number = 0): string =>
  frame === 0 ? offset.toString(16) : frame.toString(16) + offset.toString(16).padStart(3, '0');

// Numbers as the kernel's print formats write them: %llx, %016llx, %zu and lists of hexadecimal numbers.
// Source followed: lib/vsprintf.c; include/trace/events/dma.h (the lists, and -1 for a failed mapping).
// The model's numbers are exact below 2^53; of an address above that the page frame is exact.
// Simplified: 2^64 - 1 is the only number next to 2^64 that can be told from it, and both print as all ones.

const ALL_ONES = 'ffffffffffffffff';
const TWO_64 = 2 ** 64;
const OFFSET_DIGITS = 3;
const PAGE_SIZE = 4096;
const FRAMES = 2 ** 52;
const QUAD_DIGITS = 16;

/** An address of 64 bits: page frame below 2^52 and offset below 4096. @internal */
export interface SplitAddress {
  readonly frame: number;
  readonly offset: number;
}

/** `%llx`: no prefix, no padding; -1 is all ones. @internal */
export const hexOf = (value: number): string =>
  value < 0 || value >= TWO_64 ? ALL_ONES : value.toString(16);

/** `%016llx`. @internal */
export const paddedHexOf = (value: number): string => hexOf(value).padStart(QUAD_DIGITS, '0');

/** A mask of low bits, which is written down rounded up when it has more than 53. @internal */
export const maskOf = (mask: number): string =>
  Number.isSafeInteger(mask) ? hexOf(mask) : (BigInt(mask) - 1n).toString(16);

/** `%zu`. @internal */
export const decimalOf = (value: number): string =>
  Number.isSafeInteger(value) ? String(value) : String(BigInt(value));

/** `{0x..,0x..}`. @internal */
export const hexListOf = (values: readonly number[]): string =>
  `{${values.map((value) => `0x${hexOf(value)}`).join(',')}}`;

/** `%llx` of a split address. @internal */
export const hexOfSplit = ({ frame, offset }: SplitAddress): string =>
  frame === 0 ? offset.toString(16) : frame.toString(16) + offset.toString(16).padStart(OFFSET_DIGITS, '0');

/** The address `bytes` bytes further on; 2^64 is 0 again. @internal */
export function addToSplit({ frame, offset }: SplitAddress, bytes: number): SplitAddress {
  const pages = Math.floor(bytes / PAGE_SIZE);
  const sum = offset + (bytes - pages * PAGE_SIZE);
  const carry = sum >= PAGE_SIZE ? 1 : 0;
  const total = frame + pages + carry;
  return { frame: total >= FRAMES ? total - FRAMES : total, offset: sum - carry * PAGE_SIZE };
}

/** Splits an address that the model holds as one number. @internal */
export function splitOf(address: number): SplitAddress {
  const frame = Math.floor(address / PAGE_SIZE);
  return { frame, offset: address - frame * PAGE_SIZE };
}

/** Two 32-bit words, low half first, as one `%llx`. @internal */
export function hexOfWords(words: readonly number[], at: number): string {
  const [low, high] = [words[at] ?? 0, words[at + 1] ?? 0];
  return high === 0 ? low.toString(16) : high.toString(16) + low.toString(16).padStart(QUAD_DIGITS / 2, '0');
}

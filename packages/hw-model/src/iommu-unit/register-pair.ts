// RegisterPair: a 64-bit register or memory word as two 32-bit halves, because a double cannot hold it.
// Source followed: VT-d specification 11.2 (software may access 64-bit registers as two 32-bit halves).
// Simplified: no atomicity between the halves.

/**
 * A 64-bit value as `[low, high]`, each an unsigned 32-bit number.
 * @public
 */
export type RegisterPair = readonly [low: number, high: number];

/**
 * Takes `width` bits (at most 32) starting at bit `shift` out of a pair.
 * @public
 */
export function bitField(pair: RegisterPair, shift: number, width: number): number {
  const keep = 2 ** width;
  const whole = shift >= 32 ? Math.floor(pair[1] / 2 ** (shift - 32)) : Math.floor(joined(pair) / 2 ** shift);
  return whole - Math.floor(whole / keep) * keep;
}

/** The low 53 bits as a number: enough for a field of 32 bits or less that starts below bit 21. */
const joined = (pair: RegisterPair): number => (pair[1] & 0x1fffff) * 0x100000000 + pair[0];

/**
 * A byte address below 2^52 as a pair.
 * @public
 */
export const pairOf = (value: number): RegisterPair => {
  const high = Math.floor(value / 0x100000000);
  return [value - high * 0x100000000, high];
};

/**
 * The page frame in bits 63:12 of a pair.
 * @internal
 */
export const frameInPair = (pair: RegisterPair): number => pair[1] * 0x100000 + (pair[0] >>> 12);

// FaultAddress: where a fault was, as a number that never lies and as text that is always exact.
// Source followed: addresses of 64 bits in io_page_fault and the console lines of AMD-Vi and VT-d.
// Simplified: from 2^52 on, the number is that of the page, which 53 bits hold; no mapping lies there.

import type { TraceEvent } from '../trace-event.ts';
import { hexText } from './wording.ts';

/**
 * An address of 64 bits.
 * @internal
 */
export interface FaultAddress {
  /** Bytes; of addresses from 2^52 on the start of the page. */
  readonly address: number;
  /** `0x` and the digits, without zeros before them. */
  readonly addressText: string;
}

/** First number that no mapping of the model has. */
export const WIDE: number = 2 ** 52;

const PAGE_DIGITS = 3;

/** From 1 to 16 digits of hex, with or without 0x. */
export function addressOfDigits(text: string): FaultAddress {
  const digits = text.toLowerCase().replace(/^(?:0x)?0*(?=.)/, '');
  const address = Number.parseInt(digits, 16);
  if (address < WIDE) return { address, addressText: `0x${digits}` };
  const page = Number.parseInt(digits.slice(0, -PAGE_DIGITS), 16);
  return { address: page * 4096, addressText: `0x${digits}` };
}

/** The address of an event, as the reader delivers it. */
export const addressOfEvent = ({ dmaAddr, addressText }: TraceEvent): FaultAddress =>
  addressOfDigits(addressText === '' ? hexText(dmaAddr) : addressText);

/** True when the first text is that of the lower address. */
export const isLowerAddress = (one: string, two: string): boolean =>
  one.length < two.length || (one.length === two.length && one < two);

/** What is left when the bits above `width` only repeat the topmost of the others, which is set; else -1. */
export function signExtended({ addressText }: FaultAddress, width: 32 | 40 | 48): number {
  const digits = addressText.slice(2);
  const low = digits.slice(-width / 4);
  const repeats = digits.length === 16 && /^f+$/.test(digits.slice(0, -width / 4)) && low >= '8';
  return repeats ? Number.parseInt(low, 16) : -1;
}

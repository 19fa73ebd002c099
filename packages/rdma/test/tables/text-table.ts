// Tables as text: a line is a row, ` | ` parts its columns, the first column is the key.
// Simplified: numbers are hexadecimal with 0x, or decimal.

import { type DmaAddr, dmaAddr } from '@sgfree/hw-model';
import type { DmaRange, U64 } from '../../src/index.ts';

/** A row: its key and the other columns. */
export interface TextRow {
  readonly key: string;
  readonly columns: readonly string[];
}

/** The rows of a table. */
export const textRows = (table: string): TextRow[] =>
  table
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [key = '', ...columns] = line.split('|').map((column) => column.trim());
      return { key, columns };
    });

/** `address+length address+length` as ranges. */
export const rangesOf = (text = ''): DmaRange[] =>
  text
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => {
      const [address, bytes] = word.split('+').map(Number);
      return { address: dmaAddr(address ?? 0), bytes: bytes ?? 0 };
    });

/** Addresses parted by blanks. */
export const addressesOf = (text = ''): DmaAddr[] =>
  text
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => dmaAddr(Number(word)));

/** Ranges as a table writes them. */
export const spellRanges = (ranges: Iterable<DmaRange>): string =>
  [...ranges].map(({ address, bytes }) => `0x${address.toString(16)}+0x${bytes.toString(16)}`).join(' ');

/** A number of 64 bits in two halves. */
export function wide(text = '0'): U64 {
  const value = BigInt(text);
  return { high: Number(value >> 32n), low: Number(value & 0xffffffffn) };
}

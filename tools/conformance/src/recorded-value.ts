// RecordedValue: a value of a header or a record as its format says it must be, read without any conversion. A number
// is no string of digits, a list of one is no element, and nothing is rounded into place.
// Source followed: the conventions in the two READMEs of `vectors/`; what is read here is what records hold as inputs.
// Simplified: above 2^53 a hex string is read as the nearest number, which only masks and sizes reach; where each value
// counts, such a number is refused as one that the model cannot stand for.

import { printValue } from './printed-value.ts';
import type { JsonRecord } from './suite.ts';

/** Turns a raw value into what it stands for; throws {@link MalformedValue}. */
export type Reader<T> = (value: unknown) => T;

/** A value that is not what its format says: the input of the model is unknown. */
export class MalformedValue extends Error {
  override readonly name = 'MalformedValue';
  /** Path of the field, e.g. `calls[2].size`. */
  readonly field: string;
  readonly found: unknown;
  readonly expected: string;
  /** True when the format allows the value and the model does not. */
  readonly isOutsideModel: boolean;

  constructor(field: string, found: unknown, expected: string, isOutsideModel = false) {
    super(`${field}: found ${printValue(found)}, expected ${expected}`);
    this.field = field;
    this.found = found;
    this.expected = expected;
    this.isOutsideModel = isOutsideModel;
  }
}

/** The error of an inner value as seen from around it; any other error stays as it is. */
const under = (step: string, error: unknown): unknown =>
  error instanceof MalformedValue
    ? new MalformedValue(step + error.field, error.found, error.expected, error.isOutsideModel)
    : error;

function refuse(found: unknown, expected: string): never {
  throw new MalformedValue('', found, expected);
}

/** The value of a field of a header or record; throws {@link MalformedValue}. */
export function read<T>(record: JsonRecord, field: string, as: Reader<T>): T {
  try {
    return as(record[field]);
  } catch (error) {
    throw under(field, error);
  }
}

/** The word in a field that tells kinds of records apart; for anything but a string a word that names no kind. */
export function kindWord(record: JsonRecord, field: string): string {
  const word = record[field];
  return typeof word === 'string' ? word : printValue(word);
}

/** A whole number, both bounds inclusive. */
export function within(low: number, high: number): Reader<number> {
  const expected = `a whole number from ${low} to ${high}`;
  return (value) =>
    Number.isInteger(value) && (value as number) >= low && (value as number) <= high
      ? (value as number)
      : refuse(value, expected);
}

/** A size, number or index. */
export const count: Reader<number> = within(0, Number.MAX_SAFE_INTEGER);

/** A recorded result, whatever it is: comparing it decides. */
export const result: Reader<unknown> = (value) => value;

/** What a kernel keeps in an `unsigned int`. */
export const word: Reader<number> = within(0, 2 ** 32 - 1);

/** Bits of a small set, as for permissions and features. */
export const bits: Reader<number> = within(0, 2 ** 31 - 1);

/** A number of CPUs; x86 kernels are built for at most 8192. */
export const cpuCount: Reader<number> = within(1, 8192);

/** A truth value, recorded as 0 or 1. */
export const flag: Reader<boolean> = (value) =>
  value === 1 || (value === 0 ? false : refuse(value, 'the number 0 or 1'));

/** The one number that is supported. */
export const exactly =
  (only: number): Reader<number> =>
  (value) =>
    value === only ? only : refuse(value, `the number ${only}`);

/** A string of a certain form. */
export const matching =
  (pattern: RegExp, expected: string): Reader<string> =>
  (value) =>
    typeof value === 'string' && pattern.test(value) ? value : refuse(value, expected);

const hexText = matching(/^0x[0-9a-f]{1,16}$/, 'a 64-bit hex string with 0x');
const bareHexText = matching(/^[0-9a-f]{1,16}$/, 'a 64-bit hex string without 0x');

/** A hex string with 0x; 2^64 - 1 becomes 2^64, which is how masks of all ones are written here. */
export const hexNumber: Reader<number> = (value) => Number(hexText(value));

/** A hex string with 0x below 2^53, exact; more is outside what the model represents. */
export const exactHexNumber: Reader<number> = (value) => {
  const number = hexNumber(value);
  if (Number.isSafeInteger(number)) return number;
  throw new MalformedValue('', value, 'less than 2^53: outside what the model represents', true);
};

/** A hex string without 0x; rounded as {@link hexNumber} is. */
export const bareHexNumber: Reader<number> = (value) => Number(`0x${bareHexText(value)}`);

/** A 64-bit address, exact: page frame (below 2^52) and offset in the page. */
export interface WideAddress {
  readonly frame: number;
  readonly offset: number;
}

/** Cuts the digits between frame and offset, so that no value is ever rounded. */
const wideOf = (digits: string): WideAddress => ({
  frame: Number.parseInt(digits.slice(0, -3) || '0', 16),
  offset: Number.parseInt(digits.slice(-3), 16),
});

/** An address as a hex string with 0x. */
export const wideAddress: Reader<WideAddress> = (value) => wideOf(hexText(value).slice(2));

/** An address as a hex string without 0x. */
export const bareWideAddress: Reader<WideAddress> = (value) => wideOf(bareHexText(value));

/** A list whose elements are all of one form. */
export const listOf =
  <T>(element: Reader<T>): Reader<T[]> =>
  (value) => {
    if (!Array.isArray(value)) return refuse(value, 'a list');
    const elements: T[] = [];
    let at = 0;
    try {
      for (; at < value.length; at += 1) elements.push(element(value[at]));
    } catch (error) {
      throw under(`[${at}]`, error);
    }
    return elements;
  };

/** A list of fixed length with a form for each place. */
export const tupleOf =
  <T extends readonly unknown[]>(...places: { readonly [K in keyof T]: Reader<T[K]> }): Reader<T> =>
  (value) => {
    if (!Array.isArray(value) || value.length !== places.length) {
      return refuse(value, `a list of ${places.length}`);
    }
    let at = 0;
    return listOf((inner) => places[at++]?.(inner))(value) as readonly unknown[] as T;
  };

/** An object with at least these fields. */
export const objectOf =
  <T extends object>(fields: { readonly [K in keyof T]: Reader<T[K]> }): Reader<T> =>
  (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return refuse(value, 'an object');
    }
    const made: Partial<T> = {};
    for (const field in fields) {
      try {
        made[field] = fields[field]((value as JsonRecord)[field]);
      } catch (error) {
        throw under(`.${field}`, error);
      }
    }
    return made as T;
  };

/** A value or null. */
export const orNull =
  <T>(as: Reader<T>): Reader<T | null> =>
  (value) =>
    value === null ? null : as(value);

/** A value or nothing: the field may be missing. */
export const orAbsent =
  <T>(as: Reader<T>): Reader<T | undefined> =>
  (value) =>
    value === undefined ? undefined : as(value);

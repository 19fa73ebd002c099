// Alterations: the ways in which one recorded value is made wrong. Numbers and hex strings move by one and by 2^32
// (a comparison in 32 bits would miss the latter), values become null and null a value, lists lose, gain, repeat and
// swap elements.
// Simplified: of a long list only the first, the middle and the last element are entered.

import type { Location } from './output-path.ts';

/** A recorded value that can be altered. */
export interface AlterationSite {
  readonly location: Location;
  /** The location with list indices as `[]`; positions in a tuple of plain values keep their index. */
  readonly path: string;
  /** Class of the value: what differs in class is tried separately. */
  readonly shape: string;
  readonly value: unknown;
}

/** One wrong value for a site. */
export interface Alteration {
  readonly name: string;
  readonly replacement: unknown;
}

const HEX = /^(0x)?[0-9a-f]+$/;
const TUPLE_LIMIT = 8;

function isHex(value: unknown): value is string {
  return typeof value === 'string' && HEX.test(value);
}

/** A hex string moved by `step`, in the same format; all ones move down so that the width stays. */
export function moveHex(text: string, step: bigint): string {
  const prefix = text.startsWith('0x') ? '0x' : '';
  const digits = text.slice(prefix.length);
  const value = BigInt(`0x${digits}`);
  const moved = /^f+$/.test(digits) && value >= step ? value - step : value + step;
  return prefix + moved.toString(16).padStart(digits.length, '0');
}

function moveNumber(value: number, step: number): number {
  const moved = value + step;
  return moved === value ? value * 2 : moved;
}

function shapeOf(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'number') return value === 0 ? 'zero' : value > 0 ? 'positive' : 'negative';
  if (isHex(value)) {
    if (/^(0x)?0+$/.test(value)) return 'zero';
    return /^(0x)?f+$/.test(value) ? 'ones' : 'hex';
  }
  if (typeof value === 'string') return `"${value.slice(0, 16)}"`;
  if (Array.isArray(value)) return value.length === 0 ? 'empty' : value.length === 1 ? 'one' : 'many';
  return String(typeof value === 'boolean' ? value : typeof value);
}

function visited(length: number): number[] {
  return [...new Set([0, Math.floor(length / 2), length - 1])].filter((index) => index >= 0);
}

/** Every value at and below a location that can be altered. */
export function* alterationSites(
  value: unknown,
  location: Location,
  path: string,
): Generator<AlterationSite> {
  const isList = Array.isArray(value);
  if (isList || typeof value !== 'object' || value === null) {
    yield { location, path, shape: shapeOf(value), value };
  }
  if (isList) {
    const isTuple = value.length <= TUPLE_LIMIT && value.every((element) => typeof element !== 'object');
    for (const index of isTuple ? value.keys() : visited(value.length)) {
      yield* alterationSites(value[index], [...location, index], `${path}[${isTuple ? index : ''}]`);
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [field, inner] of Object.entries(value)) {
      yield* alterationSites(inner, [...location, field], `${path}.${field}`);
    }
  }
}

/** A wrong value of the same type, the n-th such value being n steps away; lists and nulls are left alone. */
export function displaced(value: unknown, steps: number): unknown {
  if (typeof value === 'number') return moveNumber(value, steps);
  if (typeof value === 'boolean') return !value;
  if (isHex(value)) return moveHex(value, BigInt(steps));
  if (typeof value === 'string') return value + '~'.repeat(steps);
  if (Array.isArray(value)) return value.map((element) => displaced(element, steps));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, displaced(inner, steps)]));
  }
  return value;
}

function listAlterations(value: readonly unknown[], sample: unknown): Alteration[] {
  const last = value[value.length - 1];
  const found: Alteration[] = [];
  if (value.length === 0) {
    for (const [index, element] of (sample === undefined ? [0, [0]] : [sample]).entries()) {
      found.push({ name: `filled ${index + 1}`, replacement: [element] });
    }
    return found;
  }
  found.push({ name: 'element dropped', replacement: value.slice(0, -1) });
  found.push({ name: 'element repeated', replacement: [...value, last] });
  found.push({ name: 'element appended', replacement: [...value, displaced(last, 1)] });
  if (value.length > 1) {
    found.push({ name: 'first element dropped', replacement: value.slice(1) });
    const other = value.findIndex((element) => JSON.stringify(element) !== JSON.stringify(value[0]));
    if (other > 0) {
      const swapped = [...value];
      [swapped[0], swapped[other]] = [swapped[other], swapped[0]];
      found.push({ name: 'elements swapped', replacement: swapped });
    }
  }
  return found;
}

/** The wrong values for a site; `sample` is what stands there in another record where this one has null or nothing. */
export function alterationsOf(value: unknown, sample: unknown): Alteration[] {
  if (value === null) {
    const substitutes = sample === undefined || sample === null ? [0, '0x0'] : [sample];
    return substitutes.map((replacement) => ({ name: 'null made a value', replacement }));
  }
  const toNull: Alteration = { name: 'made null', replacement: null };
  if (typeof value === 'number') {
    const found = [
      { name: 'plus 1', replacement: displaced(value, 1) },
      { name: 'plus 2^32', replacement: displaced(value, 2 ** 32) },
    ];
    if (value !== 0) found.push({ name: 'made zero', replacement: 0 });
    return [...found, toNull];
  }
  if (isHex(value)) {
    const found = [
      { name: 'plus 1', replacement: displaced(value, 1) },
      { name: 'plus 2^32', replacement: displaced(value, 2 ** 32) },
    ];
    return [...found, toNull];
  }
  if (Array.isArray(value)) return [...listAlterations(value, sample), toNull];
  return [{ name: 'changed', replacement: displaced(value, 1) }, toNull];
}

// KnownState: what is where in a populated world, as plain data in bigint: what the oracle of the byte face decides from.
// Source followed: none; it says what the world's own calls have asked for.
// Simplified: for tests only.

import { ID, P } from '../abi-world.ts';

/** 2^64. */
export const SPACE: bigint = 2n ** 64n;
/** 2^64 - 1. */
export const LAST: bigint = SPACE - 1n;

/** An inclusive range. */
export interface Span {
  readonly first: bigint;
  readonly last: bigint;
}

/** A mapped range. */
export interface KnownArea extends Span {
  /** Offset in its pages of the first byte. */
  readonly offset: bigint;
  readonly writable: boolean;
}

/** An address space. */
export interface KnownSpace {
  readonly alignment: bigint;
  /** A page table shows it. */
  readonly shown: boolean;
  readonly areas: readonly KnownArea[];
  readonly reserved: readonly Span[];
}

const area = (first: bigint, writable: boolean): KnownArea => ({
  first,
  last: first + BigInt(4 * P) - 1n,
  offset: 0n,
  writable,
});

/** The address spaces of a populated world by number. */
export const SPACES: ReadonlyMap<number, KnownSpace> = new Map([
  [
    ID.plain,
    { alignment: 1n, shown: false, areas: [area(0x10000n, true), area(0x20000n, false)], reserved: [] },
  ],
  [
    ID.mapped,
    {
      alignment: 2048n,
      shown: true,
      areas: [area(0x1010000n, true)],
      reserved: [
        { first: 0n, last: 0xffffffn },
        { first: 0x80000000n, last: LAST },
      ],
    },
  ],
]);

/** Numbers that nothing but the table refers to. */
export const UNUSED: readonly number[] = [ID.plain, ID.stdev, ID.parent];
/** Every number in use. */
export const KNOWN_IDS: readonly number[] = [1, 2, 3, 4, 5, 6, 7];

/** True when two ranges share a number. */
export const meet = (a: Span, b: Span): boolean => a.first <= b.last && b.first <= a.last;

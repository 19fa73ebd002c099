// Ladder: the order in which a call refuses, as data. Every rung is one thing wrong with a call that is else right.
// Alone, a rung gives its errno; together with all rungs behind it, it still does, because it is looked at first.
// Source followed: the order of checks in the ioctls of drivers/iommu/iommufd.
// Simplified: for tests only.

import type { ErrnoName } from '@sgfree/mm';
import type { IommufdFieldValues } from '../../src/index.ts';
import type { AbiWorld } from '../abi-world.ts';

/** One thing wrong. */
export interface Rung {
  /** Stable. */
  readonly key: string;
  readonly errno: ErrnoName;
  readonly wrong: (world: AbiWorld) => IommufdFieldValues;
  /** True where the rungs behind it need it right to be tried at all: it is then tried alone only. */
  readonly alone?: boolean;
}

/** A call and everything that can be wrong with it, what is looked at first standing first. */
export interface Ladder {
  /** Stable. */
  readonly key: string;
  /** The structure of the call. */
  readonly call: string;
  readonly right: (world: AbiWorld) => IommufdFieldValues;
  /** What the right call answers; default success. */
  readonly answer?: ErrnoName;
  readonly rungs: readonly Rung[];
  /** Changes the world before the call. */
  readonly prepare?: (world: AbiWorld) => void;
}

/** 2^64 - 1. */
export const MAX: bigint = 2n ** 64n - 1n;

/** Something wrong that does not depend on the world. */
export const rung = (key: string, errno: ErrnoName, wrong: IommufdFieldValues): Rung => ({
  key,
  errno,
  wrong: () => wrong,
});

/** Something wrong that the rungs behind it would hide or put right. */
export const loneRung = (key: string, errno: ErrnoName, wrong: IommufdFieldValues): Rung => ({
  ...rung(key, errno, wrong),
  alone: true,
});

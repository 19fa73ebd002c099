// Script: calls on one context, one after the other, as data: what is called, what it answers, what it leaves in its structure.
// Every script begins with address space 1; a mock device on it takes 2 (the mock device), 3 (the device), 4 (the table).
// Source followed: the ioctls of drivers/iommu/iommufd (ioas.c, hw_pagetable.c, device.c).
// Simplified: for tests only.

import { Errno, type ErrnoName } from '@sgfree/mm';
import { expect } from 'vitest';
import {
  decodeIommufdStruct,
  type IommufdFieldValues,
  type IommufdHwptPaging,
  type IommufdIoas,
  iommufdTestAddReserved,
  iommufdTestMockDomain,
  u64OfBigint,
} from '../../src/index.ts';
import { AbiWorld, NOTHING_LEFT } from '../abi-world.ts';

/** A page. */
export const P = 0x1000n;
/** 2^64 - 1. */
export const MAX: bigint = 2n ** 64n - 1n;
/** The address of the world's 16 pages, a multiple of 2 MiB. */
export const VA = 0x700000000000n;
/** The lowest IOVA of a mock device. */
export const APERTURE = 0x1000000n;

/** A range of IOVAs, both ends inclusive. */
export type Pair = readonly [first: bigint, last: bigint];

/** One call. */
export type Step =
  | {
      readonly do: 'call';
      readonly call: string;
      readonly fields: IommufdFieldValues;
      readonly errno: ErrnoName | null;
      /** Fields of the structure afterwards. */
      readonly out?: IommufdFieldValues;
    }
  | { readonly do: 'allow'; readonly ranges: readonly Pair[]; readonly errno: ErrnoName | null }
  | {
      readonly do: 'offer';
      readonly room: number;
      readonly ranges: readonly Pair[];
      /** How many there are in all; default as many as are written. */
      readonly total?: number;
      readonly alignment?: number;
    }
  | {
      readonly do: 'reserve';
      readonly start: bigint;
      readonly length: bigint;
      readonly errno: ErrnoName | null;
    }
  | {
      readonly do: 'attach';
      readonly pt: number;
      readonly errno: ErrnoName | null;
      readonly dirty?: boolean;
    };

/** Calls under a name. */
export interface Script {
  /** Stable. */
  readonly key: string;
  readonly steps: readonly Step[];
}

/** How a call ends: with an errno, or well and with these fields. */
type End = ErrnoName | IommufdFieldValues | null;

/** A call of any kind. */
export function call(name: string, fields: IommufdFieldValues, end: End = null): Step {
  const errno = typeof end === 'string' ? end : null;
  const step = { do: 'call', call: name, fields, errno } as const;
  return typeof end === 'object' && end !== null ? { ...step, out: end } : step;
}

const ended = (field: string, end: ErrnoName | bigint): End =>
  typeof end === 'bigint' ? { [field]: end } : end;

/** Maps user memory at an automatic IOVA. */
export const map = (user: bigint, length: bigint, end: ErrnoName | bigint, ioas = 1): Step =>
  call('iommu_ioas_map', { ioas_id: ioas, flags: 6, user_va: user, length }, ended('iova', end));

/** Maps user memory at `iova`. */
export const mapAt = (
  user: bigint,
  length: bigint,
  iova: bigint,
  end: ErrnoName | null = null,
  flags = 7,
  ioas = 1,
): Step => call('iommu_ioas_map', { ioas_id: ioas, flags, user_va: user, length, iova }, end ?? { iova });

/** Unmaps; an errno leaves the length as it was asked. */
export const unmap = (iova: bigint, length: bigint, end: ErrnoName | bigint, ioas = 1): Step => {
  const step = call('iommu_ioas_unmap', { ioas_id: ioas, iova, length }, ended('length', end));
  return step.do === 'call' && typeof end !== 'bigint' ? { ...step, out: { length } } : step;
};

/** Copies from address space 1; with `to` to that IOVA, else to an automatic one. */
export const copy = (
  from: bigint,
  length: bigint,
  to: bigint | null,
  end: ErrnoName | bigint | null = null,
  options: { readonly dst?: number; readonly src?: number; readonly access?: number } = {},
): Step => {
  const { dst = 1, src = 1, access = 6 } = options;
  const fields = {
    flags: to === null ? access : access | 1,
    dst_ioas_id: dst,
    src_ioas_id: src,
    length,
    src_iova: from,
    dst_iova: to ?? 0n,
  };
  return call('iommu_ioas_copy', fields, end === null ? { dst_iova: to ?? 0n } : ended('dst_iova', end));
};

/** Confines automatic IOVAs of address space 1. */
export const allow = (ranges: readonly Pair[], errno: ErrnoName | null = null): Step => ({
  do: 'allow',
  ranges,
  errno,
});

/** What address space 1 offers, asked with room for `room` ranges. */
export const offer = (
  room: number,
  ranges: readonly Pair[],
  more: { readonly total?: number; readonly alignment?: number } = {},
): Step => ({ do: 'offer', room, ranges, ...more });

/** Reserves IOVAs of address space 1 for nobody. */
export const reserve = (start: bigint, length: bigint, errno: ErrnoName | null = null): Step => ({
  do: 'reserve',
  start,
  length,
  errno,
});

/** Attaches one more mock device. */
export const attach = (pt = 1, errno: ErrnoName | null = null, dirty = true): Step => ({
  do: 'attach',
  pt,
  errno,
  dirty,
});

/** Destroys an object. */
export const destroy = (id: number, errno: ErrnoName | null = null): Step =>
  call('iommu_destroy', { id }, errno);

/** A further address space, of which the number is expected. */
export const newIoas = (id: number): Step => call('iommu_ioas_alloc', {}, { out_ioas_id: id });

/** Sets (0) or reads (1) the large pages of address space 1. */
export const hugePages = (op: number, value: bigint, end: ErrnoName | bigint): Step =>
  call('iommu_option', { option_id: 1, op, object_id: 1, val64: value }, ended('val64', end));

const numberOf = (errno: ErrnoName | null): number => (errno === null ? 0 : Errno[errno]);

function ioasOne(world: AbiWorld): IommufdIoas {
  return world.ctx.objects.at(1) as IommufdIoas;
}

function makeOffer(world: AbiWorld, step: Step & { readonly do: 'offer' }): void {
  const fill = new Uint8Array((step.ranges.length + 2) * 16).fill(0xa5);
  world.poke(world.scratch, fill);
  const total = step.total ?? step.ranges.length;
  const { errno, bytes } = world.call('iommu_ioas_iova_ranges', {
    ioas_id: 1,
    num_iovas: step.room,
    allowed_iovas: BigInt(world.scratch),
  });
  expect(errno).toBe(total > step.room ? Errno.EMSGSIZE : 0);
  const out = decodeIommufdStruct('iommu_ioas_iova_ranges', bytes);
  expect(out['num_iovas']).toBe(total);
  if (step.alignment !== undefined) expect(out['out_iova_alignment']).toBe(BigInt(step.alignment));
  const written = new DataView(world.peek(world.scratch, fill.length).buffer);
  for (const [at, [first, last]] of step.ranges.entries()) {
    expect([written.getBigUint64(at * 16, true), written.getBigUint64(at * 16 + 8, true)]).toEqual([
      first,
      last,
    ]);
  }
  expect(written.getBigUint64(step.ranges.length * 16, true), 'behind the ranges').toBe(0xa5a5a5a5a5a5a5a5n);
}

function makeCall(world: AbiWorld, step: Step & { readonly do: 'call' }): void {
  const { errno, bytes } = world.call(step.call, step.fields);
  expect(errno).toBe(numberOf(step.errno));
  const after = decodeIommufdStruct(step.call, bytes);
  for (const [field, value] of Object.entries(step.out ?? {}))
    expect([field, after[field]]).toEqual([field, value]);
}

function makeStep(world: AbiWorld, step: Step): void {
  if (step.do === 'call') makeCall(world, step);
  else if (step.do === 'offer') makeOffer(world, step);
  else if (step.do === 'allow') {
    const list = world.pokeRanges(...step.ranges);
    const fields = { ioas_id: 1, num_iovas: step.ranges.length, allowed_iovas: list };
    expect(world.call('iommu_ioas_allow_iovas', fields).errno).toBe(numberOf(step.errno));
  } else if (step.do === 'reserve') {
    const { iopt } = ioasOne(world);
    const errno = world.run(iommufdTestAddReserved(iopt, u64OfBigint(step.start), u64OfBigint(step.length)));
    expect(-errno + 0).toBe(numberOf(step.errno));
  } else {
    const made = world.run(iommufdTestMockDomain(world.ctx, step.pt, world.newDevice(step.dirty)));
    expect(made.ok ? 0 : made.errno).toBe(numberOf(step.errno));
  }
}

/** Plays a script on a fresh world; nothing may be left at its end. */
export function play({ steps }: Script): void {
  const world = new AbiWorld();
  expect(world.call('iommu_ioas_alloc').errno).toBe(0);
  for (const [at, step] of steps.entries()) {
    try {
      makeStep(world, step);
    } catch (error) {
      throw new Error(`step ${at} (${step.do === 'call' ? step.call : step.do}): ${String(error)}`);
    }
  }
  expect(world.violations).toBe(0);
  expect(world.close()).toEqual(NOTHING_LEFT);
}

/** The table with number `id`. */
export const tableOf = (world: AbiWorld, id: number): IommufdHwptPaging =>
  world.ctx.objects.at(id) as IommufdHwptPaging;

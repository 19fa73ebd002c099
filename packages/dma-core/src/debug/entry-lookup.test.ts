// The look-ups against a plain walk through all buckets down to address 0, and what is special about them.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testMachine } from '../../test/vtd-machine.ts';
import { type Device, NO_ATTRS } from '../index.ts';
import { AddressHash } from './address-hash.ts';
import { DmaDebugEntry, type DmaDebugRef, type DmaDebugType } from './debug-entry.ts';
import { findContaining, findExact } from './entry-lookup.ts';

const { dev } = testMachine();
const other = testMachine().dev;

const refOf = (
  owner: Device,
  devAddr: number,
  size: number,
  more: Partial<DmaDebugRef> = {},
): DmaDebugRef => ({
  dev: owner,
  devAddr,
  size,
  type: 'phy',
  direction: 'to-device',
  entryCount: 0,
  segmentCount: 0,
  phys: 0,
  attrs: NO_ATTRS,
  ...more,
});

const entryOf = (ref: DmaDebugRef): DmaDebugEntry => new DmaDebugEntry(ref);

function hashOf(refs: readonly DmaDebugRef[]) {
  const hash = new AddressHash<DmaDebugEntry>();
  const entries = refs.map(entryOf);
  for (const entry of entries) hash.add(entry);
  return { hash, entries };
}

const u64 = (value: number): bigint => BigInt.asUintN(64, BigInt(value));

/** The kernel's walk: every bucket from that of the address down, at most once around, each searched from its front. */
function walk(entries: readonly DmaDebugEntry[], ref: DmaDebugRef): DmaDebugEntry | null {
  const bucketOf = (address: bigint): bigint => (address >> 13n) & 16383n;
  const endOf = ({ devAddr, size }: DmaDebugRef): bigint => BigInt.asUintN(64, u64(devAddr) + u64(size));
  const steps = (u64(ref.devAddr) >> 13n) + 1n;
  const limit = steps < 16384n ? steps : 16384n;
  for (let back = 0n; back < limit; back += 1n) {
    const bucket = bucketOf(u64(ref.devAddr) - back * 8192n);
    const matching = entries.filter(
      (entry) =>
        bucketOf(u64(entry.devAddr)) === bucket &&
        entry.dev === ref.dev &&
        u64(entry.devAddr) <= u64(ref.devAddr) &&
        endOf(entry) >= endOf(ref),
    );
    const perfect = matching.find(
      ({ size, type, direction, entryCount }) =>
        size === ref.size &&
        type === ref.type &&
        direction === ref.direction &&
        entryCount === ref.entryCount,
    );
    if (perfect !== undefined) return perfect;
    if (matching.length === 1) return matching[0] as DmaDebugEntry;
  }
  return null;
}

const somewhere = fc.record({
  owner: fc.constantFrom(dev, other),
  // Small numbers so that ranges meet; whole turns of the hash so that buckets are shared.
  at: fc
    .tuple(fc.nat({ max: 40 }), fc.nat({ max: 3 }))
    .map(([low, turn]) => low * 1024 + turn * 8192 * 16384),
  size: fc.oneof(
    fc.nat({ max: 30 }).map((units) => 1 + units * 1024),
    fc.constant(2 ** 28),
  ),
  type: fc.constantFrom<DmaDebugType>('phy', 'scatter-gather', 'single'),
});

const how = fc.constantFrom('plain', 'wraps', 'no address');

it('finds what the walk down to address 0 finds', () => {
  fc.assert(
    fc.property(fc.array(somewhere, { maxLength: 12 }), somewhere, how, (held, asked, odd) => {
      const { hash, entries } = hashOf(
        held.map(({ owner, at, size, type }) => refOf(owner, at, size, { type })),
      );
      const size = odd === 'wraps' ? 2 ** 64 - 2048 : asked.size;
      const at = odd === 'no address' ? -1 : asked.at + 4096;
      const ref = refOf(asked.owner, at, size, { type: asked.type });
      expect(findContaining(hash, ref).entry).toBe(walk(entries, ref));
    }),
    { numRuns: 300 },
  );
});

describe('several mappings of one address', () => {
  const twice = [
    refOf(dev, 0x1000, 64, { direction: 'to-device' }),
    refOf(dev, 0x1000, 64, { direction: 'from-device' }),
  ];

  it('unmapping takes the one that agrees in size, type, direction and entry count', () => {
    const { hash, entries } = hashOf(twice);
    expect(findExact(hash, refOf(dev, 0x1000, 64, { direction: 'from-device' })).entry).toBe(entries[1]);
  });

  it('unmapping finds none when none agrees, and then does find the last one that is left', () => {
    const { hash, entries } = hashOf(twice);
    const ref = refOf(dev, 0x1000, 32);
    expect(findExact(hash, ref)).toEqual({ entry: null, candidates: 2 });
    hash.remove(entries[0] as DmaDebugEntry);
    expect(findExact(hash, ref).entry).toBe(entries[1]);
  });

  it('a single sync finds none: the false report of Linux', () => {
    const { hash } = hashOf(twice);
    expect(findContaining(hash, refOf(dev, 0x1000, 64, { type: 'single' }))).toEqual({
      entry: null,
      candidates: 2,
    });
  });

  it('two mappings that start in different buckets do not disturb each other', () => {
    const { hash, entries } = hashOf([refOf(dev, 0, 0x8000), refOf(dev, 0x4000, 0x1000)]);
    expect(findContaining(hash, refOf(dev, 0x4000, 64, { type: 'single' })).entry).toBe(entries[1]);
  });
});

it('no address starts where an error does, but whatever is long enough holds its wrapped range', () => {
  const { hash, entries } = hashOf([refOf(dev, 0, 2 ** 30)]);
  expect(findExact(hash, refOf(dev, -1, 8)).entry).toBeNull();
  expect(findContaining(hash, refOf(dev, -1, 8)).entry).toBe(entries[0]);
  for (const size of [0, 2 ** 31]) expect(findContaining(hash, refOf(dev, -1, size)).entry).toBeNull();
});

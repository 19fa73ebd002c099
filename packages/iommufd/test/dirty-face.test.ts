// The dirty record through the byte face: bits relative to the window, added to what is there, cleared or kept.
// Source followed: the dirty tracking tests of selftests/iommu/iommufd.c.
import { Errno } from '@sgfree/mm';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  IommufdDevice,
  IommufdHwptPaging,
  iommufdDeviceAttach,
  iommufdDeviceReplace,
  u64,
} from '../src/index.ts';
import { AbiWorld, ID } from './abi-world.ts';
import { smallEntries } from './small-entries.ts';

const BASE = 0x1010000;
const GRANULE = 2048;
const RECORDING = 8;

function bench() {
  const world = smallEntries(new AbiWorld().populate());
  const made = world.call('iommu_hwpt_alloc', { dev_id: ID.device, pt_id: ID.mapped, flags: 2 });
  const hwpt = world.ctx.objects.at(RECORDING);
  if (made.errno !== 0 || !(hwpt instanceof IommufdHwptPaging)) throw new Error('no table that records');
  const mark = (offset: number): boolean => hwpt.domain?.markDirty(u64(BASE + offset)) ?? false;
  const track = (flags: number) =>
    world.call('iommu_hwpt_set_dirty_tracking', { hwpt_id: RECORDING, flags }).errno;
  const read = (fields: Record<string, number | bigint> = {}) =>
    world.call('iommu_hwpt_get_dirty_bitmap', {
      hwpt_id: RECORDING,
      iova: BigInt(BASE),
      length: 0x4000n,
      page_size: BigInt(GRANULE),
      data: BigInt(world.scratch),
      ...fields,
    }).errno;
  const bitmap = (bytes = 1, at = 0): number[] => [...world.peek(world.scratch + at, bytes)];
  return { world, mark, track, read, bitmap };
}

/** The bitmap of written pages of 4 KiB, with a bit for `pageSize` bytes: every one that a page touches. */
function bitsOf(pages: readonly number[], pageSize: number): Uint8Array {
  const bytes = new Uint8Array(64);
  for (const page of pages) {
    for (let at = page * 4096; at < (page + 1) * 4096; at += 64) {
      const bit = Math.floor(at / pageSize);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (1 << (bit & 7));
    }
  }
  return bytes;
}

describe('recording', () => {
  it('starts from clean pages and can be stopped', () => {
    const { mark, track, read, bitmap } = bench();
    expect(mark(0)).toBe(true);
    expect(track(1)).toBe(0);
    expect(read()).toBe(0);
    expect(bitmap()).toEqual([0]);
    expect(track(0)).toBe(0);
    expect(track(2)).toBe(Errno.EOPNOTSUPP);
  });

  it('is refused by tables that were made without, and by devices that cannot', () => {
    const { world } = bench();
    const plain = { hwpt_id: ID.autoHwpt, flags: 1 };
    expect(world.call('iommu_hwpt_set_dirty_tracking', plain).errno).toBe(Errno.EOPNOTSUPP);
    const id = world.bind(world.newDevice(false));
    const alloc = { dev_id: id, pt_id: ID.mapped, flags: 2 };
    expect(world.call('iommu_hwpt_alloc', alloc).errno).toBe(Errno.EOPNOTSUPP);
    const [able, unable] = [world.ctx.objects.at(ID.device), world.ctx.objects.at(id)];
    if (!(able instanceof IommufdDevice && unable instanceof IommufdDevice)) throw new Error('no devices');
    expect(world.run(iommufdDeviceReplace(able, RECORDING))).toEqual({ ok: true, value: RECORDING });
    expect(world.run(iommufdDeviceAttach(unable, RECORDING))).toEqual({ ok: false, errno: Errno.EINVAL });
  });
});

describe('reading', () => {
  it('gives each bit once', () => {
    const { mark, read, bitmap, world } = bench();
    for (const page of [0, 2]) mark(page * 2 * GRANULE);
    expect(read()).toBe(0);
    expect(bitmap(2)).toEqual([0b00110011, 0]);
    world.poke(world.scratch, new Uint8Array(8));
    expect(read()).toBe(0);
    expect(bitmap()).toEqual([0]);
  });

  it('keeps the bits when it is told to', () => {
    const { mark, read, bitmap, world } = bench();
    mark(0x1000);
    expect(read({ flags: 1 })).toBe(0);
    const first = bitmap(2);
    world.poke(world.scratch, new Uint8Array(8));
    expect(read({ flags: 1 })).toBe(0);
    expect(bitmap(2)).toEqual(first);
    expect(first).toEqual([0b1100, 0]);
  });

  it('adds to what the bitmap holds, at any address', () => {
    for (const at of [0, 1, 0x7f8, 0xff1]) {
      const { mark, read, bitmap, world } = bench();
      world.poke(world.scratch + at, Uint8Array.of(0x80));
      mark(0);
      expect(read({ data: BigInt(world.scratch + at) })).toBe(0);
      expect(bitmap(2, at)).toEqual([0b10000011, 0]);
    }
  });

  it('ends at what is not mapped, without an error', () => {
    const { mark, read, bitmap, world } = bench();
    mark(0x3000);
    expect(read({ iova: BigInt(BASE - 0x8000), length: 0x20000n })).toBe(0);
    expect(bitmap(8)).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect(read({ iova: BigInt(BASE + 0x2000), length: 0x20000n })).toBe(0);
    // Bits count from the start of the window, not from that of the mapping.
    expect(bitmap(8)).toEqual([0b1100, 0, 0, 0, 0, 0, 0, 0]);
    world.poke(world.scratch, new Uint8Array(8));
    expect(read()).toBe(0);
    expect(bitmap(8)).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('loses bits without an error where the bitmap is not there', () => {
    const { mark, read } = bench();
    mark(0);
    expect(read({ data: 0x1000n })).toBe(0);
    mark(0);
    expect(read({ data: 2n ** 63n })).toBe(0);
  });

  it('sets exactly the bits of the units that were written, for any page size', () => {
    const { mark, read, world, track } = bench();
    const units = fc.uniqueArray(fc.nat(7), { maxLength: 8 });
    fc.assert(
      fc.property(units, fc.constantFrom(64, 512, 1024, 2048, 4096, 8192), (written, pageSize) => {
        track(1);
        world.poke(world.scratch, new Uint8Array(64));
        for (const unit of written) mark(unit * GRANULE);
        const pages = [...new Set(written.map((unit) => unit >> 1))];
        expect(read({ flags: 1, page_size: 64n })).toBe(0);
        expect(world.peek(world.scratch, 64)).toEqual(bitsOf(pages, 64));
        world.poke(world.scratch, new Uint8Array(64));
        expect(read({ page_size: BigInt(pageSize) })).toBe(0);
        expect(world.peek(world.scratch, 64)).toEqual(bitsOf(pages, pageSize));
      }),
      { numRuns: 60 },
    );
  });
});

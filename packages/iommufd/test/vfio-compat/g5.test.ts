// What the kernel's own tests of the VFIO compatibility expect, row by row, through bytes and with a page table behind.
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { decodeIommufdStruct, encodeIommufdStruct, VfioRequest } from '../../src/index.ts';
import { HUGE_PAGES, PIECES, WITHOUT_IOAS } from './g5-rows.ts';
import {
  BASE,
  encodeVfio,
  NOTHING_LEFT,
  P,
  TYPES,
  tagOf,
  VA,
  type VfioType,
  VfioWorld,
} from './vfio-world.ts';

const BUF = 16 * P;
const H = 2 ** 21;
const BOTH = Object.keys(TYPES) as VfioType[];
/** An order that visits all of 16 and is none of the obvious ones. */
const SHUFFLED = Array.from({ length: 16 }, (_, at) => (at * 7 + 5) % 16);

describe('map/unmap/info/set_iommu without compat IOAS', () => {
  it.each(WITHOUT_IOAS.map((row) => [row.key, row] as const))('%s', (_, row) => {
    const world = new VfioWorld({ chosen: false });
    const bytes = row.struct === null ? null : encodeVfio(row.struct, row.fields);
    const before = bytes?.bytes.slice();
    const request = bytes?.layout.request ?? VfioRequest.SET_IOMMU;
    expect(world.call(request, bytes?.bytes ?? row.number ?? null)).toBe(-Errno[row.errno]);
    expect(bytes?.bytes).toEqual(before);
    expect(world.close()).toEqual(NOTHING_LEFT);
  });
});

describe('option_huge_pages after SET_IOMMU', () => {
  it.each(HUGE_PAGES)('%s', (type, value) => {
    const world = new VfioWorld({ type });
    const option = encodeIommufdStruct('iommu_option', { option_id: 1, op: 1, object_id: world.ioas.id });
    expect(world.call(0x3b87, option)).toBe(0);
    expect(decodeIommufdStruct('iommu_option', option)['val64']).toBe(value);
  });
});

describe('map', () => {
  it.each(BOTH)('map BUF, unmap returns BUF, %s', (type) => {
    const world = new VfioWorld({ type });
    world.fill(16);
    expect(world.map(VA, BASE, BUF)).toBe(0);
    expect([0, BUF - 1].map((at) => world.deviceReads(BASE + at))).toEqual([tagOf(0), tagOf(15)]);
    expect(world.unmap(BASE, BUF)).toEqual({ error: 0, size: BigInt(BUF) });
    expect([0, BUF - 1].map((at) => world.deviceReads(BASE + at))).toEqual([null, null]);
    expect(world.close()).toEqual(NOTHING_LEFT);
  });

  it.each(BOTH)('unmap empty ok, %s', (type) => {
    const world = new VfioWorld({ type });
    expect(world.unmap(BASE, BUF)).toEqual({ error: 0, size: 0n });
    expect(world.unmap(0, BUF)).toEqual({ error: 0, size: 0n });
    expect(world.unmap(0, 0, 2)).toEqual({ error: 0, size: 0n });
  });

  it.each(BOTH)('FLAG_ALL with iova/size EINVAL, with zeros returns BUF, %s', (type) => {
    const world = new VfioWorld({ type });
    world.fill(16);
    expect(world.map(VA, BASE, BUF)).toBe(0);
    expect(world.unmap(BASE, BUF, 2)).toEqual({ error: -Errno.EINVAL, size: BigInt(BUF) });
    expect(world.unmap(0, BUF, 2)).toEqual({ error: -Errno.EINVAL, size: BigInt(BUF) });
    expect(world.unmap(BASE, 0, 2)).toEqual({ error: -Errno.EINVAL, size: 0n });
    expect(world.deviceReads(BASE)).toBe(tagOf(0));
    expect(world.unmap(0, 0, 2)).toEqual({ error: 0, size: BigInt(BUF) });
    expect(world.deviceReads(BASE)).toBeNull();
  });

  it.each(BOTH)('16 single pages unmapped in random order ok, %s', (type) => {
    const world = new VfioWorld({ type });
    world.fill(16);
    for (let page = 0; page < 16; page += 1) {
      expect(world.map(VA + page * P, BASE + page * P, P)).toBe(0);
    }
    for (const page of SHUFFLED) {
      expect(world.deviceReads(BASE + page * P)).toBe(tagOf(page));
      expect(world.unmap(BASE + page * P, P)).toEqual({ error: 0, size: BigInt(P) });
      expect(world.deviceReads(BASE + page * P)).toBeNull();
    }
    expect(world.close()).toEqual(NOTHING_LEFT);
  });
});

describe('huge_map', () => {
  it.each(PIECES)('map 2H; unmap 16 equal pieces in random order, %s', (type, errno) => {
    const world = new VfioWorld({ type, capIpcLock: true });
    world.fill((2 * H) / P);
    const size = (2 * H) / 16;
    expect(world.map(VA, BASE, 2 * H)).toBe(0);
    for (const [done, piece] of SHUFFLED.entries()) {
      const at = BASE + piece * size;
      const tag = tagOf((piece * size) / P);
      expect(world.deviceReads(at)).toBe(tag);
      const unmapped = errno === null ? { error: 0, size: BigInt(size) } : { error: -Errno[errno], size: 0n };
      expect(world.unmap(at, size)).toEqual(unmapped);
      expect(world.deviceReads(at)).toBe(errno === null ? null : tag);
      const left = errno === null ? 15 - done : 16;
      expect(world.machine.process.mm.pinnedVm).toBe((left * size) / P);
    }
    expect(world.close()).toEqual(NOTHING_LEFT);
  });
});

describe('simple_close', () => {
  it.each(BOTH)('leaves nothing of what is still mapped, %s', (type) => {
    const world = new VfioWorld({ type });
    world.fill(16);
    expect(world.map(VA, BASE, BUF)).toBe(0);
    expect(world.close()).toEqual(NOTHING_LEFT);
  });
});

// PhysicalMemory: bytes across frames, holes that refuse, MMIO targets, and a random run beside a plain array.
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { PAGE_SIZE, physAddr } from './addresses.ts';
import { BarMemory } from './fabric/bar-memory.ts';
import { InternalError } from './internal-error.ts';
import { PhysicalMemory } from './physical-memory.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

function twoRanges(): PhysicalMemory {
  const memory = new PhysicalMemory();
  memory.addRam(physAddr(0), 4 * PAGE_SIZE);
  memory.addRam(physAddr(2 ** 40), 2 * PAGE_SIZE);
  return memory;
}

describe('RAM', () => {
  it('reads as zero until it is written', () => {
    const found = bytes(1, 2, 3);
    expect(twoRanges().read(physAddr(2 ** 40 + 5), found)).toBe(true);
    expect(found).toEqual(bytes(0, 0, 0));
  });

  it('keeps bytes across a frame boundary', () => {
    const memory = twoRanges();
    expect(memory.write(physAddr(PAGE_SIZE - 2), bytes(1, 2, 3, 4))).toBe(true);
    expect([...memory.frameBytes(0).subarray(-2), ...memory.frameBytes(1).subarray(0, 2)]).toEqual([
      1, 2, 3, 4,
    ]);
  });

  it('moves a part of a buffer when asked to', () => {
    const memory = twoRanges();
    memory.write(physAddr(100), bytes(9, 8, 7, 6), 1, 2);
    const found = bytes(0xff, 0xff, 0xff, 0xff, 0xff);
    memory.read(physAddr(99), found, 1, 3);
    expect(found).toEqual(bytes(0xff, 0, 8, 7, 0xff));
  });

  it('shows a frame as live little-endian words', () => {
    const memory = twoRanges();
    memory.frameWords(2)[1] = 0x04030201;
    const found = new Uint8Array(4);
    memory.read(physAddr(2 * PAGE_SIZE + 4), found);
    expect(found).toEqual(bytes(1, 2, 3, 4));
  });

  it('tells frames apart that share their low bits', () => {
    const memory = new PhysicalMemory();
    memory.addRam(physAddr(0), 4096 * PAGE_SIZE);
    for (const frame of [3, 259, 515, 3 + 4 * 256]) memory.frameBytes(frame)[0] = frame % 251;
    for (const frame of [3, 259, 515, 3 + 4 * 256]) expect(memory.frameBytes(frame)[0]).toBe(frame % 251);
  });
});

describe('what nobody owns', () => {
  it.each([
    ['a hole', 4 * PAGE_SIZE, 1],
    ['an access that leaves RAM', 4 * PAGE_SIZE - 1, 2],
    ['the end of the second range', 2 ** 40 + 2 * PAGE_SIZE - 4, 8],
  ])('is refused: %s', (_name, address, count) => {
    const memory = twoRanges();
    expect(memory.read(physAddr(address), new Uint8Array(count))).toBe(false);
    expect(memory.write(physAddr(address), new Uint8Array(count).fill(1))).toBe(false);
    expect(memory.frameBytes(3).every((byte) => byte === 0)).toBe(true);
  });

  it('has no frames', () => {
    expect(() => twoRanges().frameBytes(4)).toThrow(InternalError);
  });

  it('cannot be declared twice or in parts of pages', () => {
    const memory = twoRanges();
    expect(() => memory.addRam(physAddr(3 * PAGE_SIZE), PAGE_SIZE)).toThrow(InternalError);
    expect(() => memory.addRam(physAddr(0x10000), 100)).toThrow(InternalError);
    expect(() => memory.addRam(physAddr(0x10000), 0)).toThrow(InternalError);
    expect(() => memory.addRam(physAddr(0x10100), PAGE_SIZE)).toThrow(InternalError);
    expect(() => memory.addMmio(physAddr(0), PAGE_SIZE, new BarMemory(PAGE_SIZE))).toThrow(InternalError);
  });
});

describe('an MMIO range', () => {
  it('hands accesses to its target with offsets from its start', () => {
    const memory = twoRanges();
    const target = new BarMemory(PAGE_SIZE);
    memory.addMmio(physAddr(0x100000), PAGE_SIZE, target);
    memory.write(physAddr(0x100010), bytes(1, 2, 3, 4), 2, 2);
    expect([...target.pageBytes(0).subarray(0x10, 0x12)]).toEqual([3, 4]);
    const found = new Uint8Array(3);
    expect(memory.read(physAddr(0x100010), found, 1, 2)).toBe(true);
    expect(found).toEqual(bytes(0, 3, 4));
    expect(memory.isRam(physAddr(0x100000), 1)).toBe(false);
  });

  it('answers no more once it is withdrawn', () => {
    const memory = twoRanges();
    memory.addMmio(physAddr(0x100000), PAGE_SIZE, new BarMemory(PAGE_SIZE));
    memory.removeMmio(physAddr(0x100000));
    expect(memory.read(physAddr(0x100000), new Uint8Array(1))).toBe(false);
    expect(() => memory.removeMmio(physAddr(0x100000))).toThrow(InternalError);
  });

  it('passes a refusal of its target on', () => {
    const memory = twoRanges();
    memory.addMmio(physAddr(0x100000), 2 * PAGE_SIZE, new BarMemory(PAGE_SIZE));
    expect(memory.write(physAddr(0x101000), bytes(1))).toBe(false);
    expect(memory.read(physAddr(0x101000), bytes(1))).toBe(false);
  });
});

const SPACE = 5 * PAGE_SIZE;
const access = fc.record({
  address: fc.integer({ min: 0, max: SPACE + 100 }),
  count: fc.integer({ min: 1, max: 2 * PAGE_SIZE + 100 }),
  fill: fc.integer({ min: 1, max: 255 }),
});

test.prop([fc.array(access, { maxLength: 30 })])('holds what a plain array holds', (accesses) => {
  const memory = new PhysicalMemory();
  memory.addRam(physAddr(0), SPACE);
  const plain = new Uint8Array(SPACE);
  for (const { address, count, fill } of accesses) {
    const inside = address + count <= SPACE;
    const data = new Uint8Array(count).map((_, i) => fill + i);
    expect(memory.write(physAddr(address), data)).toBe(inside);
    if (inside) plain.set(data, address);
    const found = new Uint8Array(count);
    expect(memory.read(physAddr(address), found)).toBe(inside);
    if (inside) expect(Buffer.compare(found, plain.subarray(address, address + count))).toBe(0);
  }
  const all = new Uint8Array(SPACE);
  expect(memory.read(physAddr(0), all)).toBe(true);
  expect(Buffer.compare(all, plain)).toBe(0);
});

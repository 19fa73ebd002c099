// The slot search against a model that knows only which slots are taken: every free run is counted anew before every
// search, and after every step the pool must hold the same slots, the same runs and the same indexes.

import { addOffset, byteDistance, offsetWithin, PhysicalMemory, physAddr } from '@sgfree/hw-model';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DmaPlatform, dmaBitMask, NO_ATTRS, pciDevice, SwiotlbPool } from '../index.ts';

const START = 0x1000_6000;
const SLOT = 2048;

interface Taken {
  readonly first: number;
  readonly slots: number;
}

class PlainPool {
  readonly taken: boolean[];
  readonly indexes: number[];
  readonly each: number;
  readonly start: number;

  constructor(start: number, slots: number, areas: number) {
    this.start = start;
    this.taken = new Array<boolean>(slots).fill(false);
    this.indexes = new Array<number>(areas).fill(0);
    this.each = slots / areas;
  }

  /** Free slots from `slot` to the end of its segment of 128, without a gap. */
  run(slot: number): number {
    let end = slot;
    while (end < this.taken.length && this.taken[end] === false) {
      end += 1;
      if (end % 128 === 0) break;
    }
    return end - slot;
  }

  used = (area: number): number =>
    this.taken.slice(area * this.each, (area + 1) * this.each).filter(Boolean).length;

  map(orig: number, size: number, align: number, min: number, boundary: number, cpu: number) {
    const offset = Number(BigInt(orig) & BigInt(min) & BigInt(align | 2047));
    const total = Math.ceil((size + offset) / (align + 1)) * (align + 1);
    for (let tried = 0; tried < this.indexes.length; tried += 1) {
      const area = (cpu + tried) % this.indexes.length;
      const first = this.search(area, orig, total, align, min, boundary);
      if (first === null) continue;
      const slots = Math.ceil(total / SLOT);
      for (let at = first; at < first + slots; at += 1) this.taken[at] = true;
      const next = first - area * this.each + slots;
      this.indexes[area] = next < this.each ? next : 0;
      return { first, slots, address: this.start + first * SLOT + offset };
    }
    return null;
  }

  search(area: number, orig: number, total: number, align: number, min: number, boundary: number) {
    const slots = Math.ceil(total / SLOT);
    if (slots > this.each - this.used(area)) return null;
    const low = align === 0 && min === 0 && total >= 4096 ? 4095 : align | 2047;
    const [lowMask, keep] = [BigInt(low), BigInt(min) & ~BigInt(low)];
    const stride = Math.floor(Math.max(low, Number(keep)) / SLOT) + 1;
    const window = Math.floor(boundary / SLOT) + 1;
    const base = BigInt(this.start) & BigInt(boundary);
    let index = this.indexes[area] as number;
    for (let checked = 0; checked < this.each; ) {
      const slot = area * this.each + index;
      const address = base + BigInt(slot * SLOT);
      const fits = (address & lowMask) === 0n && (address & keep) === (BigInt(orig) & keep);
      const into = (Math.ceil(Number(base) / SLOT) + slot) % window;
      if (fits && into + slots <= window && this.run(slot) >= slots) return slot;
      index += fits ? stride : 1;
      if (index >= this.each) index = 0;
      checked += fits ? stride : 1;
    }
    return null;
  }

  release({ first, slots }: Taken): void {
    for (let at = first; at < first + slots; at += 1) this.taken[at] = false;
  }
}

const step = fc.record({
  frees: fc.boolean(),
  pick: fc.nat(),
  size: fc.oneof(fc.integer({ min: 1, max: 9000 }), fc.integer({ min: 1, max: 270000 })),
  orig: fc.integer({ min: 1, max: 2 ** 30 - 2 ** 20 }),
  align: fc.constantFrom(0, 0, 2047, 4095, 8191, 65535),
  cpu: fc.nat({ max: 7 }),
});

const shape = fc.record({
  min: fc.constantFrom(0, 511, 2047, 4095, 65535),
  boundaryBits: fc.constantFrom(11, 12, 16, 18, 32),
  areas: fc.constantFrom(1, 2, 4),
  segments: fc.constantFrom(1, 2),
});

it('finds, splits and joins runs as a plain list of slots does, and leaves every slot free', () => {
  const memory = new PhysicalMemory();
  memory.addRam(physAddr(0), 2 ** 31);
  fc.assert(
    fc.property(shape, fc.array(step, { maxLength: 60 }), ({ min, boundaryBits, areas, segments }, steps) => {
      const boundary = dmaBitMask(boundaryBits);
      const slots = areas * segments * 128;
      const pool = new SwiotlbPool({ start: physAddr(START), slots, areas });
      const plain = new PlainPool(START, slots, areas);
      const platform = new DmaPlatform({ memory, cpus: 8, swiotlb: { active: true, pool } });
      const dev = pciDevice({ name: 'dev', platform });
      dev.minAlignMask = min;
      dev.segmentBoundaryMask = boundary;
      const live: (Taken & { readonly address: number })[] = [];
      const free = (at: number): void => {
        const [gone] = live.splice(at, 1);
        if (gone === undefined) return;
        pool.unmap(dev, physAddr(gone.address), 1, 'to-device', NO_ATTRS);
        plain.release(gone);
      };
      for (const { frees, pick, size, orig, align, cpu } of steps) {
        platform.currentCpu = cpu;
        if (frees && live.length > 0) free(pick % live.length);
        else {
          const expected = plain.map(orig, size, align, min, boundary, cpu);
          expect(pool.map(dev, physAddr(orig), size, align)).toBe(expected?.address ?? -1);
          if (expected !== null) live.push(expected);
        }
        expect(pool.freeRuns).toEqual(plain.taken.map((_, slot) => plain.run(slot)));
        expect(pool.areas).toEqual(plain.indexes.map((index, area) => ({ used: plain.used(area), index })));
      }
      while (live.length > 0) free(live.length - 1);
      expect(pool.usedSlots).toBe(0);
      expect(pool.freeRuns).toEqual(Array.from({ length: slots }, (_, slot) => 128 - (slot % 128)));
    }),
    { numRuns: 60 },
  );
});

it('keeps mappings apart, within a segment, and at the offset of the buffer', () => {
  const memory = new PhysicalMemory();
  memory.addRam(physAddr(0), 2 ** 31);
  const sizes = fc.array(fc.tuple(fc.integer({ min: 1, max: 60000 }), fc.integer({ min: 1, max: 2 ** 29 })), {
    minLength: 1,
    maxLength: 40,
  });
  fc.assert(
    fc.property(sizes, (wanted) => {
      const pool = new SwiotlbPool({ start: physAddr(START), slots: 1024 });
      const platform = new DmaPlatform({ memory, swiotlb: { active: true, pool } });
      const dev = pciDevice({ name: 'dev', platform });
      dev.minAlignMask = 4095;
      const ends: [number, number][] = [];
      for (const [size, orig] of wanted) {
        const address = pool.map(dev, physAddr(orig), size, 4095);
        if (address === -1) continue;
        const into = byteDistance(physAddr(START), address);
        expect(offsetWithin(address, 4096)).toBe(orig % 4096);
        expect(Math.floor(into / (128 * SLOT))).toBe(Math.floor((into + size - 1) / (128 * SLOT)));
        ends.push([address, Number(addOffset(address, size))]);
      }
      ends.sort(([left], [right]) => left - right);
      for (const [at, [start]] of ends.entries())
        expect(start).toBeGreaterThanOrEqual(ends[at - 1]?.[1] ?? 0);
    }),
    { numRuns: 40 },
  );
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addOffset, physAddr } from '../addresses.ts';
import { seededChoices } from '../choice-policy.ts';
import { PhysicalMemory } from '../physical-memory.ts';
import { CpuCache, type CpuCacheOptions } from './cpu-cache.ts';

const BASE = physAddr(0x10000);
const SPAN = 1024;

function cached(options: Partial<CpuCacheOptions> = {}) {
  const memory = new PhysicalMemory();
  memory.addRam(physAddr(0), 1 << 20);
  return { memory, cache: new CpuCache({ memory, ...options }) };
}

const bytesOf = (...values: number[]): Uint8Array => Uint8Array.from(values);

function seen(
  view: { read(address: typeof BASE, into: Uint8Array): boolean },
  offset: number,
  count = 1,
): number[] {
  const into = new Uint8Array(count);
  expect(view.read(addOffset(BASE, offset), into)).toBe(true);
  return [...into];
}

describe('a store', () => {
  it('stays in the cache until it is cleaned and a barrier has passed', () => {
    const { memory, cache } = cached();
    cache.write(BASE, bytesOf(7));
    expect([seen(cache, 0), seen(memory, 0), cache.stateOf(BASE)]).toEqual([[7], [0], 'dirty']);
    cache.clean(BASE, 1);
    expect([seen(cache, 0), seen(memory, 0), cache.stateOf(BASE)]).toEqual([[7], [0], 'clean']);
    cache.barrier();
    expect(seen(memory, 0)).toEqual([7]);
  });

  it('behind a clean needs another one', () => {
    const { memory, cache } = cached();
    cache.write(BASE, bytesOf(7));
    cache.clean(BASE, 1);
    cache.write(BASE, bytesOf(8));
    cache.barrier();
    expect([seen(memory, 0), seen(cache, 0)]).toEqual([[7], [8]]);
  });

  it('arrives by eviction at any time, and nothing older behind it', () => {
    const { memory, cache } = cached();
    cache.write(BASE, bytesOf(7));
    cache.clean(BASE, 1);
    cache.write(BASE, bytesOf(8));
    cache.evict(BASE);
    cache.barrier();
    expect([seen(memory, 0), cache.stateOf(BASE)]).toEqual([[8], 'absent']);
  });
});

describe('what a device writes', () => {
  it('is hidden by a line that is held, and seen when it was invalidated', () => {
    const { memory, cache } = cached();
    cache.prefetch(BASE, 64);
    memory.write(BASE, bytesOf(9));
    expect(seen(cache, 0)).toEqual([0]);
    cache.invalidate(BASE, 64);
    expect(seen(cache, 0)).toEqual([9]);
  });

  it('is overwritten by a dirty line that is evicted late', () => {
    const { memory, cache } = cached();
    cache.write(addOffset(BASE, 1), bytesOf(1));
    memory.write(BASE, bytesOf(9));
    cache.evictAll();
    expect(seen(memory, 0, 2)).toEqual([0, 1]);
  });
});

describe('invalidation of a part of a line', () => {
  it.each([
    ['clean', 5],
    ['drop', 0],
  ] as const)('%s: what the neighbour stored is %i', (partial, neighbour) => {
    const { memory, cache } = cached();
    cache.write(addOffset(BASE, 3), bytesOf(5));
    cache.invalidate(BASE, 2, partial);
    cache.barrier();
    expect([seen(memory, 3), seen(cache, 3)]).toEqual([[neighbour], [neighbour]]);
    expect(cache.counters.dirtyDropped).toBe(partial === 'drop' ? 1 : 0);
  });

  it('of a whole line loses what was stored, whatever is said of parts', () => {
    const { cache } = cached();
    cache.write(addOffset(BASE, 3), bytesOf(5));
    cache.invalidate(BASE, 64, 'clean');
    expect(seen(cache, 3)).toEqual([0]);
  });

  it('with cleaning keeps all', () => {
    const { memory, cache } = cached();
    cache.write(addOffset(BASE, 3), bytesOf(5));
    cache.cleanInvalidate(BASE, 64);
    expect([seen(cache, 3), seen(memory, 3)]).toEqual([[5], [0]]);
    cache.barrier();
    expect(seen(memory, 3)).toEqual([5]);
  });
});

describe('MMIO and what nobody owns', () => {
  it('pass by', () => {
    const { memory, cache } = cached();
    const stored: number[] = [];
    memory.addMmio(physAddr(0x100000), 4096, {
      mmioRead: (offset, into) => {
        into.fill(offset);
        return true;
      },
      mmioWrite: (_offset, from) => stored.push(...from) > 0,
    });
    const into = new Uint8Array(2);
    expect(cache.read(physAddr(0x100004), into)).toBe(true);
    expect([...into]).toEqual([4, 4]);
    expect(cache.write(physAddr(0x100004), bytesOf(1, 2))).toBe(true);
    expect(stored).toEqual([1, 2]);
    expect(cache.read(physAddr(0x900000), into)).toBe(false);
    expect(cache.write(physAddr(0x900000), into)).toBe(false);
    expect(cache.lines).toBe(0);
  });
});

describe('the CPU alone', () => {
  const step = fc.record({
    op: fc.constantFrom(
      'write',
      'read',
      'evict',
      'prefetch',
      'clean',
      'clean-invalidate',
      'barrier',
      'edges',
    ),
    offset: fc.integer({ min: 0, max: SPAN - 1 }),
    count: fc.integer({ min: 1, max: 200 }),
    value: fc.integer({ min: 1, max: 255 }),
  });

  it('always sees what it stored last, whatever the cache does, and memory has it in the end', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.integer(),
        fc.integer({ min: 1, max: 12 }),
        (steps, seed, capacity) => {
          const { memory, cache } = cached({ capacityLines: capacity, victim: seededChoices(seed) });
          const expected = new Uint8Array(SPAN);
          for (const { op, offset, count: wanted, value } of steps) {
            const count = Math.min(wanted, SPAN - offset);
            const at = addOffset(BASE, offset);
            if (op === 'write') {
              cache.write(at, new Uint8Array(count).fill(value));
              expected.fill(value, offset, offset + count);
            } else if (op === 'read')
              expect(seen(cache, offset, count)).toEqual([...expected.subarray(offset, offset + count)]);
            else if (op === 'evict') cache.evict(at);
            else if (op === 'prefetch') cache.prefetch(at, count);
            else if (op === 'clean') cache.clean(at, count);
            else if (op === 'clean-invalidate') cache.cleanInvalidate(at, count);
            else if (op === 'barrier') cache.barrier();
            // A range without a whole line: both its ends are parts of lines, so nothing is lost.
            else cache.invalidate(at, Math.min(count, 1), 'clean');
            expect(cache.lines).toBeLessThanOrEqual(capacity);
          }
          expect(seen(cache, 0, SPAN)).toEqual([...expected]);
          cache.clean(BASE, SPAN);
          cache.barrier();
          expect(seen(memory, 0, SPAN)).toEqual([...expected]);
          expect(cache.dirtyLines).toBe(0);
        },
      ),
    );
  });
});

// What a non-coherent device and its CPU really see: with the right maintenance the bytes of the other, without one
// piece of it exactly the old ones.
import {
  type DmaDataDirection,
  dmaAllocCoherent,
  dmaFreeCoherent,
  dmaMapPhys,
  dmaSyncSingleForCpu,
  dmaUnmapPhys,
} from '@sgfree/dma-core';
import { addOffset, type DmaAddr, dmaAddr, physAddr, seededChoices } from '@sgfree/hw-model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  byList,
  bySingle,
  inTwoSteps,
  inTwoStepsUnlinked,
  type Maintenance,
  type MappingWay,
} from './mapping-way.ts';
import {
  BYTES,
  deviceReads,
  deviceWrites,
  loads,
  mappedAt,
  NEW,
  NEWER,
  PIECES,
  prepared,
  stores,
  WAYS,
} from './non-coherent-buffers.ts';
import { NonCoherentMachine } from './non-coherent-machine.ts';

/** What the device reads after the map, and after the CPU has stored again and given the buffer back. */
function toDevice(way: MappingWay, without?: Maintenance): string[] {
  const machine = prepared();
  stores(machine, NEW);
  const buffer = way(machine, PIECES, BYTES, 'to-device', without);
  const first = deviceReads(machine, buffer);
  buffer.syncForCpu();
  stores(machine, NEWER);
  buffer.syncForDevice();
  const second = deviceReads(machine, buffer);
  buffer.unmap();
  return [first, second];
}

/** What the CPU loads in its turn, and after the unmap. Speculation fills the lines as soon as it may. */
function fromDevice(way: MappingWay, dir: DmaDataDirection, without?: Maintenance): string[] {
  const machine = prepared();
  loads(machine);
  const buffer = way(machine, PIECES, BYTES, dir, without);
  deviceWrites(machine, buffer, NEW);
  buffer.syncForCpu();
  const first = loads(machine);
  buffer.syncForDevice();
  deviceWrites(machine, buffer, NEWER);
  buffer.unmap();
  return [first, loads(machine)];
}

describe.each(WAYS)('to the device by %s', (_name, way) => {
  it('with all maintenance the device reads what the CPU stored', () => {
    expect(toDevice(way)).toEqual(['new', 'newer']);
  });

  it('without that of the map it reads the old bytes, until a sync', () => {
    expect(toDevice(way, 'map')).toEqual(['old', 'newer']);
  });

  it('without the sync for the device it reads what was there at the map', () => {
    expect(toDevice(way, 'sync-for-device')).toEqual(['new', 'new']);
  });

  it.each(['sync-for-cpu', 'unmap'] as const)('%s is nothing in this direction', (without) => {
    expect(toDevice(way, without)).toEqual(['new', 'newer']);
  });
});

describe.each(WAYS)('from the device by %s', (_name, way) => {
  const directions = ['from-device', 'bidirectional'] as const;

  it.each(directions)('%s: with all maintenance the CPU loads what the device wrote', (dir) => {
    expect(fromDevice(way, dir)).toEqual(['new', 'newer']);
  });

  it.each(directions)('%s: without the sync for the CPU it loads the old bytes, until the unmap', (dir) => {
    expect(fromDevice(way, dir, 'sync-for-cpu')).toEqual(['old', 'newer']);
  });

  it.each(directions)('%s: without that of the unmap it loads what it held', (dir) => {
    expect(fromDevice(way, dir, 'unmap')).toEqual(['new', 'new']);
  });

  it('without that of the map a dirty line falls over what the device wrote', () => {
    const outcome = (without?: Maintenance): string => {
      const machine = prepared();
      stores(machine, NEWER);
      const buffer = way(machine, PIECES, BYTES, 'from-device', without);
      deviceWrites(machine, buffer, NEW);
      machine.cache.evictAll();
      buffer.unmap();
      return loads(machine);
    };
    expect([outcome(), outcome('map')]).toEqual(['new', 'newer']);
  });
});

describe('two steps', () => {
  it.each([
    ['destroy', inTwoSteps],
    ['unlink', inTwoStepsUnlinked],
  ] as const)('with %s: without dma_iova_sync nothing has arrived in memory yet', (_name, way) => {
    const firstRead = (without?: Maintenance): string => {
      const machine = prepared();
      stores(machine, NEW);
      return deviceReads(machine, way(machine, PIECES, BYTES, 'to-device', without));
    };
    expect([firstRead(), firstRead('sync-links'), firstRead('map')]).toEqual(['new', 'old', 'old']);
  });

  it('unlink takes stale lines away, and without its maintenance leaves them', () => {
    const outcome = (without?: Maintenance): string => {
      const machine = prepared();
      loads(machine);
      const buffer = inTwoStepsUnlinked(machine, PIECES, BYTES, 'from-device', without);
      deviceWrites(machine, buffer, NEW);
      buffer.unmap();
      return loads(machine);
    };
    expect([outcome(), outcome('unmap')]).toEqual(['new', 'old']);
  });
});

describe('bounced', () => {
  const phys = physAddr(0x50_0200);
  const data = NEW.subarray(0, 256);

  it('the copies go by the cache, and the slot is cleaned and invalidated', () => {
    const machine = new NonCoherentMachine({ untrusted: true });
    const { dev } = machine;
    machine.store(phys, data);
    const dma = mappedAt(dmaMapPhys(dev, phys, 256, 'bidirectional', {}));
    expect(Buffer.compare(machine.deviceReads(dma, 256), data)).toBe(0);
    const answer = NEWER.subarray(0, 256);
    machine.deviceWrites(dma, answer);
    dmaSyncSingleForCpu(dev, dma, 256, 'bidirectional');
    expect(Buffer.compare(machine.load(phys, 256), answer)).toBe(0);
    // The copy back is a store: memory itself still has nothing of the buffer.
    expect(machine.cache.stateOf(phys)).toBe('dirty');
    dmaUnmapPhys(dev, dma, 256, 'bidirectional', {});
    expect(Buffer.compare(machine.load(phys, 256), answer)).toBe(0);
  });
});

describe('coherent memory', () => {
  it('of pages that still had lines is zero for the device, and stays what it writes', () => {
    const machine = new NonCoherentMachine();
    const first = dmaAllocCoherent(machine.dev, 4096);
    if (first === null) throw new Error('no coherent memory');
    dmaFreeCoherent(machine.dev, first);
    machine.store(first.phys, NEW.subarray(0, 4096));
    const again = dmaAllocCoherent(machine.dev, 4096);
    if (again === null || again.phys !== first.phys) throw new Error('other pages');
    expect([...machine.deviceReads(again.dma, 4096)].every((byte) => byte === 0)).toBe(true);
    machine.deviceWrites(again.dma, NEW.subarray(0, 4096));
    machine.cache.evictAll();
    expect(Buffer.compare(machine.inMemory(again.phys, 4096), NEW.subarray(0, 4096))).toBe(0);
  });
});

describe('a device that snoops', () => {
  it.each(WAYS)('%s: needs no maintenance: nothing is cleaned and nothing invalidated', (_name, way) => {
    const machine = prepared({ coherent: true });
    stores(machine, NEW);
    const before = { ...machine.cache.counters };
    const buffer = way(machine, PIECES, BYTES, 'bidirectional');
    buffer.syncForDevice();
    buffer.syncForCpu();
    buffer.unmap();
    const block = dmaAllocCoherent(machine.dev, 8192);
    if (block === null) throw new Error('no coherent memory');
    dmaFreeCoherent(machine.dev, block);
    expect(machine.cache.counters).toEqual(before);
    expect(machine.cache.dirtyLines).toBe(PIECES.length * (BYTES / 64));
  });
});

describe('the right calls', () => {
  const turn = fc.record({
    device: fc.boolean(),
    offset: fc.integer({ min: 0, max: 255 }),
    count: fc.integer({ min: 1, max: 256 }),
    value: fc.integer({ min: 0, max: 255 }),
    way: fc.constantFrom(bySingle, byList, inTwoSteps),
    evictions: fc.array(fc.integer({ min: 0, max: 511 }), { maxLength: 6 }),
    prefetches: fc.array(fc.integer({ min: 0, max: 511 }), { maxLength: 6 }),
  });

  it('keep both sides in agreement, whatever the cache evicts and fills on its own', () => {
    fc.assert(
      fc.property(
        fc.array(turn, { maxLength: 14 }),
        fc.integer(),
        fc.integer({ min: 1, max: 40 }),
        (turns, seed, lines) => {
          const machine = new NonCoherentMachine({
            cache: { capacityLines: lines, victim: seededChoices(seed) },
          });
          const phys = physAddr(0x66_0000);
          const expected = new Uint8Array(512);
          const unrest = (evictions: readonly number[], prefetches: readonly number[]): void => {
            for (const at of prefetches) machine.cache.prefetch(addOffset(phys, at), 1);
            for (const at of evictions) machine.cache.evict(addOffset(phys, at));
          };
          for (const { device, offset, count, value, way, evictions, prefetches } of turns) {
            const bytes = new Uint8Array(count).fill(value);
            if (device) {
              const buffer = way(machine, [phys], 4096, 'bidirectional');
              unrest(evictions, prefetches);
              const [piece] = buffer.pieces;
              const dma: DmaAddr = piece?.dma ?? dmaAddr(0);
              expect(Buffer.compare(machine.deviceReads(dma, 512), expected)).toBe(0);
              machine.deviceWrites(addOffset(dma, offset), bytes);
              unrest(evictions, prefetches);
              buffer.unmap();
            } else {
              machine.store(addOffset(phys, offset), bytes);
              unrest(evictions, prefetches);
            }
            expected.set(bytes, offset);
            expect(Buffer.compare(machine.load(phys, 512), expected)).toBe(0);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

// Lines that a buffer shares, dirties or leaves to speculation: which bytes survive, and whose.
import { dmaMapPhys, dmaUnmapPhys } from '@sgfree/dma-core';
import { addOffset, physAddr } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { bySingle, type Maintenance } from './mapping-way.ts';
import {
  BYTES,
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
import { NonCoherentMachine, type NonCoherentOptions } from './non-coherent-machine.ts';

describe('the edges of a buffer that does not fill its lines', () => {
  // Bytes 16 to 112 of two lines; the neighbour owns the rest.
  const phys = physAddr(0x50_0000);
  const buffer = addOffset(phys, 16);
  const NEIGHBOUR = Uint8Array.from({ length: 16 }, () => 0xee);
  const DATA = Uint8Array.from({ length: 96 }, (_one, at) => at + 1);

  function afterwards(
    options: NonCoherentOptions,
    storeInBetween: boolean,
  ): { buffer: number[]; before: number[] } {
    const machine = new NonCoherentMachine(options);
    const { dev } = machine;
    machine.store(
      phys,
      Uint8Array.from({ length: 16 }, () => 0x11),
    );
    const dma = mappedAt(dmaMapPhys(dev, buffer, 96, 'from-device', {}));
    if (storeInBetween) machine.store(phys, NEIGHBOUR);
    machine.deviceWrites(dma, DATA);
    dmaUnmapPhys(dev, dma, 96, 'from-device', {});
    return { buffer: [...machine.load(buffer, 96)], before: [...machine.load(phys, 16)] };
  }

  it('keeps both when the neighbour is quiet', () => {
    expect(afterwards({}, false)).toEqual({
      buffer: [...DATA],
      before: Array.from({ length: 16 }, () => 0x11),
    });
  });

  it('cleaned: the neighbour keeps its store, the device loses the rest of that line', () => {
    const expected = [...Array.from({ length: 48 }, () => 0), ...DATA.subarray(48)];
    expect(afterwards({}, true)).toEqual({ buffer: expected, before: [...NEIGHBOUR] });
  });

  it('dropped: the device keeps its bytes, the neighbour loses its store', () => {
    const seen = afterwards({ policy: { partialLines: 'drop' } }, true);
    expect(seen).toEqual({ buffer: [...DATA], before: Array.from({ length: 16 }, () => 0x11) });
  });

  it('dropped before the device writes, the neighbour loses what it had stored before the map too', () => {
    const policy = { partialLines: 'drop', fromDevice: 'invalidate' } as const;
    expect(afterwards({ policy }, false).before).toEqual(Array.from({ length: 16 }, () => 0));
    expect(afterwards({ policy: { ...policy, partialLines: 'clean' } }, false).before).toEqual(
      Array.from({ length: 16 }, () => 0x11),
    );
  });
});

describe('two buffers that share a line', () => {
  // The device writes the first 32 bytes of a line and reads the other 32.
  const line = physAddr(0x50_0000);
  const second = addOffset(line, 32);
  const written = NEW.subarray(0, 32);
  const stored = NEWER.subarray(32, 64);

  it.each(['clean', 'drop'] as const)(
    '%s: mapped before the device writes, both are whole',
    (partialLines) => {
      const machine = new NonCoherentMachine({ policy: { partialLines } });
      machine.store(second, stored);
      const out = mappedAt(dmaMapPhys(machine.dev, second, 32, 'to-device', {}));
      const into = mappedAt(dmaMapPhys(machine.dev, line, 32, 'from-device', {}));
      machine.deviceWrites(into, written);
      expect([...machine.deviceReads(out, 32)]).toEqual([...stored]);
      dmaUnmapPhys(machine.dev, into, 32, 'from-device', {});
      dmaUnmapPhys(machine.dev, out, 32, 'to-device', {});
      expect([...machine.load(line, 64)]).toEqual([...written, ...stored]);
    },
  );

  it('mapping one while the device owns the other sends the stale half over what the device wrote', () => {
    const machine = prepared();
    const into = mappedAt(dmaMapPhys(machine.dev, line, 32, 'from-device', {}));
    machine.store(second, stored);
    machine.deviceWrites(into, written);
    const out = mappedAt(dmaMapPhys(machine.dev, second, 32, 'to-device', {}));
    dmaUnmapPhys(machine.dev, into, 32, 'from-device', {});
    expect([...machine.load(line, 32)].every((byte) => byte === 0)).toBe(true);
    expect([...machine.deviceReads(out, 32)]).toEqual([...stored]);
  });
});

describe('stores while the device owns the buffer', () => {
  /** What the CPU loads after the unmap; `evicted`: the dirty lines leave on their own before it. */
  function afterwards(evicted: boolean): string {
    const machine = prepared();
    const buffer = bySingle(machine, PIECES, BYTES, 'from-device');
    stores(machine, NEWER);
    deviceWrites(machine, buffer, NEW);
    if (evicted) machine.cache.evictAll();
    buffer.unmap();
    return loads(machine);
  }

  it('are lost, or fall over what the device wrote when their lines are evicted', () => {
    expect([afterwards(false), afterwards(true)]).toEqual(['new', 'newer']);
  });
});

describe('lines that speculation fills between the map and the device', () => {
  it.each(WAYS)(
    '%s: are forgotten by the unmap; an invalidation before the device writes is too early',
    (_name, way) => {
      const outcome = (without?: Maintenance): string => {
        const machine = prepared({ policy: { fromDevice: 'invalidate' } });
        const buffer = way(machine, PIECES, BYTES, 'from-device', without);
        for (const phys of PIECES) machine.cache.prefetch(phys, BYTES);
        deviceWrites(machine, buffer, NEW);
        buffer.unmap();
        return loads(machine);
      };
      expect([outcome(), outcome('unmap'), outcome('map')]).toEqual(['new', 'old', 'new']);
    },
  );
});

describe('a sync twice', () => {
  it.each(WAYS)('%s: does nothing the second time', (_name, way) => {
    const machine = prepared();
    const buffer = way(machine, PIECES, BYTES, 'bidirectional');
    stores(machine, NEW);
    buffer.syncForDevice();
    const { writeBacks } = machine.cache.counters;
    buffer.syncForDevice();
    expect(machine.cache.counters.writeBacks).toBe(writeBacks);
    deviceWrites(machine, buffer, NEWER);
    buffer.syncForCpu();
    buffer.syncForCpu();
    expect(loads(machine)).toBe('newer');
    expect(machine.cache.counters).toEqual({ fills: 4 * (BYTES / 64), writeBacks, dirtyDropped: 0 });
    buffer.unmap();
  });
});

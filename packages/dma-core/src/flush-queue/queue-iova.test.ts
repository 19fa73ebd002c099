// The flush queue of a lazy domain: when it flushes, what it frees and where, and that it leaves nothing behind.

import { Clock, type DmaAddr, type PhysAddr, physAddr } from '@sgfree/hw-model';
import { iommuDomainFree, iommuIovaToPhys } from '@sgfree/iommu';
import { describe, expect, it } from 'vitest';
import { leftovers, mapped, type TestMachine, takeTrace, testMachine } from '../../test/vtd-machine.ts';
import {
  dmaAllocCoherent,
  dmaFreeCoherent,
  dmaMapPhys,
  dmaUnmapPhys,
  type FlushQueue,
  fqFlushTimeout,
  type IommuDmaCookie,
  iommuDmaInitFq,
  iommuDmaInitOptions,
  iommuGetDmaCookie,
  NO_ATTRS,
} from '../index.ts';

const PAGE = 4096;
const BUFFER: PhysAddr = physAddr(0x100_0000);

interface LazyMachine extends TestMachine {
  readonly clock: Clock;
  readonly cookie: IommuDmaCookie;
  readonly queue: FlushQueue;
}

function lazyMachine(cpus = 1, shadowOnFlush = false): LazyMachine {
  const clock = new Clock();
  const machine = testMachine({ type: 'dma-fq', platform: { cpus, clock }, device: { shadowOnFlush } });
  const cookie = iommuGetDmaCookie(machine.domain);
  if (cookie.flushQueue === null) throw new Error('the domain is strict');
  return { ...machine, clock, cookie, queue: cookie.flushQueue };
}

const map = ({ dev }: TestMachine, bytes: number = PAGE): DmaAddr =>
  mapped(dmaMapPhys(dev, BUFFER, bytes, 'to-device', NO_ATTRS));
const unmap = ({ dev }: TestMachine, address: DmaAddr, bytes: number = PAGE): void =>
  dmaUnmapPhys(dev, address, bytes, 'to-device', NO_ATTRS);

function mapAndUnmap(machine: TestMachine, times: number): void {
  for (let done = 0; done < times; done += 1) unmap(machine, map(machine));
}

const counters = ({ queue }: LazyMachine): [number, number] => [queue.startCount, queue.finishCount];
const flushesIn = (machine: TestMachine): number =>
  takeTrace(machine).filter((line) => line.startsWith('sync')).length;

describe('unmapping', () => {
  it('takes the entry out at once, does not flush, and keeps the address', () => {
    const machine = lazyMachine();
    const address = map(machine);
    takeTrace(machine);
    unmap(machine, address);
    expect(takeTrace(machine)).toEqual(['unmap fffff000 1000 1000']);
    expect(iommuIovaToPhys(machine.domain, address)).toBe(0);
    expect(map(machine)).not.toBe(address);
    expect(machine.queue.pending).toBe(1);
  });

  it.each([
    ['a ring for each CPU', false, 255],
    ['one ring for all', true, 32767],
  ])('%s: the unmap after %i finds it full, flushes, and is queued', (_name, single, usable) => {
    const machine = lazyMachine(1, single);
    machine.log.enabled = false;
    mapAndUnmap(machine, usable);
    expect([machine.queue.pending, ...counters(machine)]).toEqual([usable, 0, 0]);
    mapAndUnmap(machine, 1);
    expect([machine.queue.pending, ...counters(machine)]).toEqual([1, 1, 1]);
    mapAndUnmap(machine, usable);
    expect([machine.queue.pending, ...counters(machine)]).toEqual([1, 2, 2]);
  });

  it('coherent memory is queued too', () => {
    const machine = lazyMachine();
    const block = dmaAllocCoherent(machine.dev, PAGE);
    if (block === null) throw new Error('no memory');
    takeTrace(machine);
    dmaFreeCoherent(machine.dev, block);
    expect(flushesIn(machine)).toBe(0);
    expect(machine.queue.pending).toBe(1);
  });

  it('the address of a failed map is free at once', () => {
    const machine = lazyMachine();
    machine.frames.failAfter = 0;
    expect(dmaMapPhys(machine.dev, BUFFER, PAGE, 'to-device', NO_ATTRS)).toBe(-1);
    expect(machine.queue.pending).toBe(0);
    expect(leftovers(machine)).toEqual({ entries: 0, ranges: 0 });
  });
});

describe('the timer', () => {
  it('flushes 10 ms after the first range was queued, and is armed again by the next', () => {
    const machine = lazyMachine();
    mapAndUnmap(machine, 1);
    machine.clock.advanceMs(6);
    mapAndUnmap(machine, 1);
    takeTrace(machine);
    machine.clock.advanceMs(3);
    expect([flushesIn(machine), machine.queue.pending, machine.queue.timerOn]).toEqual([0, 2, true]);
    machine.clock.advanceMs(1);
    expect([flushesIn(machine), machine.queue.pending, machine.queue.timerOn]).toEqual([1, 0, false]);
    machine.clock.advanceMs(100);
    expect(counters(machine)).toEqual([1, 1]);
    mapAndUnmap(machine, 1);
    machine.clock.advanceMs(10);
    expect(counters(machine)).toEqual([2, 2]);
    expect(leftovers(machine)).toEqual({ entries: 0, ranges: 0 });
  });

  it('waits a second where a flush is expensive', () => {
    const machine = lazyMachine(2, true);
    mapAndUnmap(machine, 1);
    machine.clock.advanceMs(999);
    expect(counters(machine)).toEqual([0, 0]);
    machine.clock.advanceMs(1);
    expect(counters(machine)).toEqual([1, 1]);
  });

  it('flushes even when a full ring has flushed everything before', () => {
    const machine = lazyMachine();
    mapAndUnmap(machine, 256);
    machine.clock.advanceMs(10);
    expect([machine.queue.pending, ...counters(machine)]).toEqual([0, 2, 2]);
    fqFlushTimeout(machine.cookie, 0);
    expect(counters(machine)).toEqual([3, 3]);
  });

  it('fired by hand, it does not fire by the clock again', () => {
    const machine = lazyMachine();
    mapAndUnmap(machine, 1);
    fqFlushTimeout(machine.cookie, 0);
    machine.clock.advanceMs(10);
    expect(counters(machine)).toEqual([1, 1]);
  });

  it('does nothing on a strict domain', () => {
    const machine = testMachine();
    fqFlushTimeout(iommuGetDmaCookie(machine.domain), 0);
    expect(takeTrace(machine)).toEqual([]);
  });
});

describe('CPUs', () => {
  const onePageIn = ({ iovad }: TestMachine, cpu: number): number => iovad.magazineFills(cpu)[0]?.[0] ?? 0;

  it('each queues to its own ring; the one that flushes frees its own only', () => {
    const machine = lazyMachine(2);
    const { dev, queue } = machine;
    dev.platform.currentCpu = 1;
    mapAndUnmap(machine, 3);
    dev.platform.currentCpu = 0;
    mapAndUnmap(machine, 256);
    expect(queue.rings.map(({ length }) => length)).toEqual([1, 3]);
    // The three have been flushed, and CPU 1 notices when it queues the next.
    dev.platform.currentCpu = 1;
    mapAndUnmap(machine, 1);
    expect(queue.rings.map(({ length }) => length)).toEqual([1, 1]);
  });

  it('the timer frees every ring into the caches of the CPU where it runs', () => {
    const machine = lazyMachine(4);
    for (const cpu of [0, 1, 2]) {
      machine.dev.platform.currentCpu = cpu;
      mapAndUnmap(machine, 2);
    }
    fqFlushTimeout(machine.cookie, 3);
    expect(machine.queue.pending).toBe(0);
    expect([0, 1, 2, 3].map((cpu) => Math.max(onePageIn(machine, cpu), 0))).toEqual([0, 0, 0, 6]);
  });

  it('the clock fires it on the CPU that armed it', () => {
    const machine = lazyMachine(2);
    machine.dev.platform.currentCpu = 1;
    mapAndUnmap(machine, 1);
    machine.dev.platform.currentCpu = 0;
    mapAndUnmap(machine, 1);
    machine.clock.advanceMs(10);
    expect(onePageIn(machine, 1)).toBe(2);
  });

  it('there is no ring for a CPU that does not exist', () => {
    expect(() => lazyMachine(2).queue.ringOf(2)).toThrow(RangeError);
    expect(lazyMachine(2, true).queue.ringOf(1).size).toBe(32768);
  });

  it.each([
    [1, false, 10256],
    [8, false, 82048],
    [8, true, 1310736],
  ])('%i CPUs, single %s: %i bytes', (cpus, single, bytes) => {
    expect(lazyMachine(cpus, single).queue.footprintBytes).toBe(bytes);
  });
});

describe('table pages', () => {
  const BIG = 4 * 2 ** 20;
  // An odd physical start: small pages, so that unmapping frees whole tables.
  const source = physAddr(0x100_1000);

  function queueTables(machine: LazyMachine): { before: number; during: number } {
    unmap(machine, map(machine));
    const before = machine.frames.liveFrames;
    const address = mapped(dmaMapPhys(machine.dev, source, BIG, 'to-device', NO_ATTRS));
    const during = machine.frames.liveFrames;
    dmaUnmapPhys(machine.dev, address, BIG, 'to-device', NO_ATTRS);
    return { before, during };
  }

  it('ride in the queue until the flush', () => {
    const machine = lazyMachine();
    const { before, during } = queueTables(machine);
    expect(during).toBe(before + 2);
    expect(machine.frames.liveFrames).toBe(during);
    machine.clock.advanceMs(10);
    expect(machine.frames.liveFrames).toBe(before);
  });

  it('that wait go with the domain, without a flush, and the timer stops', () => {
    const machine = lazyMachine();
    queueTables(machine);
    takeTrace(machine);
    iommuDomainFree(machine.domain);
    expect(machine.frames.liveFrames).toBe(0);
    machine.clock.advanceMs(100);
    expect(flushesIn(machine)).toBe(0);
    expect(machine.cookie.flushQueue).toBeNull();
    expect(machine.clock.nextDueMs).toBeUndefined();
  });

  it('a strict domain goes as cleanly', () => {
    const machine = testMachine();
    unmap(machine, map(machine));
    iommuDomainFree(machine.domain);
    expect(machine.frames.liveFrames).toBe(0);
  });
});

it('a strict domain can become lazy while it is used', () => {
  const machine = testMachine();
  const { domain, dev } = machine;
  const address = map(machine);
  const cookie = iommuGetDmaCookie(domain);
  expect(iommuDmaInitFq(cookie, dev.platform, iommuDmaInitOptions(false))).toBe(0);
  const queue = cookie.flushQueue;
  expect(iommuDmaInitFq(cookie, dev.platform, iommuDmaInitOptions(true))).toBe(0);
  expect(cookie.flushQueue).toBe(queue);
  takeTrace(machine);
  unmap(machine, address);
  expect(flushesIn(machine)).toBe(0);
  expect(queue?.pending).toBe(1);
  // Without a clock the timer is on and fires when it is told to.
  expect(queue?.timerOn).toBe(true);
  fqFlushTimeout(cookie, 0);
  expect(leftovers(machine)).toEqual({ entries: 0, ranges: 0 });
});

it('without room for the rings the domain stays strict', () => {
  const asked: number[] = [];
  const allocateFlushQueue = (bytes: number): boolean => {
    asked.push(bytes);
    return false;
  };
  const machine = testMachine({ type: 'dma-fq', platform: { cpus: 3, allocateFlushQueue } });
  expect(asked).toEqual([3 * 10256]);
  const address = map(machine);
  takeTrace(machine);
  unmap(machine, address);
  expect(flushesIn(machine)).toBe(1);
});

// Random calls on several CPUs against plain arrays: which ranges wait where, how many flushes there were, and that no
// address comes back before a flush has begun and ended since its unmap.

import { Clock, type DmaAddr, physAddr } from '@sgfree/hw-model';
import { iommuDomainFree } from '@sgfree/iommu';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { leftovers, mapped, testMachine } from '../../test/vtd-machine.ts';
import { dmaMapPhys, dmaUnmapPhys, iommuGetDmaCookie, NO_ATTRS } from '../index.ts';

const CPUS = 3;
const USABLE = 255;
const TIMEOUT_MS = 10;

/** The queue as arrays: each entry is the number of flushes begun before it. */
class PlainQueue {
  readonly rings: number[][] = Array.from({ length: CPUS }, () => []);
  flushes = 0;
  dueMs: number | null = null;

  queue(cpu: number, nowMs: number): void {
    this.#free(cpu);
    if (this.rings[cpu]?.length === USABLE) {
      this.flushes += 1;
      this.#free(cpu);
    }
    this.rings[cpu]?.push(this.flushes);
    this.dueMs ??= nowMs + TIMEOUT_MS;
  }

  pass(nowMs: number): void {
    if (this.dueMs === null || this.dueMs > nowMs) return;
    this.dueMs = null;
    this.flushes += 1;
    for (let cpu = 0; cpu < CPUS; cpu += 1) this.#free(cpu);
  }

  #free(cpu: number): void {
    const ring = this.rings[cpu] ?? [];
    while ((ring[0] ?? this.flushes) < this.flushes) ring.shift();
  }
}

type Step =
  | { readonly do: 'pairs'; readonly cpu: number; readonly pages: number; readonly count: number }
  | { readonly do: 'pass'; readonly ms: number };

const steps = fc.array(
  fc.oneof<fc.Arbitrary<Step>[]>(
    fc.record({
      do: fc.constant('pairs' as const),
      cpu: fc.nat({ max: CPUS - 1 }),
      pages: fc.constantFrom(1, 2, 3, 33, 600),
      count: fc.integer({ min: 1, max: 150 }),
    }),
    fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 12 }) }),
  ),
  { maxLength: 30 },
);

it('queues, flushes and frees as plain arrays do, and leaves nothing', () => {
  fc.assert(
    fc.property(steps, (run) => {
      const clock = new Clock();
      const machine = testMachine({ type: 'dma-fq', platform: { cpus: CPUS, clock } });
      machine.log.enabled = false;
      const { dev, domain, frames } = machine;
      const { flushQueue } = iommuGetDmaCookie(domain);
      const plain = new PlainQueue();
      /** Flushes begun when an address was last unmapped. */
      const unmappedAt = new Map<DmaAddr, number>();

      const pair = (cpu: number, bytes: number): void => {
        dev.platform.currentCpu = cpu;
        const address = mapped(dmaMapPhys(dev, physAddr(0x100_1000), bytes, 'to-device', NO_ATTRS));
        const before = unmappedAt.get(address);
        if (before !== undefined) expect(before).toBeLessThan(plain.flushes);
        dmaUnmapPhys(dev, address, bytes, 'to-device', NO_ATTRS);
        plain.queue(cpu, clock.nowMs);
        unmappedAt.set(address, plain.flushes);
      };

      for (const step of run) {
        if (step.do === 'pass') {
          clock.advanceMs(step.ms);
          plain.pass(clock.nowMs);
        } else for (let done = 0; done < step.count; done += 1) pair(step.cpu, step.pages * 4096);
        expect(flushQueue?.rings.map(({ length }) => length)).toEqual(plain.rings.map((ring) => ring.length));
        expect([flushQueue?.startCount, flushQueue?.finishCount]).toEqual([plain.flushes, plain.flushes]);
        expect(flushQueue?.timerOn).toBe(plain.dueMs !== null);
        expect(leftovers(machine)).toEqual({ entries: 0, ranges: flushQueue?.pending });
      }
      iommuDomainFree(domain);
      expect(frames.liveFrames).toBe(0);
    }),
    { numRuns: 60 },
  );
});

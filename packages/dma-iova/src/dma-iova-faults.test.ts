// Failures in the middle of a two-step mapping: whatever runs out, and wherever, a destroy of what was linked leaves no
// entry, no address and no bounce slot behind. And random sequences against a plain list of what is linked.

import { NO_ATTRS } from '@sgfree/dma-core';
import { addOffset, type PhysAddr, physAddr } from '@sgfree/hw-model';
import { iommuIovaToPhys } from '@sgfree/iommu';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leftovers, type TwoStepMachine, twoStepMachine } from '../test/two-step-machine.ts';
import {
  DmaIovaState,
  dmaIovaDestroy,
  dmaIovaFree,
  dmaIovaLink,
  dmaIovaSync,
  dmaIovaTryAlloc,
  dmaIovaUnlink,
} from './index.ts';

const PAGE = 4096;

/** One range of odd pieces: a head within its page, whole pages, a tail. */
const pieces: readonly (readonly [phys: number, bytes: number])[] = [
  [0x1000200, 0xe00],
  [0x2000000, 3 * PAGE],
  [0x1f_f000, 2 * 2 ** 20 + PAGE],
  [0x4000000, 0x234],
];
const TOTAL = pieces.reduce((sum, [, bytes]) => sum + bytes, 0);

/** Links all pieces; on failure takes back what was linked. The errno, or 0. */
function mapAndUnmap(machine: TwoStepMachine): number {
  const { dev } = machine;
  const state = new DmaIovaState();
  if (!dmaIovaTryAlloc(dev, state, physAddr(0x200), TOTAL)) return -12;
  let linked = 0;
  let errno = 0;
  for (const [phys, bytes] of pieces) {
    errno = dmaIovaLink(dev, state, physAddr(phys), linked, bytes, 'bidirectional', NO_ATTRS);
    if (errno !== 0) break;
    linked += bytes;
  }
  if (errno === 0) errno = dmaIovaSync(dev, state, 0, linked);
  dmaIovaDestroy(dev, state, linked, 'bidirectional', NO_ATTRS);
  return errno;
}

describe.each([
  ['trusted', false],
  ['untrusted, so that head and tail bounce', true],
])('a device that is %s', (_name, untrusted) => {
  const machineOf = (): TwoStepMachine => {
    const machine = twoStepMachine({ device: { untrusted } });
    machine.dev.minAlignMask = 0xfff;
    return machine;
  };

  it.each<[string, (machine: TwoStepMachine, allowed: number) => void]>([
    [
      'table pages',
      (machine, allowed) => {
        machine.frames.failAfter = allowed;
      },
    ],
    [
      'bounce slots',
      (machine, allowed) => {
        machine.pool.failAfter = allowed;
      },
    ],
  ])('runs out of %s', (what, limit) => {
    for (let allowed = 0; ; allowed += 1) {
      const machine = machineOf();
      limit(machine, allowed);
      const errno = mapAndUnmap(machine);
      expect(leftovers(machine)).toEqual([0, 0, 0]);
      expect(machine.log.events.filter(({ rule }) => rule === 'dma-iova-unlink-short')).toEqual([]);
      if (errno === 0) {
        expect(allowed).toBeGreaterThanOrEqual(what === 'bounce slots' && !untrusted ? 0 : 2);
        break;
      }
      expect(errno).toBe(-12);
      limit(machine, -1);
      expect(mapAndUnmap(machine)).toBe(0);
      expect(leftovers(machine)).toEqual([0, 0, 0]);
    }
  });

  it('runs out of addresses', () => {
    const machine = machineOf();
    machine.dev.dmaMask = 0xfffff;
    expect(mapAndUnmap(machine)).toBe(-12);
    expect(leftovers(machine)).toEqual([0, 0, 0]);
  });
});

it('a bounced tail that fails takes back the middle that the same call linked, and flushes it', () => {
  const machine = twoStepMachine({ device: { untrusted: true } });
  machine.dev.minAlignMask = 0xfff;
  machine.pool.failAfter = 1;
  const state = new DmaIovaState();
  dmaIovaTryAlloc(machine.dev, state, physAddr(0x200), 3 * PAGE);
  const errno = dmaIovaLink(machine.dev, state, physAddr(0x1000200), 0, 0x1f00, 'bidirectional', NO_ATTRS);
  expect(errno).toBe(-12);
  expect([machine.domain.table.liveLeafEntries, machine.pool.live.size, machine.domain.syncCalls]).toEqual([
    0, 0, 1,
  ]);
  dmaIovaFree(machine.dev, state);
  expect(leftovers(machine)).toEqual([0, 0, 0]);
});

interface Linked {
  readonly offset: number;
  readonly phys: PhysAddr;
  readonly pages: number;
}

/** Every page of every live range translates as the plain list says, and there is no other entry. */
function agrees(machine: TwoStepMachine, live: ReadonlyMap<DmaIovaState, readonly Linked[]>): void {
  const spans: [number, number][] = [];
  let pages = 0;
  for (const [state, links] of live) {
    spans.push([state.addr, addOffset(state.addr, state.size)]);
    for (const link of links) {
      pages += link.pages;
      for (let page = 0; page < link.pages; page += 1) {
        const at = addOffset(state.addr, link.offset + page * PAGE);
        expect(iommuIovaToPhys(machine.domain, at)).toBe(addOffset(link.phys, page * PAGE));
      }
    }
  }
  spans.sort(([one], [other]) => one - other);
  for (const [at, [start]] of spans.entries()) expect(start).toBeGreaterThanOrEqual(spans[at - 1]?.[1] ?? 0);
  let mapped = 0;
  machine.domain.table.visitLeaves((_frame, _low, _high, level) => {
    mapped += 512 ** level;
  });
  expect(mapped).toBe(pages);
  expect(machine.iovad.liveRanges).toBe(live.size);
}

it('random sequences: the page table holds exactly what is linked, after every step', () => {
  const step = fc.record({
    kind: fc.constantFrom('alloc', 'link', 'link', 'link', 'unlink', 'destroy'),
    pick: fc.nat(1000),
    pages: fc.integer({ min: 1, max: 40 }),
    frame: fc.integer({ min: 0x100, max: 0x7fff }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const machine = twoStepMachine();
      machine.log.enabled = false;
      const live = new Map<DmaIovaState, Linked[]>();
      const ends = new Map<DmaIovaState, number>();
      const take = (state: DmaIovaState): void => {
        for (const { offset, pages } of live.get(state) ?? []) {
          dmaIovaUnlink(machine.dev, state, offset, pages * PAGE, 'from-device', NO_ATTRS);
        }
        dmaIovaDestroy(machine.dev, state, 0, 'from-device', NO_ATTRS);
        live.delete(state);
      };
      for (const { kind, pick, pages, frame } of steps) {
        const states = [...live.keys()];
        const state = states[pick % Math.max(1, states.length)];
        if (kind === 'alloc' || state === undefined) {
          const fresh = new DmaIovaState();
          expect(dmaIovaTryAlloc(machine.dev, fresh, physAddr(0), 64 * PAGE)).toBe(true);
          live.set(fresh, []);
          ends.set(fresh, 0);
        } else if (kind === 'link') {
          const offset = ends.get(state) ?? 0;
          if (offset + pages * PAGE > state.size) continue;
          const phys = physAddr(frame * PAGE);
          expect(dmaIovaLink(machine.dev, state, phys, offset, pages * PAGE, 'from-device', NO_ATTRS)).toBe(
            0,
          );
          live.get(state)?.push({ offset, phys, pages });
          ends.set(state, offset + pages * PAGE);
        } else if (kind === 'unlink') {
          const links = live.get(state) ?? [];
          const link = links.splice(pick % Math.max(1, links.length), 1)[0];
          if (link === undefined) continue;
          dmaIovaUnlink(machine.dev, state, link.offset, link.pages * PAGE, 'from-device', NO_ATTRS);
        } else {
          take(state);
        }
        agrees(machine, live);
      }
      for (const state of [...live.keys()]) take(state);
      expect(leftovers(machine)).toEqual([0, 0, 0]);
    }),
    { numRuns: 60 },
  );
});

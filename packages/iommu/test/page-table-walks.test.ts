// Random maps and unmaps on every format: after each step the leaves are those of the oracle, and hardware that walks the
// same memory finds exactly the pages of the oracle.

import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { iommuDomainFree, mapFramesNosync, unmapFramesAndSync } from '../src/index.ts';
import { PageOracle } from './page-oracle.ts';
import { PageTableMachine, type TableKind, tableKinds } from './page-table-machine.ts';

interface Step {
  readonly unmap: boolean;
  readonly base: number;
  readonly slot: number;
  readonly physSlot: number;
  readonly aligned: boolean;
  readonly pages: number;
  readonly prot: number;
}

const SLOT_PAGES = 64;
const SLOTS = 32;
const ALL_ADDRESSES = 2 ** 52;

/** The first frame beyond the space. */
const endOf = ({ table }: PageTableMachine): number =>
  table.format.features.signExtend === true ? ALL_ADDRESSES : 2 ** (table.vaBits - 12);

const step = (kind: TableKind): fc.Arbitrary<Step> =>
  fc.record({
    unmap: fc.boolean(),
    base: fc.constantFrom(...kind.bases),
    slot: fc.oneof(fc.nat(SLOTS - 1), fc.constantFrom(0, 8, 16, 24)),
    physSlot: fc.nat(SLOTS - 1),
    aligned: fc.boolean(),
    pages: fc.oneof(fc.constantFrom(1, 2, 16, 64, 512, 1024), fc.integer({ min: 1, max: 1100 })),
    prot: fc.constantFrom(1, 2, 3, 7, 11),
  });

/** What hardware grants for a mapping: x86-64 entries can always be read. */
const granted = (machine: PageTableMachine, prot: number): number =>
  machine.table.format.name === 'x86_64' ? (prot & 2) | 1 : prot & 3;

/** A range that runs past the top table as it is now cannot be unmapped, even where its start is mapped. */
const reaches = ({ table }: PageTableMachine, end: number): boolean =>
  table.format.name !== 'amdv1' || end <= 512 ** table.levels;

function apply(machine: PageTableMachine, oracle: PageOracle, step: Step): void {
  const frame = step.base + step.slot * SLOT_PAGES;
  const count = Math.min(step.pages, endOf(machine) - frame);
  const bytes = count * 4096;
  if (step.unmap) {
    const unmapped = unmapFramesAndSync(machine.domain, frame, 0, bytes);
    expect(unmapped).toBe(reaches(machine, frame + count) ? oracle.unmap(frame, count) * 4096 : 0);
  } else {
    const phys = 0x200000 + step.physSlot * SLOT_PAGES + (step.aligned ? step.slot * SLOT_PAGES : 1);
    const errno = mapFramesNosync(machine.domain, frame, 0, phys, 0, bytes, step.prot);
    expect(errno).toBe(oracle.map(frame, phys, count, step.prot));
  }
}

function compare(machine: PageTableMachine, oracle: PageOracle, kind: TableKind): void {
  const leaves: [number, number][] = [];
  machine.table.visitLeaves((frame, _low, _high, level, items) => leaves.push([frame, 512 ** level * items]));
  expect(leaves).toEqual(oracle.leaves());
  for (const [frame, page] of oracle.pages) {
    const found = machine.hardwareWalk(frame);
    if (found?.phys !== page.phys || found.permissions !== granted(machine, page.prot)) {
      expect({ frame, found }).toEqual({ frame, found: page });
    }
    if (machine.table.physOf(frame) !== page.phys) expect(machine.table.physOf(frame)).toBe(page.phys);
  }
  for (const base of kind.bases) {
    for (let at = 0; at < SLOTS * SLOT_PAGES; at += 61) {
      const frame = base + at;
      if (frame >= endOf(machine) || oracle.pages.has(frame)) continue;
      if (machine.hardwareWalk(frame) !== null) expect(frame).toBe('not mapped');
      if (machine.table.physOf(frame) !== -1) expect(frame).toBe('not mapped');
    }
  }
}

describe.each(tableKinds)('$title', (kind) => {
  test.prop([fc.array(step(kind), { minLength: 1, maxLength: 12 })], { numRuns: 20 })(
    'software and hardware agree with the oracle after every step',
    (steps) => {
      const machine = new PageTableMachine(kind);
      const oracle = new PageOracle(machine.table.pgsizeBitmap);
      for (const one of steps) {
        apply(machine, oracle, one);
        compare(machine, oracle, kind);
      }
      expect(machine.frames.liveFrames).toBe(machine.table.liveTables);
      iommuDomainFree(machine.domain);
      expect(machine.frames.liveFrames).toBe(0);
      expect(machine.table.liveTables).toBe(0);
    },
  );
});

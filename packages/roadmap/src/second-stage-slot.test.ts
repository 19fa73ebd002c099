// The slot of an I/O page against the page table that wrote it: same frame where mapped, nothing where not.
import { fc, test } from '@fast-check/vitest';
import { PhysicalMemory, physAddr } from '@sgfree/hw-model';
import { IOMMU_READ, IOMMU_WRITE, PageTable, VtdSecondStageFormat } from '@sgfree/iommu';
import { FrameAllocator } from '@sgfree/mm';
import { expect, it } from 'vitest';
import { frameOfSlot, secondStageSlot } from './second-stage-slot.ts';

const PROT = IOMMU_READ + IOMMU_WRITE;

function bench(): { memory: PhysicalMemory; table: PageTable } {
  const memory = new PhysicalMemory();
  const window = { base: physAddr(0), bytes: 0x1000000 };
  memory.addRam(window.base, window.bytes);
  const frames = new FrameAllocator(memory, window);
  return { memory, table: new PageTable({ format: new VtdSecondStageFormat(), memory, frames, vaBits: 48 }) };
}

const page = fc.oneof(fc.integer({ min: 1, max: 4096 }), fc.integer({ min: 0xfffff000, max: 2 ** 36 - 1 }));

test.prop([fc.uniqueArray(page, { minLength: 1, maxLength: 40 }), fc.array(page, { maxLength: 20 })])(
  'finds every mapped page and no other',
  (mapped, probes) => {
    const { memory, table } = bench();
    for (const [index, iova] of mapped.entries()) table.mapRange(iova, 0, 0x800000 + index, 0, 4096, PROT);
    for (const iova of [...mapped, ...probes]) {
      const slot = secondStageSlot(memory, table.rootFrame, table.levels, iova);
      expect(slot === null ? -1 : frameOfSlot(slot)).toBe(table.physOf(iova));
    }
  },
);

it('is the entry itself: what is cleared there is gone', () => {
  const { memory, table } = bench();
  table.mapRange(5, 0, 0x1234567, 0, 8192, PROT);
  const slot = secondStageSlot(memory, table.rootFrame, table.levels, 5);
  slot?.words.fill(0, slot.at, slot.at + 2);
  expect(table.physOf(5)).toBe(-1);
  expect(table.physOf(6)).toBe(0x1234568);
});

it('stops at a large leaf', () => {
  const { memory, table } = bench();
  table.mapRange(512, 0, 1024, 0, 2 ** 21, PROT);
  const slot = secondStageSlot(memory, table.rootFrame, table.levels, 700);
  expect(slot === null ? -1 : frameOfSlot(slot)).toBe(1024);
});

// Accessed and dirty bits: which leaf a request marks, when it is marked again, and what a unit or an entry that does not ask for
// marks leaves alone.
import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { AmdRig, commands, READ_ONLY, RW } from '../../test/amd-rig.ts';
import { bareMetalAmdFeatures, dirtyTrackingAmdFeatures } from '../index.ts';

const DEVICE = 0x10;
const DOMAIN = 7;
const PAGE = 0x42;
const ACCESSED = 0x20;
const DIRTY = 0x40;
/** HAD, bits 7 and 8 of a device table entry. */
const HAD = { none: 0, accessed: 0x80, reserved: 0x100, both: 0x180 } as const;

function tracked(had: number, features = dirtyTrackingAmdFeatures): { rig: AmdRig; root: number } {
  const rig = new AmdRig({ features });
  const root = rig.attach(DEVICE, DOMAIN);
  const entry = rig.entry(DEVICE);
  entry[0] = (entry[0] as number) | had;
  return { rig, root };
}

const marksOf = (rig: AmdRig, root: number, page = PAGE, level = 0): number =>
  (rig.slot(root, page, level)[0] as number) & (ACCESSED | DIRTY);

describe('an entry that asks for both', () => {
  test('has a read marked accessed, a write dirty, and the cached read does not hide the write', () => {
    const { rig, root } = tracked(HAD.both);
    rig.map(root, PAGE, 0x500, RW);
    expect(marksOf(rig, root)).toBe(0);
    expect(rig.translate(DEVICE, PAGE)).toBe(0x500);
    expect(marksOf(rig, root)).toBe(ACCESSED);
    expect(rig.translate(DEVICE, PAGE, true)).toBe(0x500);
    expect(marksOf(rig, root)).toBe(ACCESSED | DIRTY);
    expect(rig.unit.counters).toMatchObject({ iotlbHits: 0, iotlbMisses: 2, faults: 0 });
    expect([rig.translate(DEVICE, PAGE, true), rig.translate(DEVICE, PAGE)]).toEqual([0x500, 0x500]);
    expect(rig.unit.counters).toMatchObject({ iotlbHits: 2, iotlbMisses: 2 });
  });

  test('a leaf made clean is marked again only after an invalidation', () => {
    const { rig, root } = tracked(HAD.both);
    rig.map(root, PAGE, 0x500, RW);
    rig.translate(DEVICE, PAGE, true);
    const leaf = rig.slot(root, PAGE);
    leaf[0] = (leaf[0] as number) & ~DIRTY;
    expect(rig.translate(DEVICE, PAGE, true)).toBe(0x500);
    expect(marksOf(rig, root)).toBe(ACCESSED);
    rig.submit(commands.page(DOMAIN, PAGE));
    expect(rig.translate(DEVICE, PAGE, true)).toBe(0x500);
    expect(marksOf(rig, root)).toBe(ACCESSED | DIRTY);
  });

  test('a dirty leaf that a read finds lets writes through at once', () => {
    const { rig, root } = tracked(HAD.both);
    rig.map(root, PAGE, 0x500, RW);
    rig.translate(DEVICE, PAGE, true);
    rig.submit(commands.page(DOMAIN, PAGE));
    rig.translate(DEVICE, PAGE);
    const { iotlbMisses } = rig.unit.counters;
    expect(rig.translate(DEVICE, PAGE, true)).toBe(0x500);
    expect(rig.unit.counters.iotlbMisses).toBe(iotlbMisses);
  });

  test('a refused write marks nothing', () => {
    const { rig, root } = tracked(HAD.both);
    rig.map(root, PAGE, 0x500, READ_ONLY);
    expect(rig.translate(DEVICE, PAGE, true)).toBe(-1);
    expect(marksOf(rig, root)).toBe(0);
    rig.translate(DEVICE, PAGE);
    expect(rig.translate(DEVICE, PAGE, true)).toBe(-1);
    expect(marksOf(rig, root)).toBe(ACCESSED);
  });

  test('of a large page the one leaf is marked, whichever part is written', () => {
    const { rig, root } = tracked(HAD.both);
    rig.map(root, 512, 0x1000 * 512, RW, 1);
    const memory = rig.unit;
    expect(memory.translate(DEVICE, rig.address(512 + 77), true)).toBeGreaterThan(0);
    expect(marksOf(rig, root, 512, 1)).toBe(ACCESSED | DIRTY);
  });

  propertyTest.prop([fc.array(fc.tuple(fc.nat(7), fc.boolean()), { maxLength: 40 })])(
    'exactly the pages written are dirty, those touched accessed',
    (requests) => {
      const { rig, root } = tracked(HAD.both);
      for (let page = 0; page < 8; page += 1) rig.map(root, PAGE + page, 0x500 + page, RW);
      for (const [page, write] of requests) rig.translate(DEVICE, PAGE + page, write);
      for (let page = 0; page < 8; page += 1) {
        const touched = requests.filter(([at]) => at === page);
        const marks = (touched.length > 0 ? ACCESSED : 0) | (touched.some(([, write]) => write) ? DIRTY : 0);
        expect(marksOf(rig, root, PAGE + page)).toBe(marks);
      }
    },
  );
});

test.each<[string, number, typeof bareMetalAmdFeatures, number]>([
  ['no marks asked for', HAD.none, dirtyTrackingAmdFeatures, 0],
  ['accessed alone', HAD.accessed, dirtyTrackingAmdFeatures, ACCESSED],
  ['the reserved encoding', HAD.reserved, dirtyTrackingAmdFeatures, 0],
  ['a unit without the features', HAD.both, bareMetalAmdFeatures, 0],
])('%s', (_title, had, features, marks) => {
  const { rig, root } = tracked(had, features);
  rig.map(root, PAGE, 0x500, RW);
  rig.translate(DEVICE, PAGE);
  expect(rig.translate(DEVICE, PAGE, true)).toBe(0x500);
  expect(marksOf(rig, root)).toBe(marks);
  expect(rig.unit.counters).toMatchObject({ iotlbHits: 1, iotlbMisses: 1, faults: 0 });
});

// Stale is stale: what each cache keeps after memory has changed, and which command makes it look again.
import { describe, expect, test } from 'vitest';
import { descriptors, RW, VtdRig } from '../../test/vtd-rig.ts';
import { recordedVtdCapabilitiesCachingMode, VtdCommand, VtdRegister } from '../index.ts';

const DEVICE = 0x0108;
const OTHER = 0x0210;
const DOMAIN = 24;
const PAGE = 0x12340;
const OLD = 0x500;
const NEW = 0x600;

/** Two devices in two domains that map the same pages, all of them looked up once, then all pages moved. */
function staleRig() {
  const rig = new VtdRig();
  const roots = [rig.attach(DEVICE, DOMAIN), rig.attach(OTHER, DOMAIN + 1)];
  for (const root of roots)
    for (let page = 0; page < 8; page += 1) rig.map(root, PAGE + page, OLD + page, RW);
  rig.map(roots[0] as number, 512, 0x800, RW, 1);
  const read = (sourceId: number): number[] =>
    Array.from({ length: 8 }, (_, page) => rig.translate(sourceId, PAGE + page));
  read(DEVICE);
  read(OTHER);
  rig.translate(DEVICE, 512);
  for (const root of roots)
    for (let page = 0; page < 8; page += 1) rig.map(root, PAGE + page, NEW + page, RW);
  return { rig, roots, read };
}

const pages = (from: number, fresh: readonly number[]): number[] =>
  Array.from({ length: 8 }, (_, page) => (fresh.includes(page) ? NEW : from) + page);
const ALL = [0, 1, 2, 3, 4, 5, 6, 7];

describe('IOTLB', () => {
  test('a changed entry changes nothing until it is invalidated', () => {
    const { rig, read } = staleRig();
    expect(read(DEVICE)).toEqual(pages(OLD, []));
    rig.submit(descriptors.wait(0, 7));
    expect(read(DEVICE)).toEqual(pages(OLD, []));
  });

  test.each([
    ['one page', 3, 0, [3]],
    ['a block of four', 4, 2, [4, 5, 6, 7]],
    ['a block is found from any page in it', 6, 2, [4, 5, 6, 7]],
    ['a block far larger than the pages', 0, 12, ALL],
  ] as const)('page-selective: %s', (_title, page, order, fresh) => {
    const { rig, read } = staleRig();
    rig.submit(descriptors.iotlbPages(DOMAIN, PAGE + page, order, true));
    expect(read(DEVICE)).toEqual(pages(OLD, fresh));
    expect(read(OTHER)).toEqual(pages(OLD, []));
    expect(rig.unit.counters.iotlbPage).toBe(1);
  });

  test('domain-selective: that domain, whole, and no other', () => {
    const { rig, read } = staleRig();
    rig.submit(descriptors.iotlbDomain(DOMAIN));
    expect([read(DEVICE), read(OTHER)]).toEqual([pages(OLD, ALL), pages(OLD, [])]);
  });

  test('global: every domain', () => {
    const { rig, read } = staleRig();
    rig.submit(descriptors.iotlbGlobal);
    expect([read(DEVICE), read(OTHER)]).toEqual([pages(OLD, ALL), pages(OLD, ALL)]);
  });

  test('one page of a large leaf takes the whole leaf away', () => {
    const { rig, roots } = staleRig();
    rig.map(roots[0] as number, 512, 0xa00, RW, 1);
    expect(rig.translate(DEVICE, 512 + 9)).toBe(0x809);
    rig.submit(descriptors.iotlbPages(DOMAIN, 512 + 300, 0, true));
    expect(rig.translate(DEVICE, 512 + 9)).toBe(0xa09);
  });

  test('an entry that grants too little is looked up again', () => {
    const { rig, roots } = staleRig();
    rig.map(roots[0] as number, PAGE + 20, OLD, 1);
    expect(rig.translate(DEVICE, PAGE + 20, false)).toBe(OLD);
    expect(rig.translate(DEVICE, PAGE + 20, true)).toBe(-1);
    rig.map(roots[0] as number, PAGE + 20, NEW, RW);
    expect(rig.translate(DEVICE, PAGE + 20, false)).toBe(OLD);
    expect(rig.translate(DEVICE, PAGE + 20, true)).toBe(NEW);
  });
});

describe('paging-structure cache and the invalidation hint', () => {
  /** A table is taken out and another put in its place; the leaf below was never in the IOTLB. */
  function movedTable() {
    const rig = new VtdRig();
    const root = rig.attach(DEVICE, DOMAIN);
    rig.map(root, PAGE, OLD, RW);
    rig.map(root, PAGE + 1, OLD + 1, RW);
    rig.translate(DEVICE, PAGE);
    rig.slot(root, PAGE, 1).fill(0);
    rig.map(root, PAGE + 1, NEW + 1, RW);
    return rig;
  }

  test('a table page that was freed is still walked', () => {
    expect(movedTable().translate(DEVICE, PAGE + 1)).toBe(OLD + 1);
  });

  test.each([
    [true, OLD + 1],
    [false, NEW + 1],
  ])('hint %s', (hint, frame) => {
    const rig = movedTable();
    rig.submit(descriptors.iotlbPages(DOMAIN, PAGE + 1, 0, hint));
    expect(rig.translate(DEVICE, PAGE + 1)).toBe(frame);
  });
});

describe('context cache', () => {
  function movedDevice() {
    const rig = new VtdRig();
    rig.map(rig.attach(DEVICE, DOMAIN), PAGE, OLD, RW);
    rig.translate(DEVICE, PAGE);
    rig.map(rig.attach(DEVICE, DOMAIN + 5), PAGE, NEW, RW);
    return rig;
  }

  test.each([
    ['nothing', [], OLD],
    ['another function', [descriptors.contextDevice(DOMAIN, DEVICE + 1)], OLD],
    ['another domain', [descriptors.contextDevice(DOMAIN + 5, DEVICE)], OLD],
    ['the function', [descriptors.contextDevice(DOMAIN, DEVICE)], NEW],
    ['a sibling, bits 1:0 and 2 ignored', [descriptors.contextDevice(DOMAIN, DEVICE + 1, 3)], NEW],
    ['the domain', [descriptors.contextDomain(DOMAIN)], NEW],
    ['everything', [descriptors.contextGlobal], NEW],
    ['only the IOTLB', [descriptors.iotlbGlobal], OLD],
  ])('invalidating %s', (_title, commands, frame) => {
    const rig = movedDevice();
    rig.submit(...commands);
    expect(rig.translate(DEVICE, PAGE)).toBe(frame);
  });
});

describe('caching mode', () => {
  const newRig = (cachingMode: boolean) =>
    new VtdRig(cachingMode ? { capabilities: recordedVtdCapabilitiesCachingMode } : {});

  test.each([
    [false, NEW],
    [true, -1],
  ])('CM %s: a page mapped after it was missed', (cachingMode, frame) => {
    const rig = newRig(cachingMode);
    const root = rig.attach(DEVICE, DOMAIN);
    expect(rig.translate(DEVICE, PAGE)).toBe(-1);
    rig.map(root, PAGE, NEW, RW);
    expect(rig.translate(DEVICE, PAGE)).toBe(frame);
    rig.submit(descriptors.iotlbPages(DOMAIN + 1, PAGE, 0, false));
    expect(rig.translate(DEVICE, PAGE)).toBe(frame);
    rig.submit(descriptors.iotlbPages(DOMAIN, PAGE, 0, false));
    expect(rig.translate(DEVICE, PAGE)).toBe(NEW);
  });

  test.each([
    ['the function under domain 0', descriptors.contextDevice(0, DEVICE), true],
    ['the function under its new domain', descriptors.contextDevice(DOMAIN, DEVICE), false],
    ['domain 0', descriptors.contextDomain(0), true],
    ['everything', descriptors.contextGlobal, true],
  ])('a function attached after it was missed: %s', (_title, command, seen) => {
    const rig = newRig(true);
    expect(rig.translate(DEVICE, PAGE)).toBe(-1);
    rig.map(rig.attach(DEVICE, DOMAIN), PAGE, NEW, RW);
    expect(rig.translate(DEVICE, PAGE)).toBe(-1);
    rig.submit(command);
    expect(rig.translate(DEVICE, PAGE)).toBe(seen ? NEW : -1);
  });

  test('a new root pointer drops everything where CAP.ESRTPS says so', () => {
    const cap: [number, number] = [0x222f0686, 0x80d2008c];
    const rig = new VtdRig({ capabilities: { cap, ecap: [0xf42, 0] } });
    expect(rig.translate(DEVICE, PAGE)).toBe(-1);
    const root = rig.attach(DEVICE, DOMAIN);
    rig.map(root, PAGE, NEW, RW);
    rig.unit.writeRegister32(
      VtdRegister.GCMD,
      (VtdCommand.translationEnable | VtdCommand.setRootPointer) >>> 0,
    );
    expect(rig.translate(DEVICE, PAGE)).toBe(NEW);
  });
});

test('planted fault: that many commands do nothing, and are counted', () => {
  const { rig, read } = staleRig();
  rig.unit.dropNextInvalidations(1);
  rig.submit(descriptors.iotlbDomain(DOMAIN), descriptors.wait(3, 9));
  expect(rig.status(3)).toBe(9);
  expect(read(DEVICE)).toEqual(pages(OLD, []));
  expect(rig.unit.counters).toMatchObject({ droppedInvalidations: 1, iotlbDomain: 1, waits: 1 });
  rig.submit(descriptors.iotlbDomain(DOMAIN));
  expect(read(DEVICE)).toEqual(pages(OLD, ALL));
});

// Device table and page tables written by hand: what the unit answers, what it remembers, and which event a refusal leaves.
import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { AmdRig, commands, READ_ONLY, RW, WRITE_ONLY } from '../../test/amd-rig.ts';
import { AmdEventType, dmaAddr, EventLog, PageWalk } from '../index.ts';
import { AmdV1Walk } from '../iommu-unit/amd-v1-walk.ts';

const DEVICE = 0x10;
const OTHER = 0x11;
const DOMAIN = 7;
const PAGE = 0x42;
const { ioPageFault, illegalDeviceTableEntry } = AmdEventType;

const addBits = (words: Uint32Array, at: number, bits: number): void => {
  words[at] = ((words[at] as number) | bits) >>> 0;
};

describe('device table', () => {
  test('an entry that is not valid lets everything through, and is cached as it is', () => {
    const rig = new AmdRig();
    expect(rig.translate(DEVICE, PAGE, true)).toBe(PAGE);
    rig.attach(DEVICE, DOMAIN);
    expect(rig.translate(DEVICE, PAGE)).toBe(PAGE);
    expect(rig.unit.counters).toMatchObject({ untranslated: 2, deviceLookups: 1, faults: 0 });
    rig.submit(commands.deviceEntry(DEVICE));
    expect(rig.translate(DEVICE, PAGE)).toBe(-1);
  });

  test.each<[string, number, number, number]>([
    ['Mode 0', 3, 0x60000000, 0],
    ['Mode 0, read only', 3, 0x20000000, 0x0020],
    ['V without TV', 1, 0x60000000, 0],
    ['V without TV, whatever Mode says', 0xe01, 0x20000000, 0x0020],
  ])('%s: addresses stay, IR and IW decide', (_title, low, high, writeFlags) => {
    const rig = new AmdRig();
    rig.entry(DEVICE).set([low, high, DOMAIN, 0]);
    expect(rig.translate(DEVICE, PAGE)).toBe(PAGE);
    expect(rig.translate(DEVICE, PAGE, true)).toBe(writeFlags === 0 ? PAGE : -1);
    const refused = {
      type: ioPageFault,
      deviceId: DEVICE,
      domain: DOMAIN,
      flags: writeFlags,
      address: 0x42000,
    };
    expect(rig.takeEvents()).toEqual(writeFlags === 0 ? [] : [refused]);
  });

  test('V alone blocks reads and writes: 0x0000 and 0x0020', () => {
    const rig = new AmdRig();
    rig.entry(DEVICE).set([1, 0, 0, 0]);
    expect([rig.translate(DEVICE, PAGE), rig.translate(DEVICE, PAGE, true)]).toEqual([-1, -1]);
    expect(rig.takeEvents().map(({ type, domain, flags }) => [type, domain, flags])).toEqual([
      [ioPageFault, 0, 0x0000],
      [ioPageFault, 0, 0x0020],
    ]);
  });

  test.each<[string, number, (entry: Uint32Array) => void]>([
    ['Mode 7', 0x020, (entry) => addBits(entry, 0, 0xe00)],
    ['a reserved low bit', 0x0a0, (entry) => addBits(entry, 0, 0x04)],
    ['bit 63', 0x0a0, (entry) => addBits(entry, 1, 0x80000000)],
    ['a root beyond the platform', 0x0a0, (entry) => addBits(entry, 1, 0x10000)],
  ])('%s is an illegal entry, and is not cached', (_title, flags, breakIt) => {
    const rig = new AmdRig();
    rig.map(rig.attach(DEVICE, DOMAIN), PAGE, 0x500, RW);
    const good = rig.entry(DEVICE).slice();
    breakIt(rig.entry(DEVICE));
    expect(rig.translate(DEVICE, PAGE, true)).toBe(-1);
    expect(rig.takeEvents()).toEqual([
      { type: illegalDeviceTableEntry, deviceId: DEVICE, domain: 0, flags, address: 0x42000 },
    ]);
    rig.entry(DEVICE).set(good);
    expect(rig.translate(DEVICE, PAGE, true)).toBe(0x500);
  });

  test('more levels than the unit walks are illegal; beyond the end of the table there is no entry', () => {
    const features = { capabilityHeader: 0, extendedFeatures: [0x1d3, 0] as [number, number] };
    const rig = new AmdRig({ features });
    rig.attach(DEVICE, DOMAIN, 5);
    expect([rig.translate(DEVICE, PAGE), rig.translate(0x80, PAGE)]).toEqual([-1, -1]);
    expect(rig.takeEvents().map(({ type, deviceId }) => [type, deviceId])).toEqual([
      [illegalDeviceTableEntry, DEVICE],
      [illegalDeviceTableEntry, 0x80],
    ]);
  });

  test('a table where no memory answers is a hardware error that names the entry', () => {
    const rig = new AmdRig();
    rig.unit.writeRegister64(0, [0x80000000, 1]);
    expect(rig.translate(DEVICE, PAGE, true)).toBe(-1);
    expect(rig.takeEvents()).toEqual([
      {
        type: AmdEventType.deviceTableHardwareError,
        deviceId: DEVICE,
        domain: 0,
        flags: 0x220,
        address: 0x180000000 + DEVICE * 32,
      },
    ]);
  });

  test('SA keeps every page fault of a device out of the log, SE all but the first of an entry', () => {
    const rig = new AmdRig();
    rig.attach(DEVICE, DOMAIN);
    rig.attach(OTHER, DOMAIN + 1);
    addBits(rig.entry(DEVICE), 3, 4);
    addBits(rig.entry(OTHER), 3, 2);
    for (const device of [DEVICE, OTHER, DEVICE, OTHER]) expect(rig.translate(device, PAGE)).toBe(-1);
    expect(rig.takeEvents().map(({ deviceId }) => deviceId)).toEqual([OTHER]);
    rig.submit(commands.deviceEntry(OTHER));
    rig.translate(OTHER, PAGE);
    expect(rig.takeEvents()).toHaveLength(1);
    expect(rig.unit.counters.faults).toBe(5);
  });
});

describe('page tables', () => {
  test.each([1, 2, 3, 4, 5, 6])('%i levels translate, and nothing beyond what they decode', (levels) => {
    const rig = new AmdRig();
    const root = rig.attach(DEVICE, DOMAIN, levels);
    const last = Math.min(512 ** levels, 2 ** 40) - 1;
    rig.map(root, last, 0x500, RW, 0, levels);
    // Where an address that is cut short would end up.
    rig.map(root, 0, 0x600, RW, 0, levels);
    expect(rig.translate(DEVICE, last, true)).toBe(0x500);
    if (levels > 4) return;
    expect(rig.translate(DEVICE, last + 1, true)).toBe(-1);
    expect(rig.takeEvents()).toEqual([
      { type: ioPageFault, deviceId: DEVICE, domain: DOMAIN, flags: 0x020, address: (last + 1) * 4096 },
    ]);
  });

  test.each<[string, number, boolean, number]>([
    ['read of nothing', 0, false, 0x0000],
    ['write of nothing', 0, true, 0x0020],
    ['read without IR', WRITE_ONLY, false, 0x0050],
    ['write without IW', READ_ONLY, true, 0x0070],
  ])('%s', (_title, rights, write, flags) => {
    const rig = new AmdRig();
    rig.map(rig.attach(DEVICE, DOMAIN), PAGE, 0x500, rights);
    expect(rig.unit.translate(DEVICE, dmaAddr(PAGE * 4096 + 0x553), write)).toBe(-1);
    expect(rig.takeEvents()).toEqual([
      { type: ioPageFault, deviceId: DEVICE, domain: DOMAIN, flags, address: PAGE * 4096 + 0x550 },
    ]);
    expect(rig.unit.iotlb.live).toBe(0);
  });

  test('permissions are those that every level grants', () => {
    const rig = new AmdRig();
    const root = rig.attach(DEVICE, DOMAIN);
    rig.map(root, PAGE, 0x500, RW);
    rig.slot(root, PAGE, 1)[1] = READ_ONLY * 0x20000000;
    expect([rig.translate(DEVICE, PAGE), rig.translate(DEVICE, PAGE, true)]).toEqual([0x500, -1]);
    rig.entry(OTHER).set(rig.entry(DEVICE));
    rig.entry(OTHER)[1] = WRITE_ONLY * 0x20000000;
    rig.submit(commands.everything);
    expect([rig.translate(OTHER, PAGE), rig.translate(OTHER, PAGE, true)]).toEqual([-1, -1]);
    expect(rig.takeEvents().map(({ flags }) => flags)).toEqual([0x070, 0x050, 0x070]);
  });

  test.each<[string, number, (slot: Uint32Array) => void]>([
    ['an address beyond the platform', 0x0b0, (slot) => addBits(slot, 1, 0x10000)],
    ['a level that leads upwards', 0x0b0, (slot) => addBits(slot, 0, 3 * 512)],
  ])('%s has the RZ flag', (_title, flags, breakIt) => {
    const rig = new AmdRig();
    const root = rig.attach(DEVICE, DOMAIN);
    rig.map(root, PAGE, 0x500, RW);
    breakIt(rig.slot(root, PAGE));
    expect(rig.translate(DEVICE, PAGE, true)).toBe(-1);
    expect(rig.takeEvents().map((event) => event.flags)).toEqual([flags]);
  });

  test('a table outside memory is a hardware error that names the entry that could not be read', () => {
    const rig = new AmdRig();
    const root = rig.attach(DEVICE, DOMAIN);
    rig.map(root, PAGE, 0x500, RW);
    rig.slot(root, PAGE, 1).set([0x80000000 + 512 + 1, 0x60000000]);
    expect(rig.translate(DEVICE, PAGE)).toBe(-1);
    expect(rig.takeEvents()).toEqual([
      {
        type: AmdEventType.pageTableHardwareError,
        deviceId: DEVICE,
        domain: DOMAIN,
        flags: 0x200,
        address: 0x80000000 + PAGE * 8,
      },
    ]);
  });

  test('a larger leaf fills the IOTLB once for all its pages, a walk near a known table starts there', () => {
    const rig = new AmdRig();
    const root = rig.attach(DEVICE, DOMAIN);
    rig.map(root, 0x200, 0x800, RW, 1);
    expect([0x200, 0x2ab, 0x3ff].map((frame) => rig.translate(DEVICE, frame))).toEqual([0x800, 0x8ab, 0x9ff]);
    expect(rig.unit.counters).toMatchObject({ walks: 1, iotlbHits: 2, tableReads: 2 });
    rig.map(root, 0x400, 0x123, RW);
    rig.map(root, 0x401, 0x124, RW);
    expect([rig.translate(DEVICE, 0x400), rig.translate(DEVICE, 0x401)]).toEqual([0x123, 0x124]);
    expect(rig.unit.counters).toMatchObject({ walks: 3, pagingCacheHits: 2 });
  });
});

test('interrupt messages pass untranslated; a read there is an invalid request', () => {
  const rig = new AmdRig();
  rig.entry(DEVICE).set([1, 0, 0, 0]);
  expect(rig.translate(DEVICE, 0xfee12, true)).toBe(0xfee12);
  expect(rig.translate(DEVICE, 0xfee12)).toBe(-1);
  expect(rig.takeEvents()).toEqual([
    { type: AmdEventType.invalidDeviceRequest, deviceId: DEVICE, domain: 0, flags: 0, address: 0xfee12000 },
  ]);
});

test('a unit that is off translates nothing, and the log of the machine tells faults, logged or not', () => {
  const log = new EventLog();
  log.enabled = true;
  const rig = new AmdRig({ log, name: 'ivhd3' });
  rig.attach(DEVICE, DOMAIN);
  rig.control(0);
  expect(rig.translate(DEVICE, PAGE)).toBe(PAGE);
  expect(rig.unit.translationEnabled).toBe(false);
  rig.control(1);
  expect(rig.translate(DEVICE, PAGE, true)).toBe(-1);
  expect(log.events).toEqual([
    {
      kind: 'hw:iommu-fault',
      unit: 'ivhd3',
      requesterId: DEVICE,
      address: 0x42000,
      write: true,
      reason: ioPageFault,
      flags: 0x020,
      recorded: true,
    },
  ]);
  expect(rig.unit.counters.eventsLogged).toBe(0);
});

const leaf = fc.record({
  page: fc.integer({ min: 0, max: 600 }),
  frame: fc.integer({ min: 0, max: 2000 }),
  rights: fc.integer({ min: 0, max: 3 }),
});
const question = fc.record({ page: fc.integer({ min: 0, max: 600 }), write: fc.boolean() });

propertyTest.prop([fc.array(leaf, { maxLength: 40 }), fc.array(question, { maxLength: 80 })])(
  'caches never change an answer as long as tables do not change',
  (leaves, questions) => {
    const rig = new AmdRig({ iotlb: { sets: 4, ways: 2 }, pagingCacheEntries: 2 });
    const root = rig.attach(DEVICE, DOMAIN);
    for (const { page, frame, rights } of leaves) rig.map(root, page, frame, rights);
    const walker = new AmdV1Walk(48);
    for (const { page, write } of questions) {
      const walk = new PageWalk();
      const found = walker.walk(rig.memory, root, 2, page, RW, write ? 2 : 1, walk);
      expect(rig.translate(DEVICE, page, write)).toBe(found === 0 ? walk.frame : -1);
    }
  },
);

const action = fc.oneof(
  fc.record({ kind: fc.constant('map' as const), page: fc.nat(40), frame: fc.nat(900) }),
  fc.record({ kind: fc.constant('unmap' as const), page: fc.nat(40) }),
  fc.record({ kind: fc.constant('ask' as const), page: fc.nat(40) }),
  fc.record({ kind: fc.constant('flush' as const), page: fc.nat(40), order: fc.nat(5) }),
);

/** Command words for the aligned block of 2^order pages around `page`. */
function flushOf(page: number, order: number): number[] {
  const start = Math.floor(page / 2 ** order) * 2 ** order;
  return commands.page(DOMAIN, start + (order === 0 ? 0 : 2 ** (order - 1) - 1), order === 0 ? 0 : 1);
}

propertyTest.prop([fc.array(action, { maxLength: 120 })])(
  'an answer is what the tables say, or what they have said since the page was last invalidated',
  (actions) => {
    const rig = new AmdRig({ iotlb: { sets: 8, ways: 4 } });
    const root = rig.attach(DEVICE, DOMAIN);
    const now = Array.from({ length: 64 }, () => -1);
    const allowed = now.map(() => new Set([-1]));
    for (const step of actions) {
      if (step.kind === 'flush') {
        rig.submit(flushOf(step.page, step.order));
        const size = 2 ** step.order;
        const start = Math.floor(step.page / size) * size;
        for (let page = start; page < start + size; page += 1) allowed[page] = new Set([now[page] as number]);
      } else if (step.kind === 'ask') {
        expect(allowed[step.page]).toContain(rig.translate(DEVICE, step.page, true));
      } else {
        now[step.page] = step.kind === 'map' ? step.frame : -1;
        rig.map(root, step.page, step.kind === 'map' ? step.frame : 0, step.kind === 'map' ? RW : 0);
        allowed[step.page]?.add(now[step.page] as number);
      }
    }
  },
);

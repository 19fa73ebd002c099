// Commands: what each one drops from which cache, what it leaves, which ones are refused, and what stops the buffer.
import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { AmdRig, commands, ENABLES, RW } from '../../test/amd-rig.ts';
import {
  AmdControl,
  AmdEventType,
  AmdRegister,
  AmdStatus,
  bareMetalAmdFeatures,
  recordedAmdFeatures,
} from '../index.ts';
import { amdPagesOrder } from './amd-command.ts';

const DEVICE = 0x10;
const OTHER = 0x11;
const DOMAIN = 7;
const PAGE = 0x42;

/** Two devices in domains of their own, each with PAGE and PAGE + 1 mapped and cached. */
function warmRig(): { rig: AmdRig; roots: [number, number] } {
  const rig = new AmdRig();
  const roots: [number, number] = [rig.attach(DEVICE, DOMAIN), rig.attach(OTHER, DOMAIN + 1)];
  for (const [at, root] of roots.entries()) {
    for (const page of [0, 1]) rig.map(root, PAGE + page, 0x500 + 16 * at + page, RW);
  }
  touch(rig);
  return { rig, roots };
}

const touch = (rig: AmdRig): number[] =>
  [DEVICE, OTHER].flatMap((device) => [rig.translate(device, PAGE), rig.translate(device, PAGE + 1)]);

/** Clears all leaves: from here on only caches can answer. */
function unmapAll({ rig, roots }: { rig: AmdRig; roots: [number, number] }): void {
  for (const root of roots) for (const page of [0, 1]) rig.map(root, PAGE + page, 0, 0);
}

describe('invalidation', () => {
  test.each<[string, readonly number[], number[]]>([
    ['nothing', commands.wait(0, 1), [0x500, 0x501, 0x510, 0x511]],
    ['one page', commands.page(DOMAIN, PAGE), [-1, 0x501, 0x510, 0x511]],
    ['a block of two pages', commands.page(DOMAIN, PAGE, 1), [-1, -1, 0x510, 0x511]],
    ['a domain', commands.wholeDomain(DOMAIN + 1), [0x500, 0x501, -1, -1]],
    ['the domain nobody has', commands.wholeDomain(DOMAIN + 2), [0x500, 0x501, 0x510, 0x511]],
    ['a device table entry', commands.deviceEntry(DEVICE), [0x500, 0x501, 0x510, 0x511]],
    ['everything', commands.everything, [-1, -1, -1, -1]],
  ])('%s', (_title, command, seen) => {
    const warm = warmRig();
    unmapAll(warm);
    warm.rig.submit(command);
    expect(touch(warm.rig)).toEqual(seen);
  });

  test('a leaf of 2 MiB goes whole when one of its pages is named', () => {
    const rig = new AmdRig();
    const root = rig.attach(DEVICE, DOMAIN);
    rig.map(root, 0x200, 0x800, RW, 1);
    rig.translate(DEVICE, 0x2ff);
    rig.map(root, 0x200, 0, 0, 1);
    expect(rig.translate(DEVICE, 0x210)).toBe(0x810);
    rig.submit(commands.page(DOMAIN, 0x3aa));
    expect(rig.translate(DEVICE, 0x210)).toBe(-1);
  });

  test('without the PDE bit a table that was taken out is still reached', () => {
    for (const [flags, seen] of [
      [0, 0x777],
      [2, 0x600],
    ] as const) {
      const rig = new AmdRig();
      const root = rig.attach(DEVICE, DOMAIN);
      rig.map(root, PAGE, 0x500, RW);
      rig.translate(DEVICE, PAGE);
      const table = rig.slot(root, PAGE, 1);
      const old = (table[0] as number) >>> 12;
      table.set([0, 0]);
      rig.map(root, PAGE, 0x600, RW);
      rig.memory.frameWords(old).set([0x777 * 4096 + 1, 0x60000000], PAGE * 2);
      rig.submit(commands.page(DOMAIN, PAGE, flags));
      expect(rig.translate(DEVICE, PAGE)).toBe(seen);
    }
  });

  test('a planted fault makes the next invalidations ineffective, and counts them', () => {
    const warm = warmRig();
    unmapAll(warm);
    warm.rig.unit.dropNextInvalidations(2);
    warm.rig.submit(commands.everything, commands.page(DOMAIN, PAGE), commands.page(DOMAIN, PAGE));
    expect(touch(warm.rig)).toEqual([-1, 0x501, 0x510, 0x511]);
    expect(warm.rig.unit.counters).toMatchObject({ droppedInvalidations: 2, pages: 2, invalidateAll: 1 });
  });

  test('a unit that caches what is not present finds a new mapping only after an invalidation', () => {
    const rig = new AmdRig({ features: recordedAmdFeatures });
    const root = rig.attach(DEVICE, DOMAIN);
    expect(rig.translate(DEVICE, PAGE)).toBe(-1);
    rig.map(root, PAGE, 0x500, RW);
    rig.submit(commands.page(DOMAIN, PAGE + 1), commands.page(DOMAIN + 1, PAGE));
    expect(rig.translate(DEVICE, PAGE)).toBe(-1);
    rig.submit(commands.page(DOMAIN, PAGE, 2));
    expect(rig.translate(DEVICE, PAGE)).toBe(0x500);
    expect(rig.translate(DEVICE, PAGE + 1)).toBe(-1);
    rig.map(root, PAGE + 1, 0x501, RW);
    rig.submit(commands.everything);
    expect(rig.translate(DEVICE, PAGE + 1)).toBe(0x501);
    expect(rig.takeEvents().map(({ flags }) => flags)).toEqual([0, 0, 0]);
  });
});

describe('growth of a table under a live device', () => {
  test('takes effect when the entry is dropped from the cache; what was mapped stays reachable all along', () => {
    const rig = new AmdRig();
    const root = rig.attach(DEVICE, DOMAIN);
    rig.map(root, PAGE, 0x500, RW);
    rig.translate(DEVICE, PAGE);
    const high = 2 ** 27 + 5;
    const top = rig.newFrame();
    rig.slot(top, 0, 3, 4).set([root * 4096 + 3 * 512 + 1, 0x60000000]);
    rig.map(top, high, 0x900, RW, 0, 4);
    rig.setMode(DEVICE, DOMAIN, top, 4);
    expect([rig.translate(DEVICE, PAGE), rig.translate(DEVICE, high)]).toEqual([0x500, -1]);
    rig.submit(commands.deviceEntry(DEVICE));
    expect([rig.translate(DEVICE, PAGE), rig.translate(DEVICE, high)]).toEqual([0x500, 0x900]);
  });
});

describe('COMPLETION_WAIT', () => {
  test('stores 64 bits where it is told, with S only', () => {
    const { rig } = warmRig();
    rig.submit([...commands.wait(3, 0xdeadbeef).slice(0, 3), 0x12], commands.wait(4, 9, 0));
    expect([rig.stored(3), rig.stored(4)]).toEqual([0x12deadbeef, 0]);
    expect(rig.unit.counters.waits).toBe(2);
    expect(rig.status).toBe(AmdStatus.commandBufferRunning | AmdStatus.eventLogRunning);
  });

  test('with I sets the interrupt bit, which a one clears', () => {
    const { rig } = warmRig();
    rig.submit(commands.wait(0, 1, 3));
    expect(rig.status & AmdStatus.completionInterrupt).not.toBe(0);
    rig.unit.writeRegister32(AmdRegister.STATUS, AmdStatus.completionInterrupt);
    expect(rig.status & AmdStatus.completionInterrupt).toBe(0);
  });

  test('a store to no memory vanishes', () => {
    const { rig } = warmRig();
    rig.submit([0xf0000001, 0x10000000, 5, 0], commands.wait(0, 6));
    expect(rig.stored(0)).toBe(6);
  });
});

describe('what a unit refuses', () => {
  const plain = { capabilityHeader: 0, extendedFeatures: [0, 0] as [number, number] };
  test.each<[string, readonly number[], boolean]>([
    ['opcode 0', [0, 0, 0, 0], false],
    ['opcode 6', [0, 0x60000000, 0, 0], false],
    ['opcode 15', [0, 0xf0000000, 0, 0], false],
    ['device entry with a reserved bit', [DEVICE, 0x20000001, 0, 0], false],
    ['device entry with a wide id', [0x10010, 0x20000000, 0, 0], false],
    ['pages with a reserved bit', commands.page(DOMAIN, PAGE, 8), false],
    ['pages with a wide domain', commands.pages(0x10000, 0, 0), false],
    ['pages with a wide PASID', [0x100000, 0x30000007, 0, 0], false],
    ['a wait with a wide address', [1, 0x10100000, 0, 0], false],
    ['everything, and a device', [DEVICE, 0x80000000, 0, 0], false],
    ['GN without guest translation', commands.page(DOMAIN, PAGE, 4), true],
    ['everything without IASup', commands.everything, true],
    ['a page response without PPRSup', commands.pprResponse(DEVICE), true],
    ['a device TLB without IotlbSup', commands.deviceTlb(DEVICE), true],
  ])('%s stops the buffer and is logged by its address', (_title, command, onlyPlain) => {
    const rig = new AmdRig({ features: onlyPlain ? plain : bareMetalAmdFeatures });
    rig.submit(commands.wait(0, 1), command, commands.wait(1, 2));
    expect([rig.stored(0), rig.stored(1)]).toEqual([1, 0]);
    expect(rig.unit.readRegister32(AmdRegister.COMMAND_HEAD)).toBe(16);
    expect(rig.status & AmdStatus.commandBufferRunning).toBe(0);
    expect(rig.takeEvents()).toEqual([
      { type: AmdEventType.illegalCommand, deviceId: 0, domain: 0, flags: 0, address: 0x101010 },
    ]);
    // Writing the same enables again does not start it.
    rig.control(ENABLES);
    expect(rig.takeEvents()).toEqual([]);
    rig.resetCommands();
    rig.submit(commands.wait(1, 3));
    expect(rig.stored(1)).toBe(3);
    if (onlyPlain) {
      const able = new AmdRig();
      able.submit(command, commands.wait(0, 1));
      expect(able.stored(0)).toBe(1);
    }
  });

  test('a ring where no memory answers is a hardware error', () => {
    const rig = new AmdRig();
    rig.unit.writeRegister64(AmdRegister.COMMAND_BASE, [0x80000000, 0x09000000]);
    rig.unit.writeRegister32(AmdRegister.COMMAND_TAIL, 16);
    expect(rig.takeEvents()).toEqual([
      { type: AmdEventType.commandHardwareError, deviceId: 0, domain: 0, flags: 0x200, address: 0x80000000 },
    ]);
  });
});

test('every command is counted by its kind', () => {
  const { rig } = warmRig();
  rig.submit(
    commands.deviceEntry(DEVICE),
    commands.page(DOMAIN, PAGE),
    commands.wholeDomain(DOMAIN),
    commands.deviceTlb(DEVICE),
    commands.interruptTable(DEVICE),
    commands.pprResponse(DEVICE),
    commands.everything,
    commands.wait(0, 1),
  );
  expect(rig.unit.counters).toMatchObject({
    deviceEntry: 1,
    pages: 2,
    pagesAll: 1,
    deviceTlb: 1,
    interruptTable: 1,
    pprResponses: 1,
    invalidateAll: 1,
    waits: 1,
  });
});

test('commands wait until buffer and unit are on, and go round the ring', () => {
  const rig = new AmdRig();
  rig.control(ENABLES & ~AmdControl.iommuEnable);
  rig.submit(commands.wait(0, 1));
  rig.control(ENABLES & ~AmdControl.commandBufferEnable);
  expect([rig.stored(0), rig.unit.readRegister32(AmdRegister.COMMAND_HEAD)]).toEqual([0, 0]);
  rig.control(ENABLES);
  expect(rig.stored(0)).toBe(1);
  for (let value = 2; value < 1500; value += 1) {
    rig.submit(commands.wait(0, value));
    expect(rig.stored(0)).toBe(value);
  }
  expect(rig.unit.readRegister32(AmdRegister.COMMAND_HEAD)).toBe((1499 * 16) % 8192);
});

test('registers read back as they were written, also in halves; unknown ones read as 0', () => {
  const { unit } = new AmdRig();
  unit.writeRegister32(AmdRegister.EVENT_BASE + 4, 0x0a000012);
  unit.writeRegister32(AmdRegister.EVENT_BASE, 0x34000);
  expect(unit.readRegister64(AmdRegister.EVENT_BASE)).toEqual([0x34000, 0x0a000012]);
  expect(unit.readRegister32(AmdRegister.EVENT_BASE + 4)).toBe(0x0a000012);
  expect(unit.readRegister64(AmdRegister.EXTENDED_FEATURES)).toEqual([0x29d3, 0]);
  expect(unit.readRegister64(AmdRegister.COMMAND_BASE)).toEqual([0x101000, 0x09000000]);
  expect(unit.readRegister64(AmdRegister.DEVICE_TABLE_BASE)).toEqual([0x100000, 0]);
  unit.writeRegister32(AmdRegister.COMMAND_TAIL + 4, 7);
  unit.writeRegister64(0x4000, [1, 2]);
  expect([unit.readRegister32(AmdRegister.COMMAND_TAIL), unit.readRegister32(0x4000)]).toEqual([0, 0]);
});

/** What the specification says about an address with the size bit, word for word: the lowest zero bit decides. */
function orderByBits(address: bigint): number {
  for (let bit = 12n; bit < 64n; bit += 1n) {
    if (((address >> bit) & 1n) === 0n) return Number(bit) + 1 - 12;
  }
  return 53;
}

propertyTest.prop([fc.bigInt({ min: 0n, max: 2n ** 52n - 1n }), fc.integer({ min: 0, max: 52 })])(
  'the size of an invalidation is told by the lowest zero bit of its address',
  (page, ones) => {
    const address = ((page >> BigInt(ones)) << BigInt(ones + 12)) | ((2n ** BigInt(ones) - 1n) << 12n);
    const [low, high] = [Number(address & 0xffffffffn), Number(address >> 32n)];
    expect(amdPagesOrder(low + 1, high)).toBe(orderByBits(address));
    expect(amdPagesOrder(low, high)).toBe(0);
  },
);

// The event log: a ring that fills, overflows, is read and started again, and its interrupt.
import { expect, test } from 'vitest';
import { AmdRig, ENABLES, EVENT_SLOTS } from '../../test/amd-rig.ts';
import { AmdControl, AmdRegister, AmdStatus } from '../index.ts';

const DEVICE = 0x10;

function blockedRig(): AmdRig {
  const rig = new AmdRig();
  rig.entry(DEVICE).set([1, 0, 9, 0]);
  return rig;
}

const fault = (rig: AmdRig, page: number): number => rig.translate(DEVICE, page, true);
const pagesOf = (rig: AmdRig): number[] => rig.takeEvents().map(({ address }) => address / 4096);

test('an entry is four words: device, code with flags and domain, address', () => {
  const rig = blockedRig();
  fault(rig, 0x123456789);
  expect(Array.from(rig.memory.frameWords(0x103).subarray(0, 4))).toEqual([
    DEVICE,
    0x20200009,
    0x56789000,
    0x1234,
  ]);
  expect(rig.unit.readRegister32(AmdRegister.EVENT_TAIL)).toBe(16);
});

test('a full ring loses events until it is switched off and on; what it holds stays in order', () => {
  const rig = blockedRig();
  for (let page = 0; page < EVENT_SLOTS - 1; page += 1) fault(rig, page);
  expect(rig.status & AmdStatus.eventOverflow).toBe(0);
  fault(rig, 0x999);
  expect(rig.status).toBe(AmdStatus.eventOverflow | AmdStatus.commandBufferRunning);
  expect(pagesOf(rig)).toEqual(Array.from({ length: EVENT_SLOTS - 1 }, (_, page) => page));
  fault(rig, 0x99a);
  rig.unit.writeRegister32(AmdRegister.STATUS, AmdStatus.eventOverflow);
  fault(rig, 0x99b);
  expect(rig.status).toBe(AmdStatus.commandBufferRunning);
  rig.control(ENABLES & ~AmdControl.eventLogEnable);
  rig.control(ENABLES);
  fault(rig, 0x99c);
  expect(pagesOf(rig)).toEqual([0x99c]);
  expect(rig.unit.counters).toMatchObject({
    faults: EVENT_SLOTS + 3,
    eventsLogged: EVENT_SLOTS,
    eventsLost: 1,
  });
});

test('the ring goes round', () => {
  const rig = blockedRig();
  for (let round = 0; round < 5; round += 1) {
    const pages = Array.from({ length: 100 }, (_, at) => round * 1000 + at);
    for (const page of pages) fault(rig, page);
    expect(pagesOf(rig)).toEqual(pages);
  }
  expect(rig.unit.readRegister32(AmdRegister.EVENT_TAIL)).toBe((500 % EVENT_SLOTS) * 16);
});

test('an interrupt waits when it is enabled, also after an overflow, until its bits are cleared', () => {
  const rig = blockedRig();
  fault(rig, 1);
  expect([rig.unit.eventInterruptPending, rig.status & AmdStatus.eventInterrupt]).toEqual([false, 0]);
  rig.control(ENABLES | AmdControl.eventInterruptEnable);
  fault(rig, 2);
  expect(rig.unit.eventInterruptPending).toBe(true);
  rig.unit.writeRegister32(AmdRegister.STATUS, AmdStatus.eventInterrupt);
  expect(rig.unit.eventInterruptPending).toBe(false);
  for (let page = 0; page < EVENT_SLOTS; page += 1) fault(rig, page);
  rig.unit.writeRegister32(AmdRegister.STATUS, AmdStatus.eventInterrupt);
  expect(rig.unit.eventInterruptPending).toBe(true);
});

test('a new base empties the ring; a ring outside memory keeps nothing but its pointers', () => {
  const rig = blockedRig();
  fault(rig, 1);
  rig.unit.writeRegister64(AmdRegister.EVENT_BASE, [0x80000000, 0x08000000]);
  expect(rig.unit.readRegister32(AmdRegister.EVENT_TAIL)).toBe(0);
  fault(rig, 2);
  expect(rig.unit.readRegister32(AmdRegister.EVENT_TAIL)).toBe(16);
  rig.unit.writeRegister32(AmdRegister.EVENT_TAIL, 0);
  expect(rig.unit.readRegister32(AmdRegister.EVENT_TAIL)).toBe(0);
});

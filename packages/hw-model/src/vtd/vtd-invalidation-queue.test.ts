// The ring of invalidation descriptors: order, wrap, waits, and the errors that stop it.
import { describe, expect, test } from 'vitest';
import { descriptors, RING, VtdRig } from '../../test/vtd-rig.ts';
import {
  recordedVtdCapabilitiesScalable,
  VtdCommand,
  VtdFaultStatus,
  VtdQueueError,
  VtdRegister,
} from '../index.ts';

const { wait, iotlbGlobal } = descriptors;

describe.each([
  { wide: false, bytes: 16 },
  { wide: true, bytes: 32 },
])('descriptors of $bytes bytes', ({ wide, bytes }) => {
  const newRig = () => new VtdRig(wide ? { wide, capabilities: recordedVtdCapabilitiesScalable } : {});

  test('three times round the ring, every wait writes its word', () => {
    const rig = newRig();
    for (let command = 0; command < 3 * rig.ringSlots; command += 1) {
      rig.submit(wait(command % 1000, command + 1));
      expect(rig.status(command % 1000)).toBe(command + 1);
    }
    expect(rig.unit.counters.waits).toBe(3 * rig.ringSlots);
    expect(rig.unit.readRegister32(VtdRegister.IQH)).toBe(0);
  });

  test('a batch across the end of the ring is done in order', () => {
    const rig = newRig();
    rig.submit(...Array.from({ length: 250 }, () => iotlbGlobal));
    for (let slot = 0; slot < 12; slot += 1) rig.put(wait(1, slot));
    expect(rig.unit.counters.waits).toBe(0);
    rig.ring();
    expect(rig.status(1)).toBe(11);
    expect(rig.unit.counters).toMatchObject({ iotlbGlobal: 250, waits: 12 });
    expect(rig.unit.readRegister32(VtdRegister.IQH)).toBe(6 * bytes);
  });

  test.each([
    ['unknown type', [0x0f, 0, 0, 0], VtdQueueError.invalidType],
    ['reserved bit of a wait', [0x125, 0, 0, 0], VtdQueueError.reservedField],
    ['reserved bit of a context command', [0x11, 0, 1, 0], VtdQueueError.reservedField],
    ['granularity 0', [0x02, 0, 0, 0], VtdQueueError.invalidDescriptor],
    ['mask beyond CAP.MAMV', [0xf2, 0, 19, 0], VtdQueueError.invalidDescriptor],
  ])('%s stops the queue on it', (_title, words, code) => {
    const rig = newRig();
    rig.submit(wait(0, 1), words, wait(1, 1));
    expect([rig.status(0), rig.status(1)]).toEqual([1, 0]);
    expect(rig.unit.readRegister32(VtdRegister.IQH)).toBe(bytes);
    expect(rig.unit.readRegister32(VtdRegister.FSTS) & VtdFaultStatus.queueError).not.toBe(0);
    expect(rig.unit.readRegister32(VtdRegister.IQER)).toBe(code);

    // More work does not move it; a repaired descriptor and a cleared error do.
    rig.submit(wait(2, 1));
    expect(rig.status(2)).toBe(0);
    rig.memory.frameWords(RING).set(wait(3, 1), bytes / 4);
    rig.unit.writeRegister32(VtdRegister.FSTS, VtdFaultStatus.queueError);
    expect([1, 2, 3].map((slot) => rig.status(slot))).toEqual([1, 1, 1]);
    expect(rig.unit.readRegister32(VtdRegister.IQER)).toBe(VtdQueueError.none);
  });
});

test('a tail outside the ring, and a ring outside memory', () => {
  const rig = new VtdRig();
  rig.unit.writeRegister32(VtdRegister.IQT, 0x1000);
  expect(rig.unit.readRegister32(VtdRegister.IQER)).toBe(VtdQueueError.invalidTail);
  const other = new VtdRig();
  other.unit.writeRegister64(VtdRegister.IQA, [0, 0xff]);
  other.unit.writeRegister32(VtdRegister.IQT, 0x10);
  expect(other.unit.readRegister32(VtdRegister.IQER)).toBe(VtdQueueError.fetchError);
});

test('switching the queue off resets its head, and on again starts at descriptor 0', () => {
  const rig = new VtdRig();
  rig.submit(iotlbGlobal, wait(0, 1));
  expect(rig.unit.readRegister32(VtdRegister.IQH)).toBe(32);
  rig.unit.writeRegister32(VtdRegister.GCMD, 0);
  expect(rig.unit.readRegister32(VtdRegister.IQH)).toBe(0);
  rig.unit.writeRegister32(VtdRegister.IQT, 0);
  rig.unit.writeRegister32(VtdRegister.GCMD, VtdCommand.queueEnable);
  rig.memory.frameWords(RING).set(wait(1, 7));
  rig.unit.writeRegister32(VtdRegister.IQT, 16);
  expect(rig.status(1)).toBe(7);
});

test('a wait with the interrupt flag raises ICS.IWC until it is cleared', () => {
  const rig = new VtdRig();
  rig.submit([0x15, 0, 0, 0]);
  expect(rig.unit.readRegister32(VtdRegister.ICS)).toBe(1);
  rig.unit.writeRegister32(VtdRegister.ICS, 1);
  expect(rig.unit.readRegister32(VtdRegister.ICS)).toBe(0);
});

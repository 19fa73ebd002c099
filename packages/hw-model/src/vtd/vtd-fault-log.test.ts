// Fault records: a ring that fills, overflows, is read and cleared, and what a record says.
import { expect, test } from 'vitest';
import { RW, VtdRig } from '../../test/vtd-rig.ts';
import { EventLog, VtdFaultReason, VtdFaultStatus, VtdRegister } from '../index.ts';

const DEVICE = 0x0108;
const RECORDS = 4;
/** Four records at 0x220. */
const capabilities = {
  cap: [0x222f0606, 0x00d2038c] as [number, number],
  ecap: [0xf42, 0] as [number, number],
};
const FIRST_RECORD = 0x220;

function newRig(log?: EventLog): VtdRig {
  const rig = new VtdRig({ capabilities, ...(log === undefined ? {} : { log }) });
  rig.map(rig.attach(DEVICE, 2), 0x10, 0x500, RW);
  return rig;
}

const record = (rig: VtdRig, index: number): number[] =>
  [0, 4, 8, 12].map((word) => rig.unit.readRegister32(FIRST_RECORD + index * 16 + word));
const clear = (rig: VtdRig, index: number): void =>
  rig.unit.writeRegister32(FIRST_RECORD + index * 16 + 12, 0x80000000);
const status = (rig: VtdRig): number => rig.unit.readRegister32(VtdRegister.FSTS);

test('a record names page, function, direction and reason', () => {
  const rig = newRig();
  rig.translate(DEVICE, 0x123456789, false);
  rig.translate(DEVICE + 1, 0x42, true);
  expect(record(rig, 0)).toEqual([0x56789000, 0x1234, DEVICE, 0xc0000000 + VtdFaultReason.readNotPermitted]);
  expect(record(rig, 1)).toEqual([0x42000, 0, DEVICE + 1, 0x80000000 + VtdFaultReason.contextNotPresent]);
  expect(status(rig)).toBe(VtdFaultStatus.pending);
});

test('records fill in turn, the next one is lost and sets the overflow bit', () => {
  const rig = newRig();
  for (let fault = 0; fault < RECORDS; fault += 1) rig.translate(DEVICE, 0x20 + fault);
  expect(status(rig)).toBe(VtdFaultStatus.pending);
  rig.translate(DEVICE, 0x99);
  expect(status(rig)).toBe(VtdFaultStatus.pending | VtdFaultStatus.overflow);
  expect([0, 1, 2, 3].map((index) => record(rig, index)[0])).toEqual([0x20000, 0x21000, 0x22000, 0x23000]);
  // While the overflow bit stands nothing is recorded, even where there is room.
  clear(rig, 0);
  rig.translate(DEVICE, 0x55);
  expect(record(rig, 0)[0]).toBe(0x20000);
  rig.unit.writeRegister32(VtdRegister.FSTS, VtdFaultStatus.overflow);
  rig.translate(DEVICE, 0x66);
  expect(record(rig, 0)[0]).toBe(0x66000);
  expect(rig.unit.counters.faults).toBe(RECORDS + 3);
});

test('a cleared record is used again in turn, and FRI names the first pending one', () => {
  const rig = newRig();
  rig.translate(DEVICE, 0x20);
  clear(rig, 0);
  expect(status(rig)).toBe(0);
  rig.translate(DEVICE, 0x21);
  expect(status(rig)).toBe(VtdFaultStatus.pending + (1 << 8));
  expect(record(rig, 1)[0]).toBe(0x21000);
});

test('the fault event is masked after reset and raised once it is unmasked', () => {
  const rig = newRig();
  rig.translate(DEVICE, 0x20);
  expect(rig.unit.faultInterruptPending).toBe(false);
  rig.unit.writeRegister32(VtdRegister.FECTL, 0);
  expect(rig.unit.faultInterruptPending).toBe(true);
  clear(rig, 0);
  expect(rig.unit.faultInterruptPending).toBe(false);
});

test('a fault is an event too, with the address that was refused', () => {
  const log = new EventLog();
  log.enabled = true;
  const rig = newRig(log);
  rig.translate(DEVICE, 0x20, true);
  expect(log.events).toEqual([
    {
      kind: 'hw:iommu-fault',
      unit: 'dmar0',
      requesterId: DEVICE,
      address: 0x20000,
      write: true,
      reason: VtdFaultReason.writeNotPermitted,
      recorded: true,
    },
  ]);
});

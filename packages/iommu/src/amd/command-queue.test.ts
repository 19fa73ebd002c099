// The command buffer from the driver's side: round the ring, full, stopped, and when a wait is needed at all.
import { AmdControl, AmdEventType, AmdRegister } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { expect, test } from 'vitest';
import { type AmdMachine, amdMachine, bareAmdUnit } from '../../test/amd-machine.ts';
import { CommandQueue } from './command-queue.ts';
import { buildInvDte, COMMAND_WORDS } from './command-words.ts';

const OPEN = AmdControl.iommuEnable | AmdControl.commandBufferEnable | AmdControl.eventLogEnable;

function setUp(): { machine: Omit<AmdMachine, 'iommu'>; queue: CommandQueue; send: () => number } {
  const machine = bareAmdUnit();
  const queue = new CommandQueue(machine.unit, machine.memory, machine.frames);
  queue.program();
  machine.unit.writeRegister32(AmdRegister.CONTROL, OPEN);
  const command = new Uint32Array(COMMAND_WORDS);
  buildInvDte(command, 0x100);
  return { machine, queue, send: () => queue.queue(command) };
}

test('a wait follows the last command only once', () => {
  const { queue, send } = setUp();
  expect([queue.completionWait(), queue.counters.waits]).toEqual([0, 0]);
  send();
  send();
  expect([queue.completionWait(), queue.completionWait(), queue.counters.waits]).toEqual([0, 0, 1]);
  send();
  expect([queue.completionWait(), queue.counters.waits]).toEqual([0, 2]);
});

test('the ring goes round and round; the head is read only when it looks full', () => {
  const { machine, queue, send } = setUp();
  for (let command = 0; command < 5000; command += 1) expect(send()).toBe(0);
  expect(queue.completionWait()).toBe(0);
  expect(machine.unit.counters.deviceEntry).toBe(5000);
  expect(machine.unit.readRegister32(AmdRegister.COMMAND_TAIL)).toBe((5001 * 16) % 8192);
  expect(queue.counters).toEqual({ commands: 5000, waits: 1, tailWrites: 5001, headReads: 9, errors: 0 });
});

test('a unit that fetches nothing: so many commands fit, then -EIO; when it goes on all are done', () => {
  const { machine, queue, send } = setUp();
  machine.unit.writeRegister32(AmdRegister.CONTROL, AmdControl.iommuEnable);
  for (let command = 0; command < 509; command += 1) expect(send()).toBe(0);
  expect(send()).toBe(-Errno.EIO);
  expect(queue.completionWait()).toBe(-Errno.EIO);
  expect(queue.counters).toMatchObject({ commands: 509, waits: 0, errors: 2 });
  machine.unit.writeRegister32(AmdRegister.CONTROL, OPEN);
  expect(queue.completionWait()).toBe(0);
  expect(machine.unit.counters.deviceEntry).toBe(509);
});

test('after an illegal command waits never complete, and the event says where it lies', () => {
  const machine = amdMachine();
  const domain = machine.iommu.allocPagingDomain();
  const { unit, memory } = machine;
  const tail = unit.readRegister32(AmdRegister.COMMAND_TAIL);
  const base = (unit.readRegister64(AmdRegister.COMMAND_BASE)[0] as number) & ~0xfff;
  memory.frameWords(base >>> 12).set([0, 0xf0000000, 0, 0], tail / 4);
  unit.writeRegister32(AmdRegister.COMMAND_TAIL, tail + 16);
  expect(machine.iommu.processEventLog()).toEqual([
    { type: AmdEventType.illegalCommand, deviceId: 0, domainId: 0, flags: 0, address: base + tail },
  ]);
  machine.iommu.attachDevice(domain, 0x100);
  expect(machine.iommu.counters.errors).toBe(1);
});

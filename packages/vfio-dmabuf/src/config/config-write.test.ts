// The configuration space of the user: which bits are VFIO's copy, how a write is cut, and what is refused.
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { BAR_BYTES, VfioMachine, type VfioMachineOptions } from '../../test/vfio-machine.ts';
import { vfioDeviceFopsUnlIoctl } from '../device/device-ioctl.ts';
import { vfioPciConfigRead, vfioPciConfigWrite } from './config-write.ts';

function write(machine: VfioMachine, at: number, ...values: number[]): number {
  return machine.run(vfioPciConfigWrite(machine.vdev, at, Uint8Array.from(values)));
}

describe('the configuration space', () => {
  it('keeps BARs in a copy that shows their size, and hardware never sees', () => {
    const machine = new VfioMachine();
    const { vdev } = machine;
    const before = vdev.pdev.fn.config.read(0x10, 4);
    expect(vfioPciConfigRead(vdev, 0x10, 4)).toBe(before);
    expect(write(machine, 0x10, 255, 255, 255, 255)).toBe(4);
    expect(vfioPciConfigRead(vdev, 0x10, 4)).toBe(2 ** 32 - BAR_BYTES);
    expect(vdev.pdev.fn.config.read(0x10, 4)).toBe(before);
  });

  it('keeps the interrupt bit of the command register in the copy, and lets bus mastering through', () => {
    const machine = new VfioMachine();
    const { vdev } = machine;
    expect(vdev.pdev.fn.busMaster).toBe(false);
    expect(write(machine, 4, 6, 4)).toBe(2);
    expect(vfioPciConfigRead(vdev, 4, 2)).toBe(0x406);
    expect(vdev.pdev.fn.config.read(4, 2)).toBe(0x006);
  });

  it('shows a function without a memory bit as one that has it set, whatever hardware says', () => {
    const machine = new VfioMachine({ noCommandMemory: true });
    expect(vfioPciConfigRead(machine.vdev, 4, 2) & 2).toBe(2);
    write(machine, 4, 0, 0);
    expect(vfioPciConfigRead(machine.vdev, 4, 2) & 2).toBe(0);
    expect(machine.vdev.pdev.fn.memoryEnabled).toBe(true);
  });

  it('ignores what is not writable, and shows no reset bit afterwards', () => {
    const machine = new VfioMachine();
    const id = vfioPciConfigRead(machine.vdev, 0, 4);
    expect(write(machine, 0, 1, 2, 3, 4)).toBe(4);
    expect(vfioPciConfigRead(machine.vdev, 0, 4)).toBe(id);
    write(machine, 0x58, 0x20, 0xa0);
    expect(vfioPciConfigRead(machine.vdev, 0x58, 2)).toBe(0x2020);
  });

  it('is written in aligned fields: a long write reaches the command register in the middle', () => {
    const machine = new VfioMachine();
    expect(write(machine, 1, 9, 9, 9, 0, 0)).toBe(5);
    expect(machine.vdev.pdev.fn.memoryEnabled).toBe(false);
  });

  it('is 4096 bytes long', () => {
    const machine = new VfioMachine();
    expect(write(machine, 4095, 0)).toBe(1);
    expect(write(machine, 4095, 0, 0)).toBe(-Errno.EFAULT);
    expect(write(machine, -1, 0)).toBe(-Errno.EFAULT);
  });

  it('passes the error of a write to hardware on, at the field where it happens', () => {
    const options: VfioMachineOptions = { configFault: (at) => (at === 0x58 ? -Errno.EIO : 0) };
    const machine = new VfioMachine(options);
    expect(write(machine, 0x58, 0, 0x80)).toBe(-Errno.EIO);
    expect(machine.vdev.counters.resets).toBe(1);
  });
});

describe('the ioctls', () => {
  const ioctl = (machine: VfioMachine, cmd: number, ...words: number[]): number => {
    const arg = new Uint8Array(Uint32Array.from(words).buffer);
    return machine.run(vfioDeviceFopsUnlIoctl(machine.vdev, cmd, arg));
  };

  it('reset the device, and know their own numbers only', () => {
    const machine = new VfioMachine();
    expect([ioctl(machine, 0x3b6f), ioctl(machine, 0x3b70)]).toEqual([0, -Errno.ENOTTY]);
    expect(machine.vdev.counters.resets).toBe(2);
  });

  it('ask for low power only in the right way', () => {
    const set = 0x20000;
    const rows: readonly (readonly [words: number[], result: number])[] = [
      [[8, 0x10000 + 3], -Errno.EINVAL],
      [[8, 3], -Errno.EINVAL],
      [[8, 0x40000 + 3], 0],
      [[8, set + 4], -Errno.EINVAL],
      [[8, set + 3], 0],
      [[8, set + 3], -Errno.EINVAL],
      [[8, set + 5], 0],
      [[8, set + 5], 0],
      [[16, set + 4, 0, 0], 0],
    ];
    const machine = new VfioMachine();
    for (const [words, result] of rows) expect(ioctl(machine, 0x3b75, ...words)).toBe(result);
    expect([machine.vdev.runtimePm.suspended, machine.vdev.counters.wakeUps]).toEqual([true, 0]);
    expect(machine.vdev.pdev.fn.memoryEnabled).toBe(false);
    ioctl(machine, 0x3b70);
    expect([machine.vdev.runtimePm.engaged, machine.vdev.counters.wakeUps]).toEqual([false, 1]);
    expect(machine.vdev.pdev.fn.memoryEnabled).toBe(true);
  });
});

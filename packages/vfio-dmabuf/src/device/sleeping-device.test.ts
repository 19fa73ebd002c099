// Sleeping devices: the power state that registers show, and what a hot reset and the last close do to a low power mode.
import type { ModelTask } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { PM_CTRL, write } from '../../test/revoke-triggers.ts';
import { TestImporter } from '../../test/test-importer.ts';
import { featureBytes, VfioMachine } from '../../test/vfio-machine.ts';
import { vfioPciConfigRead } from '../config/config-write.ts';
import { vfioPciIoctlReset } from './device-reset.ts';
import { VfioDeviceSet, vfioPciDevSetHotReset } from './hot-reset.ts';
import { vfioPciCoreCloseDevice, vfioPciCoreEnable } from './open-close.ts';
import { vfioPciCoreMmap } from './user-bar-mapping.ts';

const state = ({ vdev }: VfioMachine): number => vfioPciConfigRead(vdev, PM_CTRL, 2) & 3;
const lowPower = (machine: VfioMachine, feature: number): number =>
  machine.ioctl(featureBytes({ argsz: 16, flags: 0x20000 + feature, ranges: [] }));

describe('the power management control', () => {
  it('shows the state that a reset or an open brought about, not the one last written', () => {
    const machine = new VfioMachine();
    const set = new VfioDeviceSet(machine.scheduler, [machine.vdev]);
    const acts = [
      () => machine.run(vfioPciIoctlReset(machine.vdev)),
      () => machine.run(vfioPciDevSetHotReset(set, [machine.vdev])),
      () => {
        machine.run(vfioPciCoreCloseDevice(machine.vdev));
        return machine.run(vfioPciCoreEnable(machine.vdev));
      },
    ];
    for (const act of acts) {
      expect(write(machine, PM_CTRL, 3, 0)).toBe(2);
      expect(state(machine)).toBe(3);
      expect(act()).toBe(0);
      expect([state(machine), machine.vdev.powerState]).toEqual([0, 0]);
    }
  });

  it('does not show that the function sleeps before its buffers have been taken back', () => {
    const machine = new VfioMachine();
    const importer = new TestImporter(machine);
    machine.run(importer.open(machine.ioctl(featureBytes())));
    machine.run(importer.map());
    const seen: number[] = [];
    importer.onTold = () => {
      seen.push(state(machine));
    };
    write(machine, PM_CTRL, 3, 0);
    expect([seen, state(machine)]).toEqual([[0], 3]);
  });

  it('shows an awake function before a reset takes the buffers back', () => {
    const machine = new VfioMachine();
    const importer = new TestImporter(machine);
    machine.run(importer.open(machine.ioctl(featureBytes())));
    write(machine, PM_CTRL, 1, 0);
    const seen: number[] = [state(machine)];
    importer.onTold = () => {
      seen.push(state(machine));
    };
    expect(machine.run(vfioPciIoctlReset(machine.vdev))).toBe(0);
    expect(seen).toEqual([1, 0, 0]);
  });

  it('and the function stay as they are when the write to hardware fails', () => {
    const machine = new VfioMachine({ configFault: (at) => (at === PM_CTRL ? -Errno.EIO : 0) });
    machine.ioctl(featureBytes());
    expect(write(machine, PM_CTRL, 3, 0)).toBe(-Errno.EIO);
    const { powerState, counters, dmabufs } = machine.vdev;
    expect([state(machine), powerState, counters.revokes, dmabufs[0]?.revoked]).toEqual([0, 0, 0, false]);
  });
});

describe('a low power mode', () => {
  const resetBoth = (machine: VfioMachine, seen: boolean[]): number => {
    const devices = [machine.vdev, machine.other];
    const set = new VfioDeviceSet(machine.scheduler, devices, function* (): ModelTask<number> {
      yield { at: 'test:bus-reset' };
      seen.push(...devices.map(({ runtimePm }) => runtimePm.suspended));
      return 0;
    });
    return machine.run(vfioPciDevSetHotReset(set, devices));
  };

  it('that any access ends is ended by a hot reset of the set, and its buffers can be used again', () => {
    const machine = new VfioMachine();
    machine.ioctl(featureBytes());
    expect(lowPower(machine, 4)).toBe(0);
    const { runtimePm, counters, dmabufs } = machine.vdev;
    expect(runtimePm.suspended).toBe(true);
    const seen: boolean[] = [];
    expect(resetBoth(machine, seen)).toBe(0);
    expect(seen).toEqual([false, false]);
    expect([runtimePm.engaged, runtimePm.suspended, runtimePm.users]).toEqual([false, false, 0]);
    expect([counters.wakeUps, dmabufs[0]?.revoked]).toEqual([1, false]);
    expect(machine.vdev.pdev.fn.memoryEnabled).toBe(true);
  });

  it('without wake-up lasts through a hot reset: the device is awake for as long as it takes', () => {
    const machine = new VfioMachine();
    expect(lowPower(machine, 3)).toBe(0);
    const seen: boolean[] = [];
    expect(resetBoth(machine, seen)).toBe(0);
    const { runtimePm } = machine.vdev;
    expect([seen, runtimePm.engaged, runtimePm.suspended]).toEqual([[false, false], true, true]);
    expect(machine.vdev.pdev.fn.memoryEnabled).toBe(false);
  });

  it('keeps the pages of a BAR away from the user until it is left', () => {
    const machine = new VfioMachine();
    const mapping = vfioPciCoreMmap(machine.vdev, 0);
    if (!mapping.ok) throw new Error('no BAR');
    expect(machine.run(mapping.value.touch(0))).toBe(true);
    expect(lowPower(machine, 3)).toBe(0);
    expect([mapping.value.presentPages, machine.run(mapping.value.touch(0))]).toEqual([0, false]);
    expect(lowPower(machine, 5)).toBe(0);
    expect(machine.run(mapping.value.touch(0))).toBe(true);
  });

  it('is ended by the last close without telling anybody and without giving buffers out in between', () => {
    const machine = new VfioMachine();
    const fd = machine.ioctl(featureBytes());
    const importer = new TestImporter(machine);
    machine.run(importer.open(fd));
    machine.run(importer.map());
    expect(lowPower(machine, 4)).toBe(0);
    expect(importer.told).toBe(1);
    machine.run(vfioPciCoreCloseDevice(machine.vdev));
    const { runtimePm, counters } = machine.vdev;
    expect([importer.told, counters.revokes, counters.unrevokes, counters.wakeUps]).toEqual([1, 1, 0, 0]);
    expect([runtimePm.engaged, runtimePm.suspended, runtimePm.users]).toEqual([false, false, 0]);
    expect(machine.run(importer.map())).toBe(-Errno.ENODEV);
    machine.run(importer.close());
    machine.run(machine.platform.files.close(fd));
    expect(machine.leftovers).toEqual([0, 0, 0, 0, 0, 0, 0]);
  });
});

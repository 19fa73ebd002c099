// The revoke engine: hot resets, what a revoke tells and waits for, and everything it leaves behind.
import {
  DmaResvUsage,
  dmaFenceInit,
  dmaFencePut,
  dmaFenceSignal,
  dmaResvAddFence,
  dmaResvReserveFences,
  dmaResvTrylock,
  dmaResvUnlock,
} from '@sgfree/dma-buf';
import { Clock, type ModelTask, Scheduler } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { COMMAND, hotReset, PM_CTRL, write } from '../../test/revoke-triggers.ts';
import { TestImporter } from '../../test/test-importer.ts';
import { featureBytes, VfioMachine } from '../../test/vfio-machine.ts';
import { vfioPciConfigRead, vfioPciConfigWrite } from '../config/config-write.ts';
import { vfioPciIoctlReset } from '../device/device-reset.ts';
import { VfioDeviceSet, vfioPciDevSetHotReset } from '../device/hot-reset.ts';
import { vfioPciCoreCloseDevice, vfioPciCoreEnable } from '../device/open-close.ts';
import { vfioPciDmaBufMove } from './dma-buf-move.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe('a hot reset', () => {
  it('needs every open device to be owned', () => {
    const machine = new VfioMachine();
    machine.run(vfioPciCoreEnable(machine.other));
    const set = new VfioDeviceSet(machine.scheduler, [machine.vdev, machine.other]);
    expect(machine.run(vfioPciDevSetHotReset(set, [machine.vdev]))).toBe(-Errno.EINVAL);
    expect([set.lock.locked, machine.platform.order.allFree]).toEqual([false, true]);
  });

  it('never waits for a second memory lock, and gives the first device back', () => {
    const machine = new VfioMachine();
    machine.run(vfioPciCoreEnable(machine.other));
    machine.ioctl(featureBytes());
    const devices = [machine.vdev, machine.other];
    const set = new VfioDeviceSet(machine.scheduler, devices);
    const { memoryLock } = machine.other;
    expect(memoryLock.tryWriteLock()).toBe(true);
    expect(machine.run(vfioPciDevSetHotReset(set, devices))).toBe(-Errno.EBUSY);
    memoryLock.writeUnlock();
    const { revokes, unrevokes, resets } = machine.vdev.counters;
    expect([revokes, unrevokes, resets]).toEqual([1, 1, 1]);
    expect(machine.vdev.dmabufs[0]?.revoked).toBe(false);
  });

  it('takes devices in their order and gives them back the last first', () => {
    const machine = new VfioMachine();
    const { vdev, other } = machine;
    machine.run(vfioPciCoreEnable(other));
    for (const device of [vdev, other]) machine.ioctl(featureBytes(), device);
    expect(hotReset(machine)).toBe(0);
    const moves = machine.log.events.filter(
      ({ kind }) => kind === 'vfio:revoked' || kind === 'vfio:unrevoked',
    );
    expect(moves.map(({ kind, device }) => [kind, device])).toEqual([
      ['vfio:revoked', vdev.name],
      ['vfio:revoked', other.name],
      ['vfio:unrevoked', other.name],
      ['vfio:unrevoked', vdev.name],
    ]);
  });

  it('leaves a buffer of a device that nobody has open as it is', () => {
    const machine = new VfioMachine();
    machine.ioctl(featureBytes());
    machine.vdev.openCount = 0;
    expect(hotReset(machine)).toBe(0);
    expect(machine.vdev.dmabufs[0]?.revoked).toBe(true);
  });
});

describe('a revoke', () => {
  it('logs when a revoke starts, ends, and is taken back, with the buffer and the step', () => {
    const machine = new VfioMachine();
    machine.ioctl(featureBytes());
    machine.run(vfioPciIoctlReset(machine.vdev));
    const events = machine.log.events.filter(({ kind }) => kind.startsWith('vfio:'));
    const common = { step: machine.clock.step, device: machine.vdev.name, buffer: 'vfio_pci_core#1' };
    expect(events).toEqual([
      { kind: 'vfio:revoke-start', ...common },
      { kind: 'vfio:revoked', ...common },
      { kind: 'vfio:unrevoked', ...common },
    ]);
  });

  it('can be repeated: references and completion are armed again', () => {
    const machine = new VfioMachine();
    const fd = machine.ioctl(featureBytes());
    const importer = new TestImporter(machine);
    machine.run(importer.open(fd));
    for (let round = 1; round <= 3; round += 1) {
      expect(machine.run(importer.write(bytes(round)))).toBe(0);
      expect(machine.vdev.dmabufs[0]?.kref).toBe(2);
      machine.run(vfioPciIoctlReset(machine.vdev));
      expect(importer.mapped).toBe(false);
    }
    expect(machine.vdev.counters.revokes).toBe(3);
  });

  it('refuses a mapping made from within the call in both directions', () => {
    const machine = new VfioMachine();
    const importer = new TestImporter(machine);
    importer.remapInside = true;
    machine.run(importer.open(machine.ioctl(featureBytes())));
    machine.run(importer.map());
    machine.run(vfioPciIoctlReset(machine.vdev));
    expect(importer.remaps).toEqual([-Errno.ENODEV, -Errno.ENODEV]);
  });

  it('of an importer that keeps its mapping hangs the owner, who can be named', () => {
    const machine = new VfioMachine({ scheduler: new Scheduler() });
    const importer = new TestImporter(machine, 'near', 'keeps-mapping');
    machine.run(importer.open(machine.ioctl(featureBytes())));
    machine.run(importer.map());
    machine.scheduler.spawn('owner', vfioPciIoctlReset(machine.vdev));
    machine.scheduler.spawn('second', vfioPciConfigWrite(machine.vdev, COMMAND, bytes(2, 0)));
    const { status, blocked } = machine.scheduler.run();
    const at = 'completion:mappings of vfio_pci_core#1';
    expect(status).toBe('deadlock');
    expect(blocked).toContainEqual({ task: 'owner', at });
  });

  it('tells the newest importer first', () => {
    const machine = new VfioMachine();
    const fd = machine.ioctl(featureBytes());
    const importers = ['near', 'far', 'near'].map((where) => new TestImporter(machine, where as 'near'));
    for (const importer of importers) machine.run(importer.open(fd));
    const told: number[] = [];
    for (const [i, importer] of importers.entries()) {
      importer.onTold = () => {
        told.push(i);
      };
    }
    machine.run(vfioPciConfigWrite(machine.vdev, COMMAND, bytes(0, 0)));
    expect(told).toEqual([2, 1, 0]);
  });

  it('needs the memory lock', () => {
    const machine = new VfioMachine();
    machine.run(vfioPciDmaBufMove(machine.vdev, true));
    expect(machine.rules()).toEqual(['vfio-memory-lock-needed']);
  });

  it('passes over a buffer whose file is being released', () => {
    const machine = new VfioMachine();
    const fd = machine.ioctl(featureBytes());
    const { memoryLock, dmabufs } = machine.vdev;
    machine.scheduler.spawn(
      'owner',
      (function* () {
        yield* memoryLock.writeLock();
        machine.scheduler.spawn('release', machine.platform.files.close(fd));
        yield { at: 'test:release-waits', until: () => dmabufs[0]?.dmabuf.refs === 0 };
        yield* vfioPciDmaBufMove(machine.vdev, true);
        expect([dmabufs[0]?.revoked, dmabufs.length]).toEqual([false, 1]);
        memoryLock.writeUnlock();
      })(),
    );
    expect(machine.scheduler.run().status).toBe('idle');
    expect(machine.leftovers).toEqual([0, 0, 0, 0, 0, 0, 0]);
  });

  it('waits for every fence, and lets a file go that loses its last descriptor meanwhile', () => {
    const machine = new VfioMachine();
    const { platform, scheduler, vdev } = machine;
    const fd = machine.ioctl(featureBytes());
    const dmabuf = vdev.dmabufs[0]?.dmabuf;
    if (dmabuf === undefined) throw new Error('no buffer');
    const fence = dmaFenceInit(platform, {}, { context: platform.takeContexts(1), seqno: 1 });
    dmaResvTrylock(dmabuf.resv);
    dmaResvReserveFences(dmabuf.resv, 1);
    dmaResvAddFence(dmabuf.resv, fence, DmaResvUsage.BOOKKEEP);
    dmaResvUnlock(dmabuf.resv);
    const owner = scheduler.spawn('owner', vfioPciConfigWrite(vdev, COMMAND, bytes(0, 0)));
    scheduler.run();
    expect([owner.done, dmabuf.refs]).toEqual([false, 2]);
    machine.run(platform.files.close(fd));
    dmaFenceSignal(fence);
    dmaFencePut(fence);
    expect(scheduler.run().status).toBe('idle');
    expect(machine.leftovers).toEqual([0, 0, 0, 0, 0, 0, 0]);
    expect(machine.rules()).toEqual([]);
  });
});

describe('the fence of a transfer', () => {
  /** Memory is switched off while an importer, that unmaps as soon as it is told, still writes 4 KiB. */
  function switchedOff(seed: number) {
    const machine = new VfioMachine({ scheduler: new Scheduler({ seed, clock: new Clock() }) });
    const { scheduler, vdev, bar } = machine;
    const importer = new TestImporter(machine, 'near', 'unmaps-early');
    machine.run(importer.open(machine.ioctl(featureBytes())));
    let afterTold = 0;
    importer.onTold = () => {
      afterTold = -bar.writes.length;
    };
    const transfer = scheduler.spawn('importer', importer.write(new Uint8Array(4096).fill(9)));
    const owner = scheduler.spawn('owner', turnOff());
    function* turnOff(): ModelTask<void> {
      yield { at: 'test:mapped', until: () => importer.mapped };
      yield* vfioPciConfigWrite(vdev, COMMAND, bytes(0, 0));
    }
    // Ends in any case: nothing here waits for what cannot come.
    const { status } = scheduler.run();
    afterTold += bar.writes.length;
    return { machine, importer, transfer, owner, status, afterTold };
  }

  it('is waited for when the mapping is gone already: every byte lands, and none after the revoke', () => {
    let met = 0;
    for (let seed = 1; seed <= 20; seed += 1) {
      const { machine, importer, transfer, owner, status, afterTold } = switchedOff(seed);
      expect([status, transfer.done, owner.done]).toEqual(['idle', true, true]);
      expect([transfer.result, importer.written, importer.told, importer.mapped]).toEqual([
        0,
        4096,
        1,
        false,
      ]);
      const revoked = machine.log.events.find(({ kind }) => kind === 'vfio:revoked');
      expect(Math.max(...machine.bar.writes)).toBeLessThanOrEqual(revoked?.['step'] as number);
      expect(machine.rules()).toEqual([]);
      if (afterTold > 0) met += 1;
    }
    expect(met).toBeGreaterThan(10);
  });

  it.each([DmaResvUsage.KERNEL, DmaResvUsage.WRITE, DmaResvUsage.READ, DmaResvUsage.BOOKKEEP])(
    'keeps the owner, with the lock held, until it signals: usage %i',
    (usage) => {
      const machine = new VfioMachine();
      const { platform, scheduler, vdev, log } = machine;
      const importer = new TestImporter(machine);
      machine.run(importer.open(machine.ioctl(featureBytes())));
      machine.run(importer.map());
      const { resv } = vdev.dmabufs[0]?.dmabuf ?? {};
      if (resv === undefined) throw new Error('no buffer');
      const fence = dmaFenceInit(platform, {}, { context: platform.takeContexts(1), seqno: 1 });
      expect(dmaResvTrylock(resv)).toBe(true);
      expect(dmaResvReserveFences(resv, 1)).toBe(0);
      dmaResvAddFence(resv, fence, usage);
      dmaResvUnlock(resv);
      const owner = scheduler.spawn('owner', vfioPciConfigWrite(vdev, COMMAND, bytes(0, 0)));
      scheduler.run();
      const revoked = (): boolean => log.events.some(({ kind }) => kind === 'vfio:revoked');
      // The importer has been told and has unmapped; only its fence is left.
      expect([importer.told, importer.mapped]).toEqual([1, false]);
      expect([owner.done, revoked(), dmaResvTrylock(resv)]).toEqual([false, false, false]);
      dmaFenceSignal(fence);
      dmaFencePut(fence);
      expect(scheduler.run().status).toBe('idle');
      expect([owner.done, revoked(), dmaResvTrylock(resv)]).toEqual([true, true, true]);
    },
  );
});

describe('the registration', () => {
  it('is kept by every buffer and every opener: the driver waits, and nobody opens again', () => {
    const machine = new VfioMachine();
    const { vdev, scheduler } = machine;
    machine.ioctl(featureBytes());
    let asked = 0;
    vdev.registration.onRequest = () => {
      asked += 1;
    };
    expect(vdev.registration.refs).toBe(3);
    const unbind = scheduler.spawn('unbind', vdev.registration.unregister());
    scheduler.run();
    expect([unbind.done, asked]).toEqual([false, 1]);
    machine.run(vfioPciCoreCloseDevice(vdev));
    expect(scheduler.run().status).toBe('idle');
    expect([unbind.done, vdev.registration.refs]).toEqual([true, 0]);
    expect(machine.run(vfioPciCoreEnable(vdev))).toBe(-Errno.ENODEV);
  });
});

describe('registers', () => {
  it('show the memory bit that the user wrote, also while the function sleeps', () => {
    const machine = new VfioMachine();
    write(machine, PM_CTRL, 3, 0);
    expect(vfioPciConfigRead(machine.vdev, COMMAND, 2) & 2).toBe(2);
    expect(machine.vdev.pdev.fn.memoryEnabled).toBe(false);
  });
});

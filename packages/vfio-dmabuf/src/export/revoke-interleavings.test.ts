// Importers that write through real engines against an owner that resets, disables, sleeps and closes: under every seed
// tried no byte lands after the exporter's wait returned, and everything is given back at the end.
import { fc, test } from '@fast-check/vitest';
import { Clock, type ModelTask, Scheduler } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { TestImporter } from '../../test/test-importer.ts';
import { featureBytes, VfioMachine, type VfioMachineOptions } from '../../test/vfio-machine.ts';
import { vfioPciConfigWrite } from '../config/config-write.ts';
import { vfioPciIoctlReset } from '../device/device-reset.ts';
import { VfioDeviceSet, vfioPciDevSetHotReset } from '../device/hot-reset.ts';
import { vfioPciCoreCloseDevice, vfioPciCoreEnable } from '../device/open-close.ts';
import { vfioLockAndSetPowerState } from '../device/power-state.ts';

const ACTS = ['reset', 'memory-off', 'memory-on', 'sleep', 'wake', 'hot-reset'] as const;
type Act = (typeof ACTS)[number];

function act(machine: VfioMachine, set: VfioDeviceSet, name: Act): ModelTask<unknown> {
  const { vdev } = machine;
  switch (name) {
    case 'reset':
      return vfioPciIoctlReset(vdev);
    case 'memory-off':
      return vfioPciConfigWrite(vdev, 4, Uint8Array.of(0, 0));
    case 'memory-on':
      return vfioPciConfigWrite(vdev, 4, Uint8Array.of(2, 0));
    case 'sleep':
      return vfioLockAndSetPowerState(vdev, 3);
    case 'wake':
      return vfioLockAndSetPowerState(vdev, 0);
    case 'hot-reset':
      return vfioPciDevSetHotReset(set, set.devices);
  }
}

interface Run {
  readonly machine: VfioMachine;
  readonly results: readonly number[];
  /** Writes that landed while their buffer was taken back. */
  readonly late: number;
  readonly status: string;
}

function play(seed: number, acts: readonly Act[], options: VfioMachineOptions = {}): Run {
  const scheduler = new Scheduler({ seed, clock: new Clock() });
  const machine = new VfioMachine({ ...options, scheduler });
  machine.run(vfioPciCoreEnable(machine.other));
  const set = new VfioDeviceSet(scheduler, [machine.vdev, machine.other]);
  const fd = machine.ioctl(featureBytes({ ranges: [[0n, 0x4000n]] }));
  const results: number[] = [];
  for (const where of ['near', 'far'] as const) {
    scheduler.spawn(where, importerTask(machine, fd, where, results));
  }
  scheduler.spawn('owner', ownerTask(machine, set, acts, fd));
  const { status } = scheduler.run();
  return { machine, results, late: lateWrites(machine), status };
}

function* importerTask(
  machine: VfioMachine,
  fd: number,
  where: 'near' | 'far',
  results: number[],
): ModelTask<void> {
  const importer = new TestImporter(machine, where);
  if ((yield* importer.open(fd)) !== 0) return;
  for (let i = 1; i <= 3; i += 1) results.push(yield* importer.write(new Uint8Array(1024).fill(i)));
  yield* importer.close();
}

function* ownerTask(
  machine: VfioMachine,
  set: VfioDeviceSet,
  acts: readonly Act[],
  fd: number,
): ModelTask<void> {
  for (const name of acts) yield* act(machine, set, name);
  yield* vfioPciCoreCloseDevice(machine.vdev);
  yield* vfioPciCoreCloseDevice(machine.other);
  yield* machine.platform.files.close(fd);
}

/** Steps of writes that lie behind a finished revoke and not behind the next return of the buffer. */
function lateWrites({ log, bar }: VfioMachine): number {
  let late = 0;
  let closedAt = Number.POSITIVE_INFINITY;
  const windows: [number, number][] = [];
  for (const event of log.events) {
    if (event.kind === 'vfio:revoked') closedAt = event['step'] as number;
    if (event.kind !== 'vfio:unrevoked') continue;
    windows.push([closedAt, event['step'] as number]);
    closedAt = Number.POSITIVE_INFINITY;
  }
  windows.push([closedAt, Number.POSITIVE_INFINITY]);
  for (const step of bar.writes) if (windows.some(([from, to]) => step > from && step <= to)) late += 1;
  return late;
}

describe('importers against the owner', () => {
  const acts = fc.array(fc.constantFrom(...ACTS), { maxLength: 5 });
  for (const iommu of [false, true]) {
    test.prop([fc.integer({ min: 0, max: 2 ** 31 - 1 }), acts], { numRuns: 150 })(
      `no byte lands late and nothing stays, ${iommu ? 'with' : 'without'} an IOMMU`,
      (seed, names) => {
        const { machine, results, late, status } = play(seed, names, { iommu });
        expect(status).toBe('idle');
        expect(late).toBe(0);
        expect(machine.leftovers).toEqual([0, 0, 0, 0, 0, 0, 0]);
        expect(machine.rules()).toEqual([]);
        expect(machine.platform.order.allFree).toBe(true);
        // Work is done, refused, or never begun; no request is answered with an error by a memory that was taken.
        for (const result of results) expect([0, -Errno.ENODEV]).toContain(result);
      },
    );
  }

  it('some work is done, some is refused: the runs meet', () => {
    const results = new Set<number>();
    for (let seed = 1; seed <= 40; seed += 1) {
      for (const result of play(seed, ['reset', 'memory-off']).results) results.add(result);
    }
    expect([...results].sort((a, b) => a - b)).toEqual([-Errno.ENODEV, 0]);
  });

  it('an exporter that does not wait lets bytes land late: the check can fail', () => {
    let late = 0;
    for (let seed = 1; seed <= 60; seed += 1) {
      const run = play(seed, ['reset', 'reset'], { revoke: 'notify', reset: instantReset });
      late += run.late;
    }
    expect(late).toBeGreaterThan(0);
  });
});

/** A reset during which the function goes on answering, so that only the exporter's waits protect the memory. */
function* instantReset(): ModelTask<number> {
  for (let i = 0; i < 8; i += 1) yield { at: 'test:reset' };
  return 0;
}

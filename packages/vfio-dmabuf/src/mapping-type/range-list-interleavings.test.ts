// An importer of range lists and one of tables, both over mapping types, against an owner that takes the memory and gives it out:
// under every seed tried no byte lands after a revoke returned, and everything is given back at the end.
import { fc, test } from '@fast-check/vitest';
import { Clock, type ModelTask, Scheduler } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { expect, it } from 'vitest';
import { RangeListImporter } from '../../test/range-list-importer.ts';
import { TestImporter } from '../../test/test-importer.ts';
import { featureBytes, VfioMachine, type VfioMachineOptions } from '../../test/vfio-machine.ts';
import { vfioPciConfigWrite } from '../config/config-write.ts';
import { vfioPciIoctlReset } from '../device/device-reset.ts';
import { vfioPciCoreCloseDevice } from '../device/open-close.ts';
import { vfioSgtOffer } from './sgt-offer.ts';
import { vfioMappingTypes } from './vfio-mapping-types.ts';

const ACTS = {
  reset: ({ vdev }: VfioMachine) => vfioPciIoctlReset(vdev),
  'memory-off': ({ vdev }: VfioMachine) => vfioPciConfigWrite(vdev, 4, Uint8Array.of(0, 0)),
  'memory-on': ({ vdev }: VfioMachine) => vfioPciConfigWrite(vdev, 4, Uint8Array.of(2, 0)),
} as const;
type Act = keyof typeof ACTS;

function* importing(
  importer: RangeListImporter | TestImporter,
  fd: number,
  results: number[],
): ModelTask<void> {
  if ((yield* importer.open(fd)) !== 0) return;
  for (let i = 1; i <= 3; i += 1) results.push(yield* importer.write(new Uint8Array(1024).fill(i)));
  yield* importer.close();
}

function play(seed: number, acts: readonly Act[], options: VfioMachineOptions = {}) {
  const scheduler = new Scheduler({ seed, clock: new Clock() });
  const mapping = vfioMappingTypes({ tables: vfioSgtOffer() });
  const machine = new VfioMachine({ mapping, ...options, scheduler });
  const fd = machine.ioctl(featureBytes({ ranges: [[0n, 0x4000n]] }));
  const results: number[] = [];
  scheduler.spawn('near', importing(new RangeListImporter(machine, 'near'), fd, results));
  scheduler.spawn('far', importing(new RangeListImporter(machine, 'far'), fd, results));
  scheduler.spawn('tables', importing(new TestImporter(machine, 'far'), fd, results));
  scheduler.spawn(
    'owner',
    (function* (): ModelTask<void> {
      for (const name of acts) yield* ACTS[name](machine);
      yield* vfioPciCoreCloseDevice(machine.vdev);
      yield* machine.platform.files.close(fd);
    })(),
  );
  return { machine, results, status: scheduler.run().status };
}

/** Writes that lie behind a finished revoke and not behind the next return of the buffer. */
function lateWrites({ log, bar }: VfioMachine): number {
  const moves = log.events.filter(({ kind }) => kind === 'vfio:revoked' || kind === 'vfio:unrevoked');
  return bar.writes.filter((step) => {
    const last = moves.filter((event) => Number(event['step']) < step).at(-1);
    return last?.kind === 'vfio:revoked';
  }).length;
}

const acts = fc.array(fc.constantFrom<Act>('reset', 'memory-off', 'memory-on'), { maxLength: 5 });

test.prop([fc.integer({ min: 0, max: 2 ** 31 - 1 }), acts, fc.boolean()], { numRuns: 150 })(
  'no byte lands late and nothing stays',
  (seed, names, iommu) => {
    const { machine, results, status } = play(seed, names, { iommu });
    expect([status, lateWrites(machine), machine.rules()]).toEqual(['idle', 0, []]);
    expect([machine.leftovers, machine.platform.order.allFree]).toEqual([[0, 0, 0, 0, 0, 0, 0], true]);
    for (const result of results) expect([0, -Errno.ENODEV]).toContain(result);
  },
);

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
    late += lateWrites(play(seed, ['reset', 'reset'], { revoke: 'notify', reset: instantReset }).machine);
  }
  expect(late).toBeGreaterThan(0);
});

/** A reset during which the function goes on answering, so that only the exporter's waits protect the memory. */
function* instantReset(): ModelTask<number> {
  for (let i = 0; i < 8; i += 1) yield { at: 'test:reset' };
  return 0;
}

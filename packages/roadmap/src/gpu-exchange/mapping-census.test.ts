// The count of what crosses: taken, held and at most held are three things; and what tables take is their entries, mapped or not.

import { AbuseWatch } from '@sgfree/gpu-driver/stage-3';
import { EventLog, type ModelTask } from '@sgfree/hw-model';
import { failure, type Outcome, success } from '@sgfree/mm';
import type { DmabufImport } from '@sgfree/rdma';
import { expect, it } from 'vitest';
import { MappingCensus } from './mapping-census.ts';
import { tableWay } from './table-way.ts';

interface Sized {
  readonly entries: number;
  readonly bytes: number;
}

/** Runs a task that waits for nobody. */
function ended<T>(task: ModelTask<T>): T {
  for (;;) {
    const step = task.next();
    if (step.done === true) return step.value;
  }
}

function censusOver(next: () => Outcome<Sized>) {
  const way = { scatterlist: true, sizeOf: (mapping: Sized) => mapping };
  const census = new MappingCensus<Sized>(way as never, () => undefined);
  const via = {
    *map() {
      yield { at: 'test:map' };
      return next();
    },
    *unmap() {
      yield { at: 'test:unmap' };
    },
  };
  const counted = census.counted(via as unknown as DmabufImport<Sized>, {} as never);
  return {
    census,
    map: () => ended(counted.map({} as never, 'bidirectional')),
    unmap: (mapping: Sized) => ended(counted.unmap({} as never, mapping, 'bidirectional')),
  };
}

it('counts what was taken, what is held and the most that ever was', () => {
  const first: Sized = { entries: 2, bytes: 100 };
  const results: Outcome<Sized>[] = [
    success(first),
    success({ entries: 1, bytes: 30 }),
    failure(12),
    success({ entries: 1, bytes: 20 }),
  ];
  const { census, map, unmap } = censusOver(() => results.shift() ?? failure(22));
  map();
  map();
  expect(map()).toEqual({ ok: false, errno: 12 });
  unmap(first);
  map();
  expect([census.mappings, census.entries, census.scatterlistEntries]).toEqual([3, 4, 4]);
  expect([census.memory.taken, census.memory.now, census.memory.peak]).toEqual([150, 50, 130]);
});

it('a table takes its head and every entry, also those that mapping has joined', () => {
  const log = new EventLog();
  log.enabled = true;
  const { sizeOf } = tableWay('xe', new AbuseWatch(log));
  expect(sizeOf({ mappedCount: 1, list: { entryCount: 3 } } as never, {} as never)).toEqual({
    entries: 1,
    bytes: 112,
  });
});

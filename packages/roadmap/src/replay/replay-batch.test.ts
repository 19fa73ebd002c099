// Calls in batches: the report is that of runs fed one call at a time, across the end of a batch and with slots used again.
import { NO_ATTRS } from '@sgfree/dma-core';
import { expect, it } from 'vitest';
import { traced } from '../../test/traced-mappings.ts';
import { ReplayBatch } from './replay-batch.ts';
import { type ReplayMapping, replayMapping } from './replay-mapping.ts';
import { ReplayRun } from './replay-run.ts';
import { runReport } from './run-report.ts';

const CALLS = 1500;

function mappingOf(index: number): ReplayMapping {
  const one = traced('phys', [[0x1000000 + index * 4096, 4096]], -1, { id: index, mappedLine: index });
  return replayMapping(one, { slot: index % 3, device: 0, cpu: index % 2 }, one.piecePhys, NO_ATTRS);
}

function lazyRun(): ReplayRun {
  const run = new ReplayRun(1, 'lazy');
  run.addDevice('0000:01:00.0', 'dma-api');
  return run;
}

it('makes every call in its order', () => {
  const [alone, batched] = [lazyRun(), lazyRun()];
  const batch = new ReplayBatch([batched]);
  for (let index = 0; index < CALLS; index += 1) {
    const mapping = mappingOf(index);
    for (const sink of [alone, batch]) {
      sink.map(mapping, index / 8);
      sink.unmap(mapping, index / 8 + 0.0625, index % 2);
    }
  }
  batch.flush();
  batch.flush();
  const report = runReport(batched, []);
  expect(report.total).toMatchObject({ mapped: CALLS, unmapped: CALLS });
  expect(report).toEqual(runReport(alone, []));
});

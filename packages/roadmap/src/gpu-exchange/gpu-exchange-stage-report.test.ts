// The figures of a run that every stage has: work adds up, and whoever has not left is among the left-overs.
import { AbuseWatch } from '@sgfree/gpu-driver/stage-3';
import { dmaAddr, EventLog } from '@sgfree/hw-model';
import { expect, it } from 'vitest';
import { addWork } from '../work-counts.ts';
import { ExchangeRun } from './exchange-run.ts';
import { type GpuExchangeInput, gpuExchangeSettings } from './gpu-exchange-input.ts';
import { exchangeStageReport } from './gpu-exchange-stage-report.ts';
import { rangeListWay } from './range-list-way.ts';

const INPUT: GpuExchangeInput = { way: 'range-list', place: 'host-bridge', iommu: true, seed: 4 };

function runOf(input: Partial<GpuExchangeInput> = {}) {
  const log = new EventLog();
  log.enabled = true;
  return new ExchangeRun(gpuExchangeSettings({ ...INPUT, ...input }), rangeListWay(new AbuseWatch(log)), log);
}

it('work is that of the exchange and that around it, and nothing is left once all have left', () => {
  const run = runOf();
  run.run();
  const { leftovers } = exchangeStageReport(run, []);
  // One an object, and that of the adapter's own memory.
  expect(leftovers.memoryRegions).toBe(4);
  for (const count of [
    leftovers.iovaRanges,
    leftovers.pageTableEntries,
    leftovers.dmaBufs,
    leftovers.trackingBytes,
  ])
    expect(count).toBeGreaterThan(0);
  run.leave();
  const report = exchangeStageReport(run, []);
  expect(report.failures).toEqual([]);
  expect(report.total).toEqual(addWork(report.requestWork, report.setup));
  expect(report.requestWork.mapCalls).toBeGreaterThan(0);
  expect(report.setup.mapCalls).not.toBe(report.requestWork.mapCalls);
});

it('bytes that got into objects are written, bytes that got out of them are read', () => {
  const run = runOf({ plant: 'careless' });
  run.run();
  const { bytesRead, bytesWritten } = exchangeStageReport(run, []);
  expect(bytesWritten).toBeGreaterThan(bytesRead);
});

it('a request that the disk cannot carry out is an error', () => {
  const { scene } = runOf();
  const nowhere = [{ address: dmaAddr(2 ** 40), bytes: 4096 }];
  const read = { operation: 'read', position: 0, offset: 0, bytes: 4096 } as const;
  expect(scene.run(scene.disk.move(read, () => nowhere))).toBe(-5);
  expect(scene.disk.requests).toBe(0);
});

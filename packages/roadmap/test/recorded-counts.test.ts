// Stages 1 and 2 against the trace of the real kernel that ran the same lists: every count, and every mapping in order.
import { byteDistance, EventLog, type ModelEvent, type PhysAddr } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import {
  DEFAULT_MEMORY_BYTES,
  machineShape,
  type RunnableStage,
  stage0,
  stage1,
  stage2,
  verdictOf,
} from '../src/index.ts';
import {
  RECORDED_LISTS,
  type RecordedList,
  recordedBacking,
  recordedIos,
  recordedTrace,
} from './recorded-trace.ts';

const { kernelRam } = machineShape(DEFAULT_MEMORY_BYTES);

/** Rings and descriptor pools lie in the modelled kernel's RAM, where no buffer can be. */
function ofKernel(paddr: PhysAddr): boolean {
  const offset = byteDistance(kernelRam.base, paddr);
  return offset >= 0 && offset < kernelRam.bytes;
}

/** Range flushes but those of coherent memory, whose `dma_free` comes just before. */
function flushesOfRequests(log: EventLog): ModelEvent[] {
  let freeing = false;
  return log.events.filter((event) => {
    if (event.kind === 'dma:dma_free') freeing = true;
    if (event.kind !== 'intel_iommu:cache_tag_flush_range') return false;
    const ofCoherentMemory = freeing;
    freeing = false;
    return !ofCoherentMemory;
  });
}

function run(stage: RunnableStage, name: RecordedList, log?: EventLog) {
  return stage.run({
    ios: recordedIos(name),
    backing: recordedBacking(name),
    seed: 1,
    memoryBytes: DEFAULT_MEMORY_BYTES,
    ...(log === undefined ? {} : { log }),
  });
}

const listsAndStages = RECORDED_LISTS.flatMap((name) => [stage1, stage2].map((stage) => ({ name, stage })));

describe.each(listsAndStages)('$name at stage $stage.stage', ({ name, stage }) => {
  const trace = recordedTrace(name);
  const log = new EventLog();
  log.enabled = true;
  const report = run(stage, name, log);

  it('moves every byte and leaves nothing', () => {
    expect(report.failures).toEqual([]);
    expect(verdictOf(report)).toMatchObject({ ok: true });
  });

  it('maps, unmaps and invalidates exactly as often as the kernel', () => {
    expect(report.requestWork).toMatchObject({
      mapCalls: trace.maps.length,
      unmapCalls: trace.unmaps,
      invalidationCommands: trace.invalidations,
      invalidationWaits: trace.invalidations,
    });
  });

  it('maps the same memory in the same order', () => {
    const maps = log.events
      .filter(({ kind }) => kind === 'iommu:map')
      .map((event) => [event['paddr'], event['size']] as [PhysAddr, number])
      .filter(([paddr]) => !ofKernel(paddr));
    expect(maps).toEqual(trace.maps);
  });

  it('calls dma_map_phys for the same memory in the same order', () => {
    const calls = log.events.filter(({ kind }) => kind === 'dma:dma_map_phys');
    expect(calls.map((event) => [event['physAddr'], event['size']])).toEqual(trace.mapPhys);
  });

  it('invalidates blocks of the same sizes', () => {
    const orders: Record<number, number> = {};
    for (const event of flushesOfRequests(log)) {
      const order = event['order'] as number;
      orders[order] = (orders[order] ?? 0) + 1;
    }
    expect(orders).toEqual(trace.invalidationOrders);
  });
});

it('nvio_wide: the figures of the recording', () => {
  const report = run(stage1, 'nvio_wide');
  expect(report.requestWork).toMatchObject({ mapCalls: 3194, unmapCalls: 1702, invalidationCommands: 1702 });
  expect(recordedTrace('nvio_wide')).toMatchObject({ unmaps: 1702, invalidations: 1702, poolPages: 5 });
});

describe.each(RECORDED_LISTS)('%s, class by class', (name) => {
  const [before, after] = [run(stage0, name), run(stage1, name)];

  it('the two-step class costs the IOMMU the same at both stages, and less memory at stage 1', () => {
    const [from, to] = [before.classes['two-step'], after.classes['two-step']];
    const work = ({
      iovaAllocations,
      mapCalls,
      entriesWritten,
      unmapCalls,
      invalidationCommands,
    }: typeof from) => ({
      iovaAllocations,
      mapCalls,
      entriesWritten,
      unmapCalls,
      invalidationCommands,
    });
    expect(work(to)).toEqual(work(from));
    if (from.requests > 0) expect(to.trackingBytes).toBeLessThan(from.trackingBytes);
    expect(to.dmaRangesOut).toBe(to.requests);
  });

  it('requests with gaps cost the IOMMU more at stage 1', () => {
    const [from, to] = [before.classes['per-segment'], after.classes['per-segment']];
    expect(to.unmapCalls).toBe(to.segments);
    expect(from.unmapCalls).toBe(from.requests);
    expect(to.invalidationCommands).toBeGreaterThan(from.invalidationCommands);
    expect(to.iovaAllocations).toBeGreaterThan(from.iovaAllocations);
  });

  it('a single segment costs the same', () => {
    expect(after.classes.single).toEqual(before.classes.single);
  });
});

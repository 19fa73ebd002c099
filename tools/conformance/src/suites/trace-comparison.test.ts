// Model events against recorded lines: what agrees is counted, and what does not is named by its line.
import { EventLog, type ModelEvent } from '@sgfree/hw-model';
import { expect, test } from 'vitest';
import type { Mismatch } from '../suite.ts';
import { RecordedOutput } from './dma-recorded-output.ts';
import type { RecordedTrace, RecordedTraceLine } from './recorded-trace.ts';
import { TraceComparison } from './trace-comparison.ts';

const mapEvent = (frame: number): ModelEvent => ({
  kind: 'iommu:map',
  iova: frame * 4096,
  paddr: 0x1000,
  size: 4096,
});
const mapText = (frame: number): string => {
  const hex = (page: number): string => `0x${(page * 4096).toString(16).padStart(16, '0')}`;
  return `map: IOMMU: iova=${hex(frame)} - ${hex(frame + 1)} paddr=0x0000000000001000 size=4096`;
};
const bounced: ModelEvent = {
  kind: 'swiotlb:swiotlb_bounced',
  device: 'd',
  dmaMask: 1,
  devAddr: 2,
  size: 3,
  forced: false,
};
const BOUNCED = 'swiotlb_bounced: dev_name: d dma_mask=1 dev_addr=2 size=3 NORMAL';

/** Lines numbered from 11. */
const linesOf = (texts: readonly string[]): RecordedTraceLine[] =>
  texts.map((text, at) => ({
    number: 11 + at,
    cpu: 0,
    event: text.slice(0, text.indexOf(':')),
    text,
    wholeFlush: false,
  }));

const traceOf = (texts: readonly string[], unreadable: readonly number[] = []): RecordedTrace => ({
  lines: linesOf(texts),
  others: 0,
  unreadable,
  knowsDomain: true,
});

/** Mismatches by piece of events, the last ones at the end of the file. */
function compared(texts: readonly string[], pieces: readonly (readonly ModelEvent[])[]): Mismatch[][] {
  const log = new EventLog();
  log.enabled = true;
  const comparison = new TraceComparison(traceOf(texts), log);
  const found = pieces.map((events) => {
    for (const event of events) log.post(event);
    const output = new RecordedOutput();
    comparison.compare(output);
    return output.mismatches;
  });
  const output = new RecordedOutput();
  comparison.finish(output);
  return [...found, output.mismatches];
}

test('lines that agree, in pieces', () => {
  const pieces = [[mapEvent(1)], [], [{ kind: 'hw:request' }, mapEvent(2), mapEvent(3)]];
  expect(compared([1, 2, 3].map(mapText), pieces)).toEqual([[], [], [], []]);
});

test('a changed line, one too many and one too few are one mismatch each', () => {
  const changed = compared([mapText(1), mapText(9), mapText(3)], [[mapEvent(1), mapEvent(2)], [mapEvent(3)]]);
  expect(changed).toEqual([[{ field: 'trace line 12', expected: mapText(9), got: mapText(2) }], [], []]);
  const tooMany = compared([mapText(1), mapText(3)], [[mapEvent(1), mapEvent(2), mapEvent(3)]]);
  expect(tooMany).toEqual([[{ field: 'trace line before 12', expected: null, got: mapText(2) }], []]);
  const tooFew = compared([1, 2, 3].map(mapText), [[mapEvent(1)], [mapEvent(3)]]);
  expect(tooFew).toEqual([[], [{ field: 'trace line 12', expected: mapText(2), got: null }], []]);
});

test('what the model never reached, and what came behind the trace', () => {
  expect(compared([mapText(1), mapText(2)], [[mapEvent(1)]])).toEqual([
    [],
    [
      { field: 'trace line 12', expected: mapText(2), got: null },
      { field: 'trace lines not reached', expected: 0, got: 1 },
    ],
  ]);
  expect(compared([mapText(1)], [[mapEvent(1), mapEvent(2)]])).toEqual([
    [{ field: 'trace line behind the last', expected: null, got: mapText(2) }],
    [],
  ]);
});

test('an event that not every trace has is compared where the trace has it', () => {
  expect(compared([mapText(1)], [[bounced, mapEvent(1)]])).toEqual([[], []]);
  expect(compared([mapText(1), BOUNCED], [[mapEvent(1)]])[1]).toHaveLength(2);
  expect(compared([mapText(1), BOUNCED], [[mapEvent(1), bounced]])).toEqual([[], []]);
});

test('lines that cannot be read are a mismatch at the end', () => {
  const comparison = new TraceComparison(traceOf([], [3, 9]), new EventLog());
  const output = new RecordedOutput();
  comparison.finish(output);
  expect(output.mismatches).toEqual([{ field: 'unreadable trace lines', expected: [], got: [3, 9] }]);
});

import { describe, expect, it } from 'vitest';
import { readChunks } from './read-whole.ts';
import { recordedTrace, recordedTraceNames } from './recorded-traces.ts';
import { oracleEvent } from './regex-oracle.ts';

const names = recordedTraceNames();

/** Chunks of an odd size, so that lines are cut everywhere. */
function* chunksOf(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

it('the project carries the traces of seven modes of I/O and four of mapping', () => {
  expect(new Set(names.map((name) => name.split('/').slice(0, 2).join('/'))).size).toBe(11);
  expect(names.length).toBeGreaterThan(70);
});

describe.each(names)('%s', (name) => {
  const bytes = recordedTrace(name);
  const lines = new TextDecoder().decode(bytes).trimEnd().split('\n');
  const { events, tally } = readChunks(chunksOf(bytes, 4099));

  it('is understood to the last line', () => {
    expect(tally.problems).toEqual(new Map());
    expect(tally.lines).toBe(lines.length);
    expect(tally.headerLines).toBe(lines.filter((line) => line.startsWith('#')).length);
    expect(tally.eventLines + tally.headerLines).toBe(tally.lines);
    expect(tally).toMatchObject({ usable: true, format: 'ftrace', clock: 'seconds', lostEvents: 0 });
  });

  it('is never taken for another kernel', () => {
    const { version, evidence } = tally.kernel;
    expect(['7.x', '6.12+', 'unknown']).toContain(version);
    if (!tally.events.has('dma:dma_map_phys')) return;
    expect(version).toBe('7.x');
    expect(evidence).toContain('dma:dma_map_phys');
  });

  it('says what a reader by regular expressions says', () => {
    const expected = lines.flatMap((line, index) => {
      if (line.startsWith('#')) return [];
      const event = oracleEvent(line);
      return [event && { ...event, line: index + 1 }];
    });
    expect(events.length).toBe(expected.length);
    const same = (at: number): boolean => JSON.stringify(events[at]) === JSON.stringify(expected[at]);
    const wrong = events.findIndex((_, at) => !same(at));
    expect(events[wrong]).toEqual(expected[wrong]);
  });
});

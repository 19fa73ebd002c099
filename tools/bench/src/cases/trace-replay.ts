// Trace replay: the kernel's text in, a report out: read, reconstructed and run at two stages under three modes.
// The trace is a recorded one, sixteen times in a row, each a second later. The report is proven against a count of the
// text's own lines, made by regular expressions; the strict run at stage 1 has to repeat them call by call.
// A second case has the mappings at hand and times the six runs alone; its events are those of the lines behind them.
// Simplified: one device, lazy when it was recorded; each operation sets up and takes down its six machines.

import { ReplayEngine, type ReplayReport, TraceReplay } from '@sgfree/roadmap';
import { IoReconstruction, type MappingSink, TraceReader } from '@sgfree/trace';
import type { BenchCase, PreparedCase } from '../bench-case.ts';
import { chunksOf, recordedTraceText } from '../repeated-trace.ts';
import { requireSame } from './iova-linear-walk.ts';

const TIMES = 16;

interface Expected {
  readonly events: number;
  readonly maps: number;
  readonly unmaps: number;
}

/** The trace `TIMES` times, each a second after the one before. */
function longTrace(text: string): string {
  const repetitions = Array.from({ length: TIMES }, (_, late) =>
    text.replace(
      / (\d+)([.]\d{6}: )/g,
      (_line, seconds: string, rest: string) => ` ${Number(seconds) + late}${rest}`,
    ),
  );
  return repetitions.join('');
}

function expectedOf(text: string): Expected {
  const count = (pattern: RegExp): number => [...text.matchAll(pattern)].length;
  return { events: count(/^ .*: \w+: /gm), maps: count(/: map: /g), unmaps: count(/: unmap: /g) };
}

function replayed(chunks: readonly Uint8Array[], expected: Expected): ReplayReport {
  const replay = new TraceReplay();
  for (const chunk of chunks) replay.push(chunk);
  const report = replay.end();
  requireSame('events', expected.events, replay.tally.eventLines);
  requireSame('runs', 6, report.runs.length);
  requireSame('failed checks', 0, report.verdict.ok ? 0 : 1);
  return report;
}

function prove({ runs }: ReplayReport, expected: Expected): void {
  const strict = runs.find(({ stage, mode }) => stage === 1 && mode === 'strict');
  requireSame('map calls', expected.maps, strict?.total.mapCalls ?? -1);
  requireSame('waits', strict?.total.unmapCalls ?? -1, strict?.total.invalidations.waits ?? -2);
  // The text stops with mappings in place that its next repetition makes anew: those have no unmap line.
  requireSame('mappings', strict?.total.mapped ?? -1, runs[0]?.total.mapped ?? -2);
}

function prepare(): PreparedCase {
  const text = longTrace(new TextDecoder().decode(recordedTraceText()));
  const chunks = chunksOf(new TextEncoder().encode(text));
  const expected = expectedOf(text);
  prove(replayed(chunks, expected), expected);
  return {
    run(operations) {
      for (let done = 0; done < operations; done += 1) replayed(chunks, expected);
    },
    rates: [
      { unit: 'events', perOperation: expected.events },
      { unit: 'MB', perOperation: text.length / 1e6 },
    ],
  };
}

/** The calls that a reconstruction makes, to be made again. */
function callsOf(chunks: readonly Uint8Array[]): ((sink: MappingSink) => void)[] {
  const calls: ((sink: MappingSink) => void)[] = [];
  const reconstruction = new IoReconstruction({
    mapped: (mapping) => calls.push((sink) => sink.mapped(mapping)),
    unmapped: (mapping, end) => calls.push((sink) => sink.unmapped(mapping, end)),
    finding: (finding) => calls.push((sink) => sink.finding(finding)),
  });
  const reader = new TraceReader((event) => reconstruction.accept(event));
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  reconstruction.end();
  return calls;
}

function prepareRuns(): PreparedCase {
  const text = longTrace(new TextDecoder().decode(recordedTraceText()));
  const expected = expectedOf(text);
  const calls = callsOf(chunksOf(new TextEncoder().encode(text)));
  const run = (): ReplayReport => {
    const engine = new ReplayEngine();
    for (const call of calls) call(engine);
    return engine.end();
  };
  prove(run(), expected);
  return {
    run(operations) {
      for (let done = 0; done < operations; done += 1) {
        requireSame('failed checks', 0, run().verdict.ok ? 0 : 1);
      }
    },
    rates: [{ unit: 'events', perOperation: expected.events }],
  };
}

/** A recorded trace replayed in all six runs. */
export const traceReplay: BenchCase = {
  name: 'trace/replay',
  operation: `a trace of ${TIMES * 8265} events read, reconstructed and replayed in six runs`,
  prepare,
};

/** The six runs of a recorded trace that has been read. */
export const traceReplayRuns: BenchCase = {
  name: 'trace/replay/runs',
  operation: `the mappings of a trace of ${TIMES * 8265} events in six runs`,
  prepare: prepareRuns,
};

// Recorded trace lines taken apart, so that they can be printed in another flavour, and mutated traces made of them.
// Source followed: the default prefix of `trace`.
// Simplified: a few of the recorded files, and no line longer than 2000 bytes.

import type fc from 'fast-check';
import { recordedTrace } from './recorded-traces.ts';
import type { TraceLineParts } from './trace-flavours.ts';
import { type TraceCase, traceCases } from './trace-mutation.ts';

const LINE = /^ *(\S.*?)-(\d+) +\[(\d+)\] (\S+) +(\d+)\.(\d{6}): (\w+): (.*)$/;
const files = ['inv/strict/inv_0_trace.txt.gz', 'io/lazy/trace_nvio_small.txt.gz', 'io/off/trace_boot.txt'];

function systemOf(name: string): string {
  if (name === 'tracing_mark_write') return 'marker';
  if (name.startsWith('dma_')) return 'dma';
  return name.startsWith('cache_tag') || name === 'qi_submit' ? 'intel_iommu' : 'iommu';
}

/** The parts of a recorded line. */
export function partsOf(line: string): TraceLineParts {
  const [, comm = '', pid, cpu, flags = '', seconds, micros, name = '', text = ''] = LINE.exec(line) ?? [];
  const numbers = { pid: Number(pid), cpu: Number(cpu), seconds: Number(seconds), micros: Number(micros) };
  return { comm, ...numbers, flags, system: systemOf(name), name, text };
}

/** The event lines of some recorded traces. */
export function recordedLines(): string[] {
  return files
    .flatMap((name) => new TextDecoder().decode(recordedTrace(name)).trimEnd().split('\n'))
    .filter((line) => !line.startsWith('#') && line.length < 2000);
}

/** Mutated traces. */
export const fuzzCases = (): fc.Arbitrary<TraceCase> => traceCases(recordedLines(), partsOf);

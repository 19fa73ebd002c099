// NvioReconstruction: the I/O that a trace shows against the request list of the same run. The reconstruction sees the
// kernel's lines only; the markers that the recording program wrote cut its result into requests afterwards.
// Source followed: vectors/kernel/README.md, "io"; a request is several mappings because the block layer splits it.
// Simplified: of a two-step transfer whole pages are known, so that a split inside a page is found by the next mapping.

import {
  IoReconstruction,
  type MappingSink,
  type TracedMapping,
  type TracedUnmapping,
  type TraceEvent,
  type TraceFinding,
  TraceReader,
} from '@sgfree/trace';
import type { JsonRecord, Mismatch } from '../suite.ts';
import { firstRangeNotMatched, joinedRanges } from './nvio-ranges.ts';
import { nvioRecord } from './nvio-record.ts';

/** What a trace shows, and the lines between which each request was at work. */
export class ReconstructedTrace implements MappingSink {
  readonly mappings: TracedMapping[] = [];
  readonly ends = new Map<TracedMapping, TracedUnmapping>();
  readonly findings: TraceFinding[] = [];
  /** First and last line of a request by its number. */
  readonly requests = new Map<number, { begin: number; end: number }>();

  mapped(mapping: TracedMapping): void {
    this.mappings.push(mapping);
  }

  unmapped(mapping: TracedMapping, end: TracedUnmapping): void {
    this.ends.set(mapping, end);
  }

  finding(finding: TraceFinding): void {
    this.findings.push(finding);
  }

  /** Notes the markers of the recording program. */
  noteMarker(event: TraceEvent): void {
    const [, k, what] = /^nvio k=(\d+) (read|write|done)\b/.exec(event.text) ?? [];
    if (k === undefined) return;
    const request = this.requests.get(Number(k));
    if (what === 'done') {
      if (request !== undefined) request.end = event.line;
    } else this.requests.set(Number(k), { begin: event.line, end: Number.POSITIVE_INFINITY });
  }
}

/** Reconstructs a whole trace. */
export function reconstructTrace(traceText: string): ReconstructedTrace {
  const result = new ReconstructedTrace();
  const reconstruction = new IoReconstruction(result, { lostSoFar: () => reader.tally.lostEvents });
  const reader = new TraceReader((event) => {
    if (event.system === 'marker') result.noteMarker(event);
    else reconstruction.accept(event);
  });
  reader.push(new TextEncoder().encode(traceText));
  reader.end();
  reconstruction.end();
  return result;
}

/**
 * Compares the mappings that a trace shows with the requests recorded beside it: same physical ranges in the same
 * order, same direction where the trace knows it, everything inferred labelled so. An empty list: all agree.
 */
export function compareReconstruction(
  traceText: string,
  requestRecords: readonly JsonRecord[],
): readonly Mismatch[] {
  const trace = reconstructTrace(traceText);
  const mismatches = requestRecords.flatMap((record) => compareRequest(trace, record));
  const devices = [...new Set(bufferMappings(trace).map(({ device }) => device))].filter(
    (name) => name !== '',
  );
  if (devices.length > 1) mismatches.push({ field: 'device', expected: 'one device', got: devices });
  return mismatches;
}

/** Streaming mappings: descriptors of the driver are coherent memory. */
function bufferMappings(trace: ReconstructedTrace): TracedMapping[] {
  return trace.mappings.filter(({ kind }) => kind !== 'coherent' && kind !== 'iommu-api');
}

function compareRequest(trace: ReconstructedTrace, record: JsonRecord): Mismatch[] {
  const { k, io } = nvioRecord(record);
  const request = trace.requests.get(k);
  if (request === undefined) return [{ field: `k=${k}`, expected: 'markers in the trace', got: 'none' }];
  const mappings = bufferMappings(trace).filter(
    ({ mappedLine }) => mappedLine > request.begin && mappedLine < request.end,
  );
  const direction = io.operation === 'write' ? 'TO_DEVICE' : 'FROM_DEVICE';
  const range = firstRangeNotMatched(joinedRanges(io.iovecs.flat()), mappings);
  const ranges = range === null ? [] : [{ field: `k=${k} ranges`, expected: range.expected, got: range.got }];
  return [...ranges, ...mappings.flatMap((mapping) => compareMapping(trace, k, mapping, direction))];
}

/** Direction, labels and end of one mapping. */
function compareMapping(
  trace: ReconstructedTrace,
  k: number,
  mapping: TracedMapping,
  direction: string,
): Mismatch[] {
  const { kind, mappedLine } = mapping;
  const got: Record<string, unknown> = {
    direction: mapping.directionFrom === 'unknown' ? direction : mapping.direction,
    labels: labelsOf(mapping),
    unmapped: isDirect(mapping) || (trace.ends.get(mapping)?.line ?? -1) > mappedLine,
  };
  const labels = kind === 'two-step' ? 'everything inferred or unknown' : 'everything recorded';
  const expected: Record<string, unknown> = { direction, labels, unmapped: true };
  return Object.keys(expected)
    .filter((field) => got[field] !== expected[field])
    .map((field) => ({
      field: `k=${k} line ${mappedLine} ${field}`,
      expected: expected[field],
      got: got[field],
    }));
}

const isDirect = ({ kind, pieceDma, piecePhys }: TracedMapping): boolean =>
  kind !== 'two-step' && pieceDma.every((dma, at) => dma === piecePhys[at]);

function labelsOf(mapping: TracedMapping): string {
  const { device, deviceFrom, direction, directionFrom, bytesFrom, rules } = mapping;
  const from = [deviceFrom, directionFrom, bytesFrom];
  if (from.every((one) => one === 'recorded') && rules.length === 0) return 'everything recorded';
  const isConsistent =
    (deviceFrom === 'unknown') === (device === '') &&
    (directionFrom === 'unknown') === (direction === '') &&
    rules.length > 0;
  if (isConsistent && !from.includes('recorded')) return 'everything inferred or unknown';
  return `${from.join(' ')} ${rules.join(' ')}`;
}

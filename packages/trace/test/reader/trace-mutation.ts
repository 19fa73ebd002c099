// Traces as they come out of broken pipes and half-written disks: mutations of recorded lines, and what must hold of
// every reading whatever the bytes are.
// Source followed: none; the invariants are those of the README.
// Simplified: a mutation touches one or two lines.

import fc from 'fast-check';
import { type TraceTally, traceProblems } from '../../src/reader/trace-tally.ts';
import { bytesOfText, type EventCopy, readChunks, tallyData } from './read-whole.ts';
import { flavours } from './trace-flavours.ts';

const LINE_FEED = 10;

/** One change of the lines; `line`, `at`, `to` are taken modulo what there is. */
export interface Mutation {
  readonly kind: keyof typeof changes;
  readonly line: number;
  readonly at: number;
  readonly to: number;
  readonly bytes: Uint8Array;
}

type Change = (line: Uint8Array, mutation: Mutation, lines: Uint8Array[]) => Uint8Array;

const joined = (...parts: readonly Uint8Array[]): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

const place = (line: Uint8Array, at: number): number => at % (line.length + 1);

/** Puts text in place of the digits at or behind a place. */
function withNumber(line: Uint8Array, at: number, digits: string): Uint8Array {
  const text = String.fromCharCode(...line);
  const from = place(line, at);
  const changed = text.slice(0, from) + text.slice(from).replace(/[0-9a-f]{2,}/, digits);
  return Uint8Array.from(changed, (char) => char.charCodeAt(0));
}

const numbers = [
  '0',
  '-1',
  '9'.repeat(25),
  'f'.repeat(16),
  'f'.repeat(17),
  '10000000000000',
  '4503599627370496',
  '',
];

const changes = {
  cut: (line, { at }) => line.subarray(0, place(line, at)),
  behead: (line, { at }) => line.subarray(place(line, at)),
  insert: (line, { at, bytes }) =>
    joined(line.subarray(0, place(line, at)), bytes, line.subarray(place(line, at))),
  remove: (line, { at, to }) =>
    joined(
      line.subarray(0, place(line, at)),
      line.subarray(Math.min(line.length, place(line, at) + (to % 20))),
    ),
  flip: (line, { at, to }) => {
    const changed = line.slice();
    if (line.length > 0) changed[at % line.length] = (changed[at % line.length] ?? 0) ^ (1 << (to % 8));
    return changed;
  },
  replace: (_line, { bytes }) => bytes,
  number: (line, { at, to }) => withNumber(line, at, numbers[to % numbers.length] ?? ''),
  graft: (line, { at, to }, lines) => {
    const other = lines[to % lines.length] ?? line;
    return joined(line.subarray(0, place(line, at)), other.subarray(place(other, at)));
  },
  swap: (line, { to }, lines) => {
    const other = to % lines.length;
    const taken = lines[other] ?? line;
    lines[other] = line;
    return taken;
  },
  lost: (_line, { to }) => bytesOfText(`CPU:${to % 4} [LOST ${to} EVENTS]`),
  carriage: (line) => joined(line, Uint8Array.of(13)),
  nuls: (line, { to }) => joined(new Uint8Array(to % 9), line),
  lengthen: (line, { at, to }) =>
    joined(
      line.subarray(0, place(line, at)),
      new Uint8Array(to % 9000).fill(0x20 + (at % 0x5f)),
      line.subarray(place(line, at)),
    ),
} as const satisfies Record<string, Change>;

const kinds = Object.keys(changes) as (keyof typeof changes)[];

export const mutationArbitrary: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom(...kinds),
  line: fc.nat(),
  at: fc.nat(400),
  to: fc.nat(100_000),
  bytes: fc
    .uint8Array({ maxLength: 40 })
    .map((bytes) => bytes.map((byte) => (byte === LINE_FEED ? 11 : byte))),
});

/** The lines after the mutations; those given stay as they are. */
export function mutated(lines: readonly Uint8Array[], mutations: readonly Mutation[]): Uint8Array[] {
  const changed = [...lines];
  for (const mutation of mutations) {
    const index = mutation.line % changed.length;
    const change: Change = changes[mutation.kind];
    const line = change(changed[index] ?? new Uint8Array(0), mutation, changed);
    changed[index] = line.map((byte) => (byte === LINE_FEED ? 11 : byte));
  }
  return changed;
}

/** One trace to be read: lines, and where the chunks are cut. */
export interface TraceCase {
  readonly lines: readonly Uint8Array[];
  readonly cuts: readonly number[];
  readonly maxLineBytes: number;
}

/** Recorded lines in any flavour, mutated. */
export function traceCases(
  recorded: readonly string[],
  parse: (line: string) => Parameters<(typeof flavours)[0]['print']>[0],
): fc.Arbitrary<TraceCase> {
  return fc
    .record({
      start: fc.nat(recorded.length - 1),
      count: fc.integer({ min: 1, max: 12 }),
      flavour: fc.constantFrom(...flavours),
      mutations: fc.array(mutationArbitrary, { maxLength: 6 }),
      cuts: fc.array(fc.nat(20_000), { maxLength: 12 }),
      maxLineBytes: fc.constantFrom(1 << 20, 4000, 300),
    })
    .map(({ start, count, flavour, mutations, cuts, maxLineBytes }) => {
      const lines = recorded
        .slice(start, start + count)
        .map((line) => bytesOfText(flavour.print(parse(line))));
      return { lines: mutated(lines, mutations), cuts, maxLineBytes };
    });
}

export function textOfCase({ lines }: TraceCase): Uint8Array {
  return joined(...lines.flatMap((line) => [line, Uint8Array.of(LINE_FEED)]));
}

function chunksOf(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return places.slice(1).map((end, index) => bytes.slice(places[index] ?? 0, end));
}

function requireThat(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

function requireCounts(tally: TraceTally, delivered: number): void {
  const { lines, eventLines, headerLines, otherLines, problemLines, problems, events } = tally;
  const sumOf = (counts: Iterable<number>): number => [...counts].reduce((sum, count) => sum + count, 0);
  const byClass = (wanted: string): number =>
    sumOf([...problems].map(([kind, { count }]) => (traceProblems[kind].class === wanted ? count : 0)));
  requireThat(lines === eventLines + headerLines + otherLines + problemLines, 'the lines do not add up');
  requireThat(eventLines === sumOf(events.values()), 'the events do not add up');
  requireThat(
    delivered === eventLines + otherLines - (problems.get('console')?.count ?? 0),
    'events were lost',
  );
  requireThat(
    problemLines === byClass('unusable') && otherLines === byClass('other'),
    'the kinds do not add up',
  );
  for (const { firstLine } of problems.values())
    requireThat(firstLine >= 1 && firstLine <= lines, 'a problem stands in no line');
}

/** Every number is whole and within the model; every text belongs to a line. */
function requireBounds(event: EventCopy): void {
  for (const [name, value] of Object.entries(event)) {
    for (const number of [value].flat()) {
      if (typeof number !== 'number') continue;
      const least =
        name === 'code' || name === 'pasid' || name === 'domainId' || name === 'group' ? -(2 ** 52) : -1;
      const most = name === 'time' ? 2 ** 64 : name === 'cpu' ? 1e6 : 2 ** 52;
      requireThat(Number.isInteger(number) && number >= least && number < most, `${name} is ${number}`);
    }
  }
}

const sameData = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Throws when one of the invariants of a reading does not hold. */
export function requireInvariants(trace: TraceCase): void {
  const bytes = textOfCase(trace);
  const options = { others: true, maxLineBytes: trace.maxLineBytes };
  const whole = readChunks([bytes], options);
  requireCounts(whole.tally, whole.events.length);
  requireThat(
    whole.tally.bytes === bytes.length && whole.tally.lines === trace.lines.length,
    'lines are missing',
  );
  whole.events.forEach(requireBounds);
  const inPieces = readChunks(chunksOf(bytes, trace.cuts), options);
  requireThat(sameData(inPieces.events, whole.events), 'the chunks change the events');
  requireThat(sameData(tallyData(inPieces.tally), tallyData(whole.tally)), 'the chunks change the counts');
  const alone = trace.lines.flatMap((line, index) =>
    readChunks([Uint8Array.of(LINE_FEED), line, Uint8Array.of(LINE_FEED)], options).events.map((event) => ({
      ...event,
      line: index + 1,
    })),
  );
  const later = readChunks([Uint8Array.of(LINE_FEED), bytes], options).events.map((event) => ({
    ...event,
    line: event.line - 1,
  }));
  requireThat(sameData(later, alone), 'a line changes the events of others');
}

// What a dump loses makes verdicts unknown, and changes none: functions, lines of registers, bytes, ends and middles.
// A capability of which every line is gone, on the only function of its model, is the one loss that nobody can see: lspci
// does not say how many capabilities there are. Pairs that pass such a function are left out. So are losses that take a
// first line with the end of the function before it, which can leave lines of two functions that fit together.

import { fc, test } from '@fast-check/vitest';
import { type DumpedFunction, functionAt, type MachineDump, readTopologyText } from '@sgfree/topology';
import { describe, expect } from 'vitest';
import { calcMapTypeAndDist, dumpRouteView, HostRules, type RouteView } from '../src/index.ts';
import { readOrRefused } from './fuzz/dump-invariants.ts';
import { hasPublished, ownDumps, publishedDumps } from './fuzz/known-dumps.ts';
import { intel, zen } from './peer-tree.ts';

const runs = Number(process.env['TOPOLOGY_RUNS'] ?? 40);
const listings = [
  ...ownDumps(),
  ...publishedDumps().filter(({ name }) => name.startsWith('gpud/') || /^pciutils/.test(name)),
];
const machines = listings
  .filter(({ lines }) => lines.some((line) => line.startsWith('\tStatus: ')))
  .map(({ name, lines }) => ({ name, lines, whole: readTopologyText(lines.join('\n')) }))
  .filter(({ whole }) => whole.functions.length > 3);

const headerForm = /^(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}[.][0-7] /;
const registerForm =
  /^\t+(?:Capabilities|ACSC|DevC|LnkC|Bus|Status|Control|Region|Memory|Prefetchable|I\/O|NUMA)|^[0-9a-f]{2,3}: /;
const rules = [zen, intel, 'unknown' as const].map((cpu) => new HostRules('7.3.4', cpu));

/** One loss: its kind, and numbers that pick what is lost. */
type Loss = readonly [kind: (typeof kinds)[number], at: number, length: number];
const kinds = ['functions', 'registers', 'capability', 'short bytes', 'not root', 'end', 'middle'] as const;
const losses = fc.array(fc.tuple(fc.constantFrom(...kinds), fc.nat(2 ** 24), fc.nat(60)), {
  minLength: 1,
  maxLength: 4,
});

function reduced(lines: readonly string[], [kind, seed, length]: Loss): string[] {
  const at = seed % Math.max(lines.length, 1);
  if (kind === 'functions') return withoutFunctions(lines, seed, 1 + (length % 8));
  if (kind === 'registers')
    return lines.filter((line, i) => !(registerForm.test(line) && picked(seed, i) % 50 <= length / 4));
  if (kind === 'capability') return withoutCapabilities(lines, seed, length);
  if (kind === 'short bytes')
    return lines.filter((line) => !/^(?:[4-9a-f][0-9a-f]|[0-9a-f]{3}): /.test(line));
  if (kind === 'not root') return deniedCapabilities(lines, seed, length);
  if (kind === 'end') return [...lines.slice(0, at), (lines[at] ?? '').slice(0, length)];
  const next = lines.findIndex((line, index) => index > at && headerForm.test(line));
  return lines.toSpliced(at, next < 0 ? length : Math.min(length, next - at));
}

const picked = (seed: number, index: number): number => ((seed + 1) * 2654435761 + index * 40503) % 1009;

function withoutFunctions(lines: readonly string[], seed: number, count: number): string[] {
  const starts = lines.flatMap((line, index) => (headerForm.test(line) ? [index] : []));
  const lost = new Set(Array.from({ length: count }, (_, i) => picked(seed, i) % Math.max(starts.length, 1)));
  let block = -1;
  return lines.filter((line) => {
    if (headerForm.test(line)) block += 1;
    return !lost.has(block);
  });
}

/** Without whole capabilities: their first line and what is indented below. */
function withoutCapabilities(lines: readonly string[], seed: number, length: number): string[] {
  let isLost = false;
  return lines.filter((line, index) => {
    if (line.startsWith('\tCapabilities: [')) isLost = picked(seed, index) % 60 <= length;
    else if (!line.startsWith('\t\t')) isLost = false;
    return !isLost;
  });
}

/** As lspci prints them to whoever is not root. */
function deniedCapabilities(lines: readonly string[], seed: number, length: number): string[] {
  let isDenied = false;
  let isSaid = false;
  return lines.flatMap((line, index) => {
    if (headerForm.test(line)) [isDenied, isSaid] = [picked(seed, index) % 60 <= length, false];
    if (!isDenied || !/^\tCapabilities: |^\t\t|^(?:[4-9a-f][0-9a-f]|[0-9a-f]{3}): /.test(line)) return [line];
    if (isSaid) return [];
    isSaid = true;
    return ['\tCapabilities: <access denied>'];
  });
}

/** Functions whose ACS is gone from the text without a trace. */
function lostSilently(whole: MachineDump, left: MachineDump): Set<string> {
  const modelOf = (fn: DumpedFunction): string => `${fn.vendorId}:${fn.deviceId}:${fn.title}:${fn.classId}`;
  const shown = new Set(left.functions.filter(({ acs }) => typeof acs.offset === 'number').map(modelOf));
  const silent = left.functions.filter((fn) => {
    const before = functionAt(whole, fn.name);
    const hadAcs = typeof before?.acs.control === 'number';
    return hadAcs && fn.acs.control === 'absent' && fn.known.length <= 64 && !shown.has(modelOf(before));
  });
  return new Set(silent.map(({ name }) => name));
}

function passedNames(view: RouteView<DumpedFunction>, ends: readonly DumpedFunction[]): string[] {
  return ends.flatMap((end) => {
    const names: string[] = [];
    for (
      let at: DumpedFunction | null | 'unknown' = end;
      at !== null && at !== 'unknown';
      at = view.upstream(at)
    )
      names.push(at.name);
    return names;
  });
}

function requireNoOtherVerdict(whole: MachineDump, left: MachineDump, pick: number): void {
  const [before, after] = [dumpRouteView(whole), dumpRouteView(left)];
  const silent = lostSilently(whole, left);
  const count = left.functions.length;
  for (let i = 0; i < 40 && count > 0; i += 1) {
    const ends = [
      left.functions[picked(pick, i) % count],
      left.functions[picked(pick, i * 7 + 3) % count],
    ] as [DumpedFunction, DumpedFunction];
    const known = ends.map(({ name }) => functionAt(whole, name)) as [DumpedFunction, DumpedFunction];
    expect(known).not.toContain(undefined);
    if (passedNames(before, known).some((name) => silent.has(name))) continue;
    for (const rule of rules) {
      const [was, is] = [
        calcMapTypeAndDist(before, ...known, rule),
        calcMapTypeAndDist(after, ...ends, rule),
      ];
      const pair = `${ends[0].name} -> ${ends[1].name}`;
      if (is.mapType !== 'unknown') expect([pair, is.mapType]).toEqual([pair, was.mapType]);
      if (is.distance !== 'unknown') expect([pair, is.distance]).toEqual([pair, was.distance]);
      expect([pair, ...is.possible]).toEqual(expect.arrayContaining([...was.possible]));
    }
  }
}

test('published machines', ({ annotate }) => {
  if (!hasPublished)
    void annotate('the published machines (../shared/data) are not here: only recorded ones are reduced');
  expect(machines.some(({ name }) => name.startsWith('gpud/'))).toBe(hasPublished);
});

describe.each(machines)('$name', ({ lines, whole }) => {
  test.prop([losses, fc.nat()], { numRuns: whole.functions.length > 100 ? Math.ceil(runs / 4) : runs })(
    'what is lost makes verdicts unknown and nothing else',
    (steps, pick) => {
      let left: readonly string[] = lines;
      for (const step of steps) left = reduced(left, step);
      const dump = readOrRefused(() => readTopologyText(left.join('\n')));
      if (dump !== undefined) requireNoOtherVerdict(whole, dump, pick);
    },
  );
});

const drawings = [...ownDumps(), ...publishedDumps()]
  .filter(({ lines }) => lines.some((line) => /^[ -][+|[]/.test(line)))
  .map(({ name, lines }) => ({ name, lines, whole: readOrRefused(() => readTopologyText(lines.join('\n'))) }))
  .flatMap(({ name, lines, whole }) =>
    whole?.formats.includes('lspci-tree') ? [{ name, lines, whole }] : [],
  );

describe.each(drawings)('$name', ({ lines, whole }) => {
  test.prop([fc.array(fc.nat(lines.length - 1), { minLength: 1, maxLength: 2 }), fc.nat()], {
    numRuns: runs,
  })('a lost line of a drawing makes verdicts unknown and nothing else', (lost, pick) => {
    const dump = readOrRefused(() =>
      readTopologyText(lines.filter((_, index) => !lost.includes(index)).join('\n')),
    );
    if (dump !== undefined) requireNoOtherVerdict(whole, dump, pick);
  });
});

// Malformed inputs: every field of a recorded header or record that is not a compared result is given values of other
// types. Each must be refused as a broken header or line, by name, and must leave the model untouched: afterwards the
// unaltered record must still replay.
// Simplified: of fields of one kind and class the first that is met is tried, in the smallest files that together hold
// every kind of record.

import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { chooseSuite } from '../choose-suite.ts';
import { type FoundFile, findRecordFiles } from '../find-record-files.ts';
import { BrokenFile, parseLine, readLines } from '../record-file.ts';
import { MalformedValue } from '../recorded-value.ts';
import type { FoundMismatch } from '../replay-file.ts';
import { type AlterationSite, alterationSites } from '../self-test/alteration.ts';
import { locate, withValueAt } from '../self-test/output-path.ts';
import { isBreakdown, openSelfTestFile, type SelfTestFile } from '../self-test/self-test-file.ts';
import { BrokenHeader, type JsonRecord, type Suite } from '../suite.ts';
import { suites } from './index.ts';

const folder = fileURLToPath(new URL('../../../../vectors', import.meta.url));
/** Records of a file that are tried even when its kinds are known by then. */
const RECORDS_AT_LEAST = 300;

/** Fields that tell where a record came from, or belong to what no suite replays: they may say anything. */
const LABELS: readonly string[] = ['name', 'seed', 'prng', 'note'];
const SLOTS: readonly string[] = ['swiotlb_areas', 'swiotlb_nslabs', 'swiotlb_start'];
const HEADER_LABELS: Readonly<Record<string, readonly string[]>> = {
  'pt-golden/1': ['apertureStart', 'apertureEnd', 'tables'],
  pgtable: ['ncpus', 'cpu', 'aperture'],
  hwdom: ['cmd', 'ncpus', 'cpu', 'dev'],
  sg_append: ['cmd', 'ncpus', 'cpu'],
  iova: ['cmd'],
  // The slots matter to untrusted devices only.
  dma_iova: ['cmd', ...SLOTS],
  map: ['cmd', ...SLOTS],
  fq: ['cmd'],
  swiotlb: ['cmd'],
  // The devices are recorded as they were then; these only say that something was overwritten.
  p2p: ['cmd', 'root_spoofed', 'acs_faked'],
  // Results that stand in the header.
  p2p_sg: ['add_ret'],
  phys_vec: ['init'],
};
/** Fields that may be missing, and fields that may be null. */
const OPTIONAL = ['min_align_mask', 'features', 'k'];
const NULLABLE = ['domain_type', 'pfnsAppend'];

const neverRight: readonly unknown[] = [true, '', '0xzz', '-0x1', ' 1', 0.5, -2, 1e300, {}, [[1]], [null]];

function wrongValues({ value, location }: AlterationSite): unknown[] {
  const wrong = neverRight.filter((candidate) => candidate !== value);
  if (!OPTIONAL.includes(String(location[0]))) wrong.push(undefined);
  if (value === null) return wrong;
  if (!NULLABLE.includes(String(location[0]))) wrong.push(null);
  wrong.push([value]);
  if (!Array.isArray(value)) wrong.push([]);
  if (typeof value === 'number') wrong.push(String(value), `0x${value.toString(16)}`);
  if (typeof value !== 'string') return wrong;
  const other = value.startsWith('0x') ? value.slice(2) : `0x${value}`;
  return /^(0x)?[0-9a-f]+$/.test(value) ? [...wrong, other, 1, `${value} `, `${value}.0`] : [...wrong, 1];
}

/** The values of a header or record that are no results; `seen` leaves out those of a class that was tried. */
function inputsOf(record: JsonRecord, outputs: readonly string[], seen: Set<string>): AlterationSite[] {
  const results = outputs.flatMap((output) => locate(record, output)).map((location) => location.join(' '));
  return [...alterationSites(record, [], '')].filter(({ location, path, value }) => {
    if (LABELS.includes(String(location[0]))) return false;
    const place = location.join(' ');
    if (results.some((result) => place === result || place.startsWith(`${result} `))) return false;
    const key = `${path} ${value === null ? 'null' : typeof value}`;
    return seen.has(key) ? false : seen.add(key).has(key);
  });
}

function isHeaderRefused(header: JsonRecord, file: SelfTestFile): boolean {
  try {
    const choice = chooseSuite(suites, header);
    if (choice.kind === 'replay') choice.suite.open(header, file.context);
    return false;
  } catch (error) {
    return [BrokenFile, BrokenHeader, MalformedValue].some((known) => error instanceof known);
  }
}

class SuiteTrial {
  readonly kinds = new Map<string, Set<string>>();
  readonly accepted: string[] = [];
  readonly unaltered: FoundMismatch[] = [];
  tried = 0;
  readonly #suite: Suite;
  readonly #headerSeen = new Set<string>();

  constructor(suite: Suite) {
    this.#suite = suite;
  }

  file(file: SelfTestFile): void {
    const kinds = new Set(file.records.map((record) => this.#suite.kindOf(record)));
    if ([...kinds].every((kind) => this.kinds.has(kind))) return;
    this.#header(file);
    const replayer = file.open();
    for (const [index, record] of file.records.entries()) {
      if (index >= RECORDS_AT_LEAST && [...kinds].every((kind) => this.kinds.has(kind))) break;
      const kind = this.#suite.kindOf(record);
      const seen = this.kinds.get(kind) ?? new Set();
      this.kinds.set(kind, seen);
      for (const site of inputsOf(record, this.#suite.outputs[kind] ?? [], seen)) {
        for (const wrong of wrongValues(site)) {
          const found = file.replayOnly(replayer, withValueAt(record, site.location, wrong), index);
          const isRefused = found.some((one) => isBreakdown(one) && one.field === '(broken-line)');
          // A missing list that results stand in is a result that is missing.
          const isNoticed = wrong === undefined && found.length > 0 && !found.some(isBreakdown);
          this.#note(isRefused || isNoticed, `${kind} ${site.path}`, wrong, file);
        }
      }
      for (const mismatch of file.replayOnly(replayer, record, index)) this.unaltered.push(mismatch);
    }
  }

  #header(file: SelfTestFile): void {
    if (this.#suite.headerless === true) return;
    const labels = HEADER_LABELS[this.#suite.name] ?? [];
    for (const site of inputsOf(file.header, labels, this.#headerSeen)) {
      for (const wrong of wrongValues(site)) {
        const header = withValueAt(file.header, site.location, wrong);
        this.#note(isHeaderRefused(header, file), `header ${site.path}`, wrong, file);
      }
    }
  }

  #note(isRefused: boolean, place: string, wrong: unknown, file: SelfTestFile): void {
    this.tried += 1;
    if (!isRefused) this.accepted.push(`${file.name} ${place} = ${JSON.stringify(wrong) ?? 'absent'}`);
  }
}

const files = findRecordFiles(folder)
  .map((found) => ({ found, bytes: statSync(found.path).size }))
  .sort((a, b) => a.bytes - b.bytes)
  .map(({ found }) => found);

function suiteOf(found: FoundFile): Suite | null {
  const choice = chooseSuite(suites, parseLine(readLines(found.path), 1));
  return choice.kind === 'skip' ? null : choice.suite;
}

const owned = files.map((found) => ({ found, suite: suiteOf(found) }));

test.each(suites.map((suite) => [suite.name, suite] as const))('%s', (_, suite) => {
  const trial = new SuiteTrial(suite);
  const allKinds = Object.keys(suite.outputs).sort();
  for (const { found } of owned.filter((one) => one.suite === suite)) {
    if (trial.kinds.size === allKinds.length) break;
    const file = openSelfTestFile(found, suites);
    if (file !== null) trial.file(file);
  }
  expect(trial.accepted).toEqual([]);
  expect(trial.unaltered).toEqual([]);
  expect([...trial.kinds.keys()].sort()).toEqual(allKinds);
  expect(trial.tried).toBeGreaterThan(100);
});

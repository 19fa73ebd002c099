// The whole road as it comes out of one run: table, document, page and trace, which must say the same.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { roadNotes, roadRows } from '../src/road/road-rows.ts';
import { grouped } from '../src/text-table.ts';
import { type Ended, runCommand } from './run-command.ts';
import { compareJsonSchema, compareSchema } from './schema/compare-schema.ts';
import { type ReadEvent, TraceReader } from './trace-reader.ts';

const requestsFolder = fileURLToPath(new URL('../requests/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'sgfree-road-'));
afterAll(() => rmSync(folder, { recursive: true }));
const run = (...argv: string[]): Promise<Ended> => runCommand(argv, '', { requestsFolder });
const inFolder = (name: string): string => join(folder, name);
type Document = z.infer<typeof compareSchema>;
type Fabric = NonNullable<Document['gpuExchange']>['runs'][number]['stage']['fabric'];

let ended: Ended;
let document: Document;
let page: string;
let trace: TraceReader;

beforeAll(async () => {
  const [html, perfetto] = [inFolder('road.html'), inFolder('road.pftrace')];
  ended = await run('compare', '--json', '--html', html, '--perfetto', perfetto);
  document = compareSchema.parse(JSON.parse(ended.out));
  page = readFileSync(html, 'utf8');
  trace = new TraceReader(readFileSync(perfetto));
}, 240_000);

const road = (): NonNullable<Document['road']> => {
  if (document.road === null) throw new Error('no road');
  return document.road;
};

describe('the road table', () => {
  it('has a column a stage, each with runs, every byte right and nothing left', () => {
    expect([ended.code, ended.err]).toEqual([0, '']);
    expect(road().columns.map(({ stage }) => stage)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    for (const { runs, left, bytesVerified } of road().columns) {
      expect(runs).toBeGreaterThan(0);
      expect(left).toBe(0);
      expect(bytesVerified).toBeGreaterThan(0);
    }
    expect(road().columns.at(-1)?.scatterlistEntries).toBe(0);
    expect(road().columns[0]?.scatterlistEntries).toBeGreaterThan(0);
  });

  it('stands in docs/roadmap.md as it comes out', () => {
    const story = readFileSync(new URL('../../../docs/roadmap.md', import.meta.url), 'utf8');
    const [head, ...rows] = roadRows(road());
    const lines = [
      ['', ...road().columns.map(({ stage }) => `stage ${stage}`)],
      road().columns.map(() => '---:'),
      [head?.name ?? '', ...(head?.cells ?? [])],
      ...rows.map(({ name, cells }) => [name, ...cells]),
    ].map((cells, line) => `| ${(line === 1 ? ['---', ...cells] : cells).join(' | ')} |`);
    expect(story.split('\n').filter((line) => line.startsWith('|'))).toEqual(lines);
  });

  it('takes its figures from the reports', () => {
    const stages = document.peers?.variants.find(({ key }) => key === 'host-bridge-iommu')?.stages ?? [];
    expect(stages).toHaveLength(6);
    for (const [index, { total, tracking, bytesVerified }] of stages.entries()) {
      expect(road().columns[index]).toMatchObject({
        iovaAllocations: total.iovaAllocations,
        tableEntriesWritten: total.entriesWritten,
        invalidations: total.invalidationCommands,
        structPagesTouched: total.structPagesTouched,
        trackingBytes: tracking.totalBytes,
        bytesVerified,
        revokeWindowSteps: null,
      });
    }
    const guests = guestsOnTheMachine().map(({ stage }) => stage);
    const sum = (figure: (report: (typeof guests)[number]) => number): number =>
      guests.reduce((all, report) => all + figure(report), 0);
    expect(road().columns[7]).toMatchObject({
      runs: 4,
      iovaAllocations: sum(({ total }) => total.iovaAllocations),
      tableEntriesWritten: sum(({ total }) => total.entriesWritten),
      structPagesTouched: sum(({ total }) => total.structPagesTouched),
      trackingBytes: sum(({ tracking }) => tracking.totalBytes),
    });
    const exchange = document.gpuExchange?.runs.find(
      ({ input }) => input.way === 'range-list' && input.place === 'host-bridge' && input.iommu,
    );
    expect(road().columns[8]).toMatchObject({
      scatterlistEntries: exchange?.crossed.scatterlistEntries,
      tableEntriesWritten: exchange?.stage.total.entriesWritten,
      revokeWindowSteps: exchange?.stage.revokeToLastAccessSteps,
    });
  });

  it('counts what iommufd does where it does it', () => {
    const pages = guestsOnTheMachine().reduce((sum, { pins }) => sum + pins.ramPages, 0);
    const bytes = guestsOnTheMachine().reduce((sum, { door }) => sum + door.mapAllocatedBytes, 0);
    const { iovaAllocations, structPagesTouched, trackingBytes } = road().columns[7] ?? {};
    expect(structPagesTouched).toBe(pages);
    // Each run maps the buffer of two ranges and the buffer; the buffer once more but after the last close.
    expect(iovaAllocations).toBe(4 * 3 - 1);
    expect(trackingBytes).toBeGreaterThan(2 * bytes);
  });

  it('has refused requests and faults of the same runs, one for each', () => {
    for (const { refused, faults } of road().columns) expect(refused).toBe(faults);
    expect(road().columns[7]?.faults).toBe(
      guestsOnTheMachine().reduce((sum, { faultRecords }) => sum + faultRecords.length, 0),
    );
  });

  it('leaves hung owners out of the revoke window, and says so', () => {
    const rows = document.revoke?.variants.find(({ key }) => key === 'host-bridge-iommu')?.revokes ?? [];
    const windows = rows
      .filter(({ hang }) => hang === null)
      .map(({ stage }) => stage.revokeToLastAccessSteps ?? 0);
    expect(rows.some(({ hang }) => hang !== null)).toBe(true);
    expect(road().columns[6]?.revokeWindowSteps).toBe(Math.max(...windows));
    const hung = rows.filter(({ hang }) => hang !== null);
    const steps = Math.max(...hung.map(({ stage }) => stage.revokeToLastAccessSteps ?? 0));
    expect(steps).toBeGreaterThan(Math.max(...windows));
    expect(road().columns.map(({ hangs }) => hangs)).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 7, 8].map((stage) =>
        stage === 6 ? { runs: hung.length, lastAccessSteps: steps } : null,
      ),
    );
    const said = `${hung.length} of ${rows.length} runs, in which an importer keeps its mapping on purpose`;
    const note = roadNotes(road()).find((text) => text.includes(said));
    expect(note).toContain(`after ${grouped(steps)} steps`);
    expect(page).toContain(note);
    const story = readFileSync(new URL('../../../docs/roadmap.md', import.meta.url), 'utf8');
    expect(story).toContain(`${grouped(steps)} steps`);
  });

  function guestsOnTheMachine(): NonNullable<Document['guestSpace']>['runs'] {
    return (document.guestSpace?.runs ?? []).filter(
      ({ input }) => input.door === 'pal' && input.place === 'host-bridge',
    );
  }
});

describe('the page', () => {
  it('shows every figure of the table', () => {
    for (const column of road().columns) {
      const { stage: _, routes, ...figures } = column;
      for (const value of [...Object.values(figures), ...Object.values(routes ?? {})]) {
        if (typeof value === 'number') expect(page).toContain(`>${grouped(value)}</td>`);
      }
      expect(page).toContain(`>${column.api}</td>`);
    }
    expect(page).toContain(document.verdict.line);
  });

  it('sets the ends of the road and of the stream side by side', () => {
    const [first, last, end] = [road().columns[0], road().columns[5], road().columns[8]];
    const sides = (from: number | null | undefined, to: number | null | undefined): string =>
      `<b>${grouped(from ?? -1)} → ${grouped(to ?? -1)}</b>`;
    expect(page).toContain(sides(first?.scatterlistEntries, end?.scatterlistEntries));
    expect(page).toContain(sides(first?.structPagesTouched, last?.structPagesTouched));
    expect(page).toContain(sides(first?.trackingBytes, last?.trackingBytes));
  });

  it('needs nothing from outside and names every chart', () => {
    expect(page.match(/<script|@import|url\(|(?:src|href)="(?!data:)/g)).toBeNull();
    const charts = page.match(/<svg [^>]*>/g) ?? [];
    expect(charts.length).toBe(8);
    for (const chart of charts) expect(chart).toMatch(/role="img" aria-label="[^"]+"/);
    expect(page.match(/<figure>/g)).toHaveLength(charts.length);
  });

  it('holds the ledger of the repository, symbol by symbol', () => {
    const ledger = readFileSync(new URL('../../../docs/api/ledger.md', import.meta.url), 'utf8');
    const symbols = [...ledger.matchAll(/^\| `([^`]+)` \|/gm)].map(([, symbol]) => symbol);
    expect(symbols.length).toBeGreaterThan(500);
    const shown = [...page.matchAll(/<th scope="row"><code>([^<]+)<\/code><\/th>/g)].map(
      ([, symbol]) => symbol,
    );
    expect(shown).toEqual(symbols);
  });
});

describe('the trace', () => {
  const groups = (): string[] =>
    [...trace.tracks.values()].filter(({ parent }) => parent === null).map(({ name }) => name);
  const onTrack = (track: number): ReadEvent[] => trace.events.filter((event) => event.track === track);

  it('has a group a stage, each with stage, CPU, IOMMU and devices', () => {
    const titles = road().columns.map(({ stage, api }) => `stage ${stage}: ${api}`);
    expect(groups()).toEqual(['the road', ...titles]);
    for (const title of titles) {
      const own = [...trace.tracks].filter(([id]) => trace.groupOf(id) === title).map(([, { name }]) => name);
      expect(own.slice(0, 4)).toEqual(['stage', 'CPU', 'IOMMU', 'IOMMU: bytes mapped']);
      expect(own.filter((name) => name.startsWith('device: ')).length).toBeGreaterThanOrEqual(2);
    }
  });

  it('nests what begins and ends, and never goes back in time on a track', () => {
    for (const track of trace.tracks.keys()) {
      let [depth, last] = [0, -1];
      for (const { type, ns } of onTrack(track)) {
        expect(ns).toBeGreaterThanOrEqual(last);
        last = ns;
        if (type === 1) depth += 1;
        if (type === 2) depth -= 1;
        expect(depth).toBeGreaterThanOrEqual(0);
      }
      expect(depth).toBe(0);
    }
  });

  it('shows as many requests as the fabric counted, and as much mapping as the IOMMU did', () => {
    const { columns } = road();
    for (const { stage, api, runs, tableEntriesWritten } of columns) {
      const title = `stage ${stage}: ${api}`;
      const of = (name: string): ReadEvent[] =>
        [...trace.tracks]
          .filter(([id, track]) => trace.groupOf(id) === title && track.name.startsWith(name))
          .flatMap(([id]) => onTrack(id));
      const requests = of('device: ').filter(({ type }) => type === 1);
      const [whole] = of('stage');
      const mapped = of('IOMMU').filter(({ name }) => name === 'iommu:map').length;
      const fabric = fabricOf(stage);
      if (fabric === undefined) throw new Error(`stage ${stage} was not run`);
      expect(requests).toHaveLength(Object.values(fabric).reduce((sum, way) => sum + way.requests, 0));
      const bytes = requests.reduce((sum, { annotations }) => sum + Number(annotations['bytes']), 0);
      expect(bytes).toBe(Object.values(fabric).reduce((sum, way) => sum + way.bytes, 0));
      expect(requests.filter(({ name }) => name?.endsWith('refused'))).toHaveLength(fabric.refused.requests);
      expect([stage, mapped]).toEqual([stage, whole?.annotations['map calls']]);
      if (runs === 1) expect(whole?.annotations['table entries written']).toBe(tableEntriesWritten);
      expect(of('IOMMU: bytes mapped').at(-1)?.value).toBe(0);
    }
  });

  /** What the fabric counted in the run that the trace shows, by the document. */
  function fabricOf(stage: number): Fabric | undefined {
    const at = <T extends { readonly key: string }>(variants: readonly T[] | undefined): T | undefined =>
      variants?.find(({ key }) => key === 'host-bridge-iommu');
    if (stage < 6)
      return at(document.peers?.variants)?.stages.find((report) => report.stage === stage)?.fabric;
    const revoke = at(document.revoke?.variants)?.revokes.find(({ input }) => input.importers.length === 2);
    const guest = document.guestSpace?.runs.find(
      ({ input }) => input.door === 'pal' && input.place === 'host-bridge',
    );
    const exchange = document.gpuExchange?.runs.find(
      ({ input }) => input.way === 'range-list' && input.place === 'host-bridge' && input.iommu,
    );
    return [revoke, guest, exchange][stage - 6]?.stage.fabric;
  }
});

describe('the schema', () => {
  it('is the one that is checked in', () => {
    const file = readFileSync(new URL('../schema/compare.schema.json', import.meta.url), 'utf8');
    expect(JSON.parse(file)).toEqual(JSON.parse(compareJsonSchema()));
  });

  it('takes no key that it does not name', () => {
    expect(compareSchema.safeParse(document).success).toBe(true);
    expect(compareSchema.safeParse({ ...document, more: 1 }).success).toBe(false);
    expect(compareSchema.safeParse({ ...document, road: { ...road(), more: 1 } }).success).toBe(false);
  });

  it.each([
    [['--stage', '1', '-r', join(requestsFolder, 'nvio_huge.jsonl')], 0],
    [['--stage', '3', '--plant', 'phys-vec-leaks'], 1],
    [['--stage', '5'], 0],
    [['--stage', '7', '--door', 'converter'], 0],
    [['--stage', '8', '--plant', 'deaf'], 1],
    [['-r', join(requestsFolder, 'nvio_huge.jsonl'), '--plant', 'flipped-byte'], 1],
  ])('holds for %j', async (argv, code) => {
    const other = await run('compare', '--json', ...argv);
    expect([other.code, other.err]).toEqual([code, '']);
    expect(compareSchema.parse(JSON.parse(other.out)).verdict.ok).toBe(code === 0);
  });
});

describe('outputs', () => {
  it.each([
    [['--html', '/nowhere/at/all/road.html']],
    [['--html', folder]],
    [['--html', '']],
    [['--perfetto', join(folder, 'plain', 'inside')]],
    [['--html', '-', '--json']],
    [['--html', '-', '--perfetto', '-']],
    [['--html', join(folder, 'x.html'), '--stage', '1']],
    [['--html', join(folder, 'x.html'), '-r', join(folder, 'missing')]],
  ])('%j ends with 2 and one line, and leaves nothing', async (argv) => {
    const before = readdirSync(folder);
    const failed = await run('compare', ...argv);
    expect([failed.code, failed.out]).toEqual([2, '']);
    expect(failed.err).toMatch(/^sgfree: [^\n]+\n$/);
    expect(readdirSync(folder)).toEqual(before);
  });

  it('a bug in a stage of the default run ends with 1, in the page too, which takes the place of an old one whole', async () => {
    const file = inFolder('failed.html');
    writeFileSync(file, 'old');
    const failed = await run('compare', '--plant', 'phys-vec-leaks', '--html', file);
    expect([failed.code, failed.err]).toEqual([1, '']);
    expect(failed.out.trimEnd().split('\n').at(-1)).toMatch(/^FAILED: \d+ of \d+ comparisons failed$/);
    expect(readFileSync(file, 'utf8')).toMatch(/class="verdict failed" role="status">FAILED: /);
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
    expect(failed.out).toMatch(/\nAPI used .*\n(?:.*\n)*runs +1 +1 +1 +1 +1 +1 +0 +0 +0\n/);
  });
});

// The part of `sgfree compare` about stage 8: every way in every place, the tables that set them side by side, the document, and the command
// line around it.
import { fileURLToPath } from 'node:url';
import type { GpuExchangeReport, Verdict } from '@sgfree/roadmap';
import { describe, expect, it } from 'vitest';
import { quietWorld, runCommand } from '../../test/run-command.ts';
import { Progress } from '../progress.ts';
import { abusesIn, gpuExchangePart } from './gpu-exchange-part.ts';
import { gpuExchangeText } from './gpu-exchange-text.ts';

interface JudgedExchange extends GpuExchangeReport {
  readonly verdict: Verdict;
}

interface Document {
  readonly lists: readonly unknown[];
  readonly peers: unknown;
  readonly revoke: unknown;
  readonly guestSpace: unknown;
  readonly gpuExchange: {
    readonly stage: number;
    readonly runs: readonly JudgedExchange[];
    readonly verdict: Verdict;
  } | null;
  readonly verdict: Verdict;
}

const world = quietWorld();
const requestsFolder = fileURLToPath(new URL('../../requests/', import.meta.url));
const plain = ({ line }: Verdict): string => line;

describe('the part about stage 8', () => {
  const part = gpuExchangePart({ seed: 3 }, new Progress(world));
  const text = gpuExchangeText(world, part, plain);
  const reports = part.rows.map(({ report }) => report);
  const lists = reports.filter(({ input }) => input.way === 'range-list');
  const tables = reports.filter(({ input }) => input.way !== 'range-list');

  it('runs every way in every place with and without IOMMU, and each run is right', () => {
    expect(part.rows).toHaveLength(24);
    expect(part.rows.filter(({ verdict }) => !verdict.ok)).toEqual([]);
    expect(part.verdict.ok).toBe(true);
  });

  it('counts what is gone at stage 8', () => {
    expect(lists.map(({ crossed }) => crossed.scatterlistEntries)).toEqual(lists.map(() => 0));
    expect(lists.map(({ stage }) => stage.total.structPagesTouched)).toEqual(lists.map(() => 0));
    expect(abusesIn(lists)).toBe(0);
    expect(abusesIn(tables)).toBeGreaterThan(100);
    expect(part.verdict.line).toMatch(/scatterlist entries \d+ -> 0, abuses of the DMA API \d+ -> 0$/);
  });

  it('sets the ways side by side', () => {
    expect(text).toMatch(/\npeers below one switch, IOMMU on *\n {2}range lists \(stage 8\) +[\d,]+ /);
    expect(text).toMatch(/\n {2}tables as xe \(today\) .* EOPNOTSUPP\n/);
    expect(text).toMatch(/\nnull-page-scatterlist +0 +\d+ +\d+\n/);
    expect(text).toMatch(/\nunmap-by-current-placement +0 +\d+ +0\n/);
  });

  it('gives every way of a place the same seed, and every place another', () => {
    const seeds = new Map<string, Set<number>>();
    for (const { input } of reports) {
      const where = `${input.place} ${input.iommu}`;
      seeds.set(where, (seeds.get(where) ?? new Set()).add(input.seed));
    }
    expect([...seeds.values()].map((ofPlace) => [...ofPlace])).toEqual(
      [3, 4, 5, 6, 7, 8, 9, 10].map((seed) => [seed]),
    );
  });

  it('adds the abuses of all runs of a way, and shows the slowest move and what kinds of access were wrong', () => {
    const found = (way: string): number =>
      reports
        .filter(({ input }) => input.way === way)
        .reduce((sum, { abuses }) => sum + (abuses['null-page-scatterlist'] ?? 0), 0);
    expect(text).toMatch(new RegExp(`\\nnull-page-scatterlist +0 +${found('amdgpu')} +${found('xe')}\\n`));
    const [row] = part.rows;
    const [move] = row?.report.moves ?? [];
    if (row === undefined || move === undefined) throw new Error('nothing moved');
    const moves = [12, 345, 67].map((lastAccess) => ({
      ...move,
      to: 'tt',
      lastAccess,
      copyBegan: 400,
      ended: 500,
    }));
    const accesses = { ...row.report.accesses, late: 8, stray: 9 };
    const report = { ...row.report, moves, accesses, toldAtWork: 2, faultsServed: 4 };
    const spoiled = gpuExchangeText(world, { rows: [{ ...row, report }], verdict: row.verdict }, plain);
    expect(spoiled).toMatch(/\n {2}range lists \(stage 8\) +3 +3 +2 +4 +345 +400 +500 +8 +9 +[\d,]+\n/);
  });

  it('shows what is wrong', () => {
    const [row] = part.rows;
    if (row === undefined) throw new Error('nothing was run');
    const verdict = { ok: false, line: 'FAILED: something' };
    const spoiled = gpuExchangeText(world, { rows: [{ ...row, verdict }], verdict }, plain);
    expect(spoiled).toContain('peers below one switch, IOMMU on: range lists (stage 8): FAILED: something');
  });
});

describe('sgfree compare --stage 8', () => {
  const run = (...argv: readonly string[]) => runCommand(['compare', ...argv], '', { requestsFolder });

  it('runs it alone, as a document', async () => {
    const { code, out, err } = await run('--stage', '8', '--json');
    expect(err).toBe('');
    expect(code).toBe(0);
    const { lists, peers, revoke, guestSpace, gpuExchange, verdict } = JSON.parse(out) as Document;
    expect([lists, peers, revoke, guestSpace]).toEqual([[], null, null, null]);
    expect(gpuExchange).toMatchObject({ stage: 8, verdict: { ok: true } });
    expect(gpuExchange?.runs).toHaveLength(24);
    for (const { stage, verdict: own } of gpuExchange?.runs ?? []) {
      expect([stage.stage, own.ok]).toEqual([8, true]);
    }
    expect(verdict).toEqual(gpuExchange?.verdict);
  });

  it('shows it as text', async () => {
    const { code, out } = await run('--stage', '8');
    expect(code).toBe(0);
    expect(out).toContain("stage 8: a disk and a peer on the wire exchange data with a GPU's memory");
    expect(out).toMatch(/\nOK: stage 8: 24 exchanges, /);
  });

  it.each(['deaf', 'no-wait'])('says what the planted fault %s broke, and exits 1', async (fault) => {
    const { code, out } = await run('--stage', '8', '--plant', fault);
    expect(code).toBe(1);
    expect(out).toContain(`planted:  ${fault}`);
    expect(out).toMatch(/\npeers below one switch, IOMMU on: range lists \(stage 8\): FAILED: /);
    expect(out).toMatch(/\nFAILED: 24 of 24 comparisons failed\n$/);
  });

  it.each([
    [['--stage', '8', '--door', 'pal']],
    [['--stage', '8', '--plant', 'flipped-byte']],
    [['--stage', '6', '--plant', 'deaf']],
    [['--stage', '0', '--plant', 'deaf']],
    [['--plant', 'deaf']],
  ])('refuses %j', async (argv) => {
    const { code, out, err } = await run(...argv);
    expect([code, out]).toEqual([2, '']);
    expect(err).not.toBe('');
  });
});

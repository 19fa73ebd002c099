// A figure of the road table stands for every run of its column or for none; what goes to standard output goes there whole and alone.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { quietWorld, runCommand } from '../../test/run-command.ts';
import { TraceReader } from '../../test/trace-reader.ts';
import type { Shown } from '../compare-json.ts';
import { ComparisonOutputs, type FinishedComparison } from '../output/comparison-outputs.ts';
import { roadNotes } from './road-rows.ts';
import { type RoadTable, roadTable } from './road-table.ts';

const requestsFolder = fileURLToPath(new URL('../../requests/', import.meta.url));
const route = { requests: 0, bytes: 0 };

const reported = (byStructure: Readonly<Record<string, number>>, revokeToLastAccessSteps: number | null) => ({
  stage: 0,
  title: 'tables',
  total: {},
  tracking: { byStructure, totalBytes: 10 },
  fabric: { switchLocal: route, hostBridge: route, refused: route },
  iommu: { faults: 0 },
  leftovers: {},
  revokeToLastAccessSteps,
});

function columnOf(...reports: readonly object[]) {
  const comparisons = [{ variant: { key: 'host-bridge-iommu' }, reports }];
  const shown = { peers: { source: 'list', ios: 1, bytes: 1, comparisons } };
  return roadTable({ revoke: null, guestSpace: null, gpuExchange: null, ...shown } as unknown as Shown)
    ?.columns[0];
}

it('sums a figure that every run has, and takes the longest window', () => {
  const column = columnOf(reported({ scatterlist: 64 }, null), reported({ scatterlist: 32 }, 7));
  expect(column).toMatchObject({ runs: 2, scatterlistEntries: 3, trackingBytes: 20, revokeWindowSteps: 7 });
});

it('has no sum where a run has no figure', () => {
  const column = columnOf(reported({ scatterlist: 64 }, null), reported({}, null));
  expect(column).toMatchObject({
    runs: 2,
    scatterlistEntries: null,
    trackingBytes: 20,
    revokeWindowSteps: null,
  });
});

it('leaves runs that hang their owner out of the window, and says what it leaves out', () => {
  const revoke = (hang: object | null, steps: number | null) => ({
    report: { stage: { ...reported({}, steps), stage: 6 }, crossed: { tableEntries: 1 }, hang },
  });
  const table = (...rows: readonly object[]) => {
    const blocks = [{ variant: { key: 'host-bridge-iommu' }, rows }];
    const peers = { source: 'list', ios: 1, bytes: 1, comparisons: [{ variant: { key: '' }, reports: [] }] };
    const made = roadTable({ peers, revoke: { blocks }, guestSpace: null, gpuExchange: null } as never);
    if (made === null) throw new Error('no table');
    return made;
  };
  const left = (made: RoadTable): string[] => roadNotes(made).filter((note) => note.startsWith('left out'));
  const none = table(revoke(null, 5), revoke(null, 9));
  expect(none.columns[6]).toMatchObject({ runs: 2, revokeWindowSteps: 9, hangs: null });
  expect(left(none)).toEqual([]);
  const some = table(revoke(null, 5), revoke({}, 1200), revoke({}, null));
  expect(some.columns[6]).toMatchObject({ revokeWindowSteps: 5, hangs: { runs: 2, lastAccessSteps: 1200 } });
  expect(left(some)).toEqual([expect.stringMatching(/stage 6: 2 of 3 runs, .* after 1,200 steps$/)]);
  const idle = table(revoke({}, null));
  expect(idle.columns[6]).toMatchObject({
    revokeWindowSteps: null,
    hangs: { runs: 1, lastAccessSteps: null },
  });
  expect(left(idle)).toEqual([expect.stringMatching(/nothing is accessed$/)]);
});

it('a page to standard output is all that is printed', async () => {
  let out = '';
  const world = quietWorld('', {
    out: (text) => {
      out += text;
    },
  });
  const outputs = new ComparisonOutputs(world, { html: '-' });
  expect([outputs.tookStdout, new ComparisonOutputs(world, {}).tookStdout]).toEqual([true, false]);
  const verdict = { ok: true, line: 'OK' };
  await outputs.write({
    shown: { road: null },
    options: { seed: 1 },
    verdict,
  } as unknown as FinishedComparison);
  expect(out).toMatch(/^<!doctype html>.*no common stream.*<\/html>\n$/s);
});

it('a trace to standard output is all that is printed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sgfree-trace-'));
  const list = join(folder, 'one.jsonl');
  writeFileSync(list, readFileSync(`${requestsFolder}nvio_huge.jsonl`, 'utf8').split('\n', 1).join());
  const pieces: Uint8Array[] = [];
  const { code, out, err } = await runCommand(['compare', '--perfetto', '-', '--requests', list], '', {
    requestsFolder,
    outBytes: (bytes) => void pieces.push(bytes),
  });
  rmSync(folder, { recursive: true });
  expect([code, out, err, pieces.length]).toEqual([0, '', '', 1]);
  expect(new TraceReader(Buffer.concat(pieces)).events.length).toBeGreaterThan(100);
}, 60_000);

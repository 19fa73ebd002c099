// The part of `sgfree compare` about stage 7: each door in each place, the table that sets them side by side, the document, and the
// command line around it.
import { fileURLToPath } from 'node:url';
import type { GuestSpaceReport, Verdict } from '@sgfree/roadmap';
import { describe, expect, it } from 'vitest';
import { quietWorld, runCommand } from '../../test/run-command.ts';
import { Progress } from '../progress.ts';
import { guestSpacePart } from './guest-space-part.ts';
import { guestSpaceText } from './guest-space-text.ts';

interface JudgedGuest extends GuestSpaceReport {
  readonly verdict: Verdict;
}

interface Document {
  readonly lists: readonly unknown[];
  readonly peers: unknown;
  readonly revoke: unknown;
  readonly guestSpace: {
    readonly stage: number;
    readonly doors: readonly string[];
    readonly runs: readonly JudgedGuest[];
    readonly withoutRedirection: JudgedGuest;
    readonly verdict: Verdict;
  } | null;
  readonly verdict: Verdict;
}

const world = quietWorld();
const requestsFolder = fileURLToPath(new URL('../../requests/', import.meta.url));

describe('the part about stage 7', () => {
  const part = guestSpacePart({ seed: 3 }, new Progress(world));
  const text = guestSpaceText(world, part, ({ line }) => line);

  it('runs every door with every trigger in both places, and each run is right', () => {
    expect(part.rows).toHaveLength(24);
    expect(part.rows.filter(({ verdict }) => !verdict.ok)).toEqual([]);
    expect(part.verdict.ok).toBe(true);
    for (const { report } of part.rows) {
      expect(report.faultRecords.length).toBeGreaterThan(0);
      expect(report.faultRecords).toHaveLength(report.faults);
      expect(report.stage.revokeToLastAccessSteps).toBe(report.timings.lastAccess);
    }
  });

  it('sets the doors side by side', () => {
    for (const [name, ...cells] of [
      ['of a buffer of one range', '1', '1', '0'],
      ['of a buffer of two ranges', '0', '2', '0'],
      ['after the revoke, all runs', '0', '0', '0'],
      ['two ranges that do not adjoin', 'EOPNOTSUPP', 'works', 'works'],
      ['bytes that the device read there', '0', '8,192', '8,192'],
      ['revoke: accesses after it, all runs', '0', '0', '0'],
      ['revoke: the old area works when given out', 'no', 'no', 'no'],
      ['move: by the old address the device reads', 'nothing', 'nothing', 'nothing'],
      ['mapped anew at that address', 'its new place', 'its new place', 'its new place'],
      ['mappings that a revoke waits for', '0', '1', '1'],
      ['to map: bytes asked of the allocator', '556', '580', '520'],
    ] as const) {
      expect(text).toMatch(new RegExp(`\\n +${name} +${cells.join(' +')}\\n`));
    }
    expect(text).toContain('vfio_pci_dma_buf_iommufd_map(): one physical range');
  });

  it('is no wider than a terminal', () => {
    const tables = text.split('\n').filter((line) => !line.startsWith('OK: '));
    expect(Math.max(...tables.map((line) => line.length))).toBeLessThanOrEqual(120);
  });

  it('shows that a switch without redirection takes guest addresses for its own', () => {
    expect(part.unredirected.report.fabric.switchLocal.bytes).toBeGreaterThan(0);
    expect(text).toMatch(/\nOK: without ACS redirection \d+ requests/);
  });

  it('shows what is wrong', () => {
    const [row] = part.rows;
    if (row === undefined) throw new Error('nothing was run');
    const verdict = { ok: false, line: 'FAILED: something' };
    const spoiled = { ...part, rows: [{ ...row, verdict }], verdict };
    expect(guestSpaceText(world, spoiled, ({ line }) => line)).toContain(': FAILED: something');
  });
});

describe('sgfree compare --stage 7', () => {
  const run = (...argv: readonly string[]) => runCommand(['compare', ...argv], '', { requestsFolder });

  it.each(['interconnect', 'pal', 'converter'])('runs door %s alone, as a document', async (door) => {
    const { code, out, err } = await run('--stage', '7', '--door', door, '--json');
    expect(err).toBe('');
    expect(code).toBe(0);
    const { lists, peers, revoke, guestSpace, verdict } = JSON.parse(out) as Document;
    expect([lists, peers, revoke]).toEqual([[], null, null]);
    expect(guestSpace).toMatchObject({ stage: 7, doors: [door], verdict: { ok: true } });
    expect(guestSpace?.runs).toHaveLength(8);
    for (const report of guestSpace?.runs ?? []) {
      expect(report.input.door).toBe(door);
      expect(report.stage.stage).toBe(7);
      expect(report.verdict.ok).toBe(true);
    }
    expect(guestSpace?.withoutRedirection.input.plant).toBe('no-redirect');
    expect(verdict.ok).toBe(true);
  });

  it('shows all doors as text', async () => {
    const { code, out } = await run('--stage', '7');
    expect(code).toBe(0);
    expect(out).toContain("stage 7: a guest's address space with RAM and an exported BAR");
    expect(out).toMatch(/\nOK: stage 7: 24 revokes/);
  });

  it.each([
    [['--door', 'pal']],
    [['--door', 'pal', '--stage', '6']],
    [['--stage', '7', '--door', 'window']],
    [['--stage', '7', '--plant', 'flipped-byte']],
  ])('refuses %j', async (argv) => {
    const { code, out, err } = await run(...argv);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).not.toBe('');
  });
});

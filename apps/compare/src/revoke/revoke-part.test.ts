// Revokes of `sgfree compare`, stages 6 and 5: every trigger in every variant, times that agree, the importer that hangs its owner by name.
import { REVOKE_TRIGGERS } from '@sgfree/roadmap';
import { describe, expect, it } from 'vitest';
import { quietWorld } from '../../test/run-command.ts';
import { Progress } from '../progress.ts';
import { revokePart, revokePartDocument } from './revoke-part.ts';
import { revokeText } from './revoke-text.ts';

const world = quietWorld();
const part = revokePart({ seed: 3 }, new Progress(world));
const rows = part.blocks.flatMap((block) => block.rows);
const text = revokeText(world, part, ({ line }) => line);

describe('the part about stage 6', () => {
  it('runs every trigger in every variant, and each run is right', () => {
    expect(part.blocks).toHaveLength(4);
    for (const { rows: own } of part.blocks) {
      const triggers = new Set(own.map(({ report }) => report.input.trigger));
      expect(triggers).toEqual(new Set(REVOKE_TRIGGERS));
    }
    expect(rows.filter(({ verdict }) => !verdict.ok)).toEqual([]);
    expect(part.verdict.ok).toBe(true);
  });

  it('gives every stage report the steps to the last access', () => {
    for (const { report } of rows) {
      const imported = report.importers.some(({ refused }) => refused === 0);
      expect(report.stage.revokeToLastAccessSteps).toBe(imported ? report.timings.lastAccess : null);
    }
  });

  it('names who hangs the owner, in the text and in the document', () => {
    const hangs = rows.flatMap(({ report }) => report.hang?.holders ?? []);
    expect(hangs).toHaveLength(4);
    for (const { device, dmaAddress } of hangs) {
      expect(text).toContain(device);
      expect(text).toContain(dmaAddress);
    }
    expect(JSON.parse(JSON.stringify(revokePartDocument(part)))).toMatchObject({
      variants: [{ key: 'switch-iommu' }, {}, {}, { key: 'host-bridge-direct' }],
      verdict: { ok: true },
    });
  });

  it('has a table of at most 120 columns, one row a region, without times of what never was', () => {
    const table = text.split('\n\n').slice(1, 5).join('\n').split('\n');
    expect(table.filter((line) => line.length > 120)).toEqual([]);
    const regions = rows.flatMap(({ report }) => report.importers);
    const kinds = /^ {2,}(?:\S.*?)? {2,}(?:\+ )?(?:dynamic|pinned-revocable|pinned|keeps-mapping) /;
    expect(table.filter((line) => kinds.test(line))).toHaveLength(regions.length);
    const refused = table.filter((line) => line.includes('EOPNOTSUPP'));
    expect(refused).toHaveLength(4);
    for (const line of refused) expect(line).toMatch(/ pinned +0 +- +- +0 +- /);
  });

  it('counts as revokes under traffic only those with importers', () => {
    const refused = rows.filter(({ report }) => report.importers.every((one) => one.refused !== 0)).length;
    expect(part.verdict.line).toContain(`${rows.length - refused} revokes under traffic; `);
    expect(part.verdict.line).toContain(`; ${refused} times an importer that cannot be revoked was refused`);
  });

  it('shows what is wrong', () => {
    const [block] = part.blocks;
    const [row] = block?.rows ?? [];
    if (block === undefined || row === undefined) throw new Error('nothing was run');
    const verdict = { ok: false, line: 'FAILED: something' };
    const spoiled = { ...part, blocks: [{ ...block, rows: [{ ...row, verdict }] }], verdict };
    expect(revokeText(world, spoiled, ({ line }) => line)).toContain(': FAILED: something');
  });
});

describe('the part about stage 5', () => {
  const own = revokePart({ seed: 3, stage: 5 }, new Progress(world));
  const reports = own.blocks.flatMap((block) => block.rows.map(({ report }) => report));
  const over = (op: string) => reports.filter(({ input }) => input.op === op);
  const sum = (figures: readonly number[]): number => figures.reduce((total, figure) => total + figure, 0);

  it('runs every trigger in every variant over both operations', () => {
    expect([own.stage, own.verdict.ok, own.blocks.length]).toEqual([5, true, 4]);
    for (const op of ['range-list', 'deprecated']) {
      expect(new Set(over(op).map(({ input }) => input.trigger))).toEqual(new Set(REVOKE_TRIGGERS));
    }
    expect(over('range-list').length + over('deprecated').length).toBe(reports.length);
  });

  it('counts what crossed: no scatterlist over the new operation, a warning for each import beside it', () => {
    const lists = sum(over('range-list').map(({ crossed }) => crossed.rangeLists));
    const tables = sum(over('deprecated').map(({ crossed }) => crossed.tables));
    const warnings = sum(over('deprecated').map(({ crossed }) => crossed.deprecatedImports));
    expect(sum(over('range-list').map(({ crossed }) => crossed.tableEntries))).toBe(0);
    expect(Math.min(lists, tables, warnings)).toBeGreaterThan(20);
    expect(own.verdict.line).toContain(
      `over ${lists} range lists, 0 scatterlist entries, and beside it over ${tables} tables, ${warnings} warnings`,
    );
  });

  it('says which stage it is, and which operation', () => {
    expect(revokeText(world, own, ({ line }) => line)).toMatch(
      /^stage 5: memory taken back[\s\S]*dynamic \(deprecated\)/,
    );
    expect(text).toMatch(/^stage 6: memory taken back/);
    expect(text).not.toContain('deprecated');
    expect(revokePartDocument(own)).toMatchObject({ stage: 5 });
  });
});

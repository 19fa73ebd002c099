// Stage 6 of `sgfree compare`: every trigger in every variant, times that agree, the importer that hangs its owner by name.
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
    const spoiled = { blocks: [{ ...block, rows: [{ ...row, verdict }] }], verdict };
    expect(revokeText(world, spoiled, ({ line }) => line)).toContain(': FAILED: something');
  });
});

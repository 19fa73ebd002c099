// Stage 5 as a run: every variant over the operation without scatterlist and over the deprecated one beside it, the memory that a
// range list takes, and a planted bug for each check.
import { sgtRangeSource } from '@sgfree/dma-buf/sgt';
import { DmaRangeList } from '@sgfree/dma-buf/stage-5';
import { PAGE_SIZE, physAddr } from '@sgfree/hw-model';
import { rangeImport, rangeListImport } from '@sgfree/rdma/stage-5';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BarImporter } from './exported-bar/bar-importer.ts';
import type { ExportedBarInput } from './exported-bar/exported-bar-input.ts';
import { buildExportedBarReport } from './exported-bar/exported-bar-report-builder.ts';
import { ExportedBarRun } from './exported-bar/exported-bar-run.ts';
import type { LentBarMapping } from './exported-bar/lent-bar-mapping.ts';
import type { NegotiatedReport } from './exported-bar/negotiated-report.ts';
import { type IoRecord, ioBytes } from './io-record.ts';
import { negotiatingImporter, runNegotiated, stage5 } from './range-list-stage.ts';
import { stage4 } from './stage-4.ts';
import type { StageReport } from './stage-report.ts';
import { comparePeerVerdict, verdictOf } from './verdict.ts';

const piece = (page: number, bytes: number, offset = 0) => ({
  phys: physAddr(page * PAGE_SIZE + offset),
  bytes,
});
const ios: readonly IoRecord[] = [
  { operation: 'write', position: 0, iovecs: [[piece(512, 8192)], [piece(516, 3584, 512)]] },
  { operation: 'read', position: 512, iovecs: [[piece(768, 16 * PAGE_SIZE)]] },
  { operation: 'write', position: 0, iovecs: [[piece(768, 512), piece(900, PAGE_SIZE), piece(512, 512)]] },
];
const READ_BYTES = 16 * PAGE_SIZE;
const WRITTEN_BYTES = 8192 + 3584 + 512 + PAGE_SIZE + 512;
const input: ExportedBarInput = { ios, seed: 5, iommu: true, peer: 'host-bridge' };
const RANGE_LIST = 'DMA Mapped Range List';
const TABLE = 'DMA Mapped Scatter Gather Table';
/** State and one range. */
const LIST_BYTES = 56;

const run = (changes: Partial<ExportedBarInput> = {}): StageReport =>
  stage5.runExported({ ...input, ...changes });

function exportedOf({ exported }: StageReport): NonNullable<StageReport['exported']> {
  if (exported === null) throw new Error('nothing was exported');
  return exported;
}

function besideOf({ beside }: StageReport): StageReport {
  if (beside === undefined) throw new Error('nothing ran beside');
  return beside;
}

const VARIANTS = (['switch', 'host-bridge'] as const).flatMap((peer) =>
  [true, false].map((iommu) => ({ peer, iommu })),
);

describe.each(VARIANTS)('disk by the $peer, IOMMU $iommu', ({ peer, iommu }) => {
  const report = run({ peer, iommu });
  const beside = besideOf(report);

  it('is right over both operations, and every byte was compared', () => {
    expect([verdictOf(report), verdictOf(beside)]).toMatchObject([{ ok: true }, { ok: true }]);
    for (const { bytesRead, bytesWritten, bytesVerified, bytesWrong, exported, failures } of [
      report,
      beside,
    ]) {
      expect([bytesRead, bytesWritten, bytesVerified, bytesWrong]).toEqual([
        ...[READ_BYTES, WRITTEN_BYTES, READ_BYTES + WRITTEN_BYTES, 0],
      ]);
      expect(exported).toMatchObject({ bytesScattered: READ_BYTES, bytesGathered: WRITTEN_BYTES });
      expect(exported?.completions).toEqual({ SUCCESS: exported?.workRequests });
      expect(failures).toEqual([]);
    }
  });

  it('agrees on a range list: no scatterlist crosses, and no import warns', () => {
    expect(exportedOf(report)).toMatchObject({
      ...{ tables: 0, tableEntries: 0, entriesWithoutPage: 0, entryArrayBytes: 0, entriesChanged: 0 },
      negotiated: {
        operation: 'range-list',
        agreed: { [RANGE_LIST]: 1 },
        ...{ rangeLists: 1, rangeListEntries: 1, rangeListBytes: LIST_BYTES, rangeListBytesLeft: 0 },
        deprecatedImports: 0,
      },
    });
    expect(report.tracking).toEqual({
      byStructure: { scatterlist: 0, 'range list': LIST_BYTES },
      ...{ totalBytes: LIST_BYTES, peakBytes: LIST_BYTES },
    });
    expect(report.dmaRangesOut).toBe(1);
  });

  it('warns of the table beside it, which has no pages and is not changed', () => {
    expect(exportedOf(beside)).toMatchObject({
      ...{ tables: 1, tableEntries: 1, entriesWithoutPage: 1, entriesChanged: 0, entryArrayBytesLeft: 0 },
      negotiated: { operation: 'deprecated', agreed: { [TABLE]: 1 }, rangeLists: 0, deprecatedImports: 1 },
    });
  });

  it('costs the IOMMU what stage 4 costs it, over either operation, and takes the same way', () => {
    const before = stage4.runExported({ ...input, peer, iommu });
    for (const { setup, requestWork, fabric, exported } of [report, beside]) {
      expect([setup, requestWork, fabric]).toEqual([before.setup, before.requestWork, before.fabric]);
      expect(exported?.regionBlocks).toBe(before.exported?.regionBlocks);
    }
    expect(comparePeerVerdict(before, report).ok).toBe(true);
  });
});

it('takes the bytes for a range list that are said to be taken', () => {
  const asked: number[] = [];
  const made = new ExportedBarRun(input, negotiatingImporter('range-list', undefined));
  made.scene.kernel.dmaBufs.allocate = (bytes) => {
    asked.push(bytes);
    return true;
  };
  made.scene.run(made.all());
  const { exported } = buildExportedBarReport({ stage: 5, title: 'test' }, made);
  expect(asked).toContain(exported?.negotiated?.rangeListBytes);
});

it('is a pure function of its input', () => {
  expect(run()).toEqual(run());
});

const arbitraryPiece = fc
  .tuple(fc.nat(63), fc.nat(7), fc.integer({ min: 1, max: 16 }))
  .map(([page, block, blocks]) => piece(page, blocks * 512, block * 512));
const arbitraryIo: fc.Arbitrary<IoRecord> = fc.record({
  operation: fc.constantFrom('read' as const, 'write' as const),
  position: fc.nat(400).map((block) => block * 512),
  iovecs: fc.array(fc.array(arbitraryPiece, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 }),
});

it('moves any I/O over both operations', () => {
  const lists = fc.array(arbitraryIo, { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(lists, fc.constantFrom(...VARIANTS), fc.nat(1000), (list, variant, seed) => {
      const report = run({ ios: list, ...variant, seed });
      expect(verdictOf(report)).toMatchObject({ ok: true });
      const moved = list.reduce((sum, io) => sum + ioBytes(io), 0);
      expect([report.bytesVerified, besideOf(report).bytesVerified]).toEqual([moved, moved]);
    }),
    { numRuns: 25 },
  );
});

it('is refused over both operations where the kernel has no way: over the new one before anything is mapped', () => {
  const report = run({ hostIdentity: { vendorId: 0x8086, deviceId: 0x29c0 } });
  expect(verdictOf(report).ok).toBe(true);
  const refusals = { EINVAL: ios.length };
  expect([report.peer?.refusals, besideOf(report).peer?.refusals]).toEqual([refusals, refusals]);
  expect(exportedOf(report).negotiated?.agreed).toEqual({});
  expect(exportedOf(besideOf(report)).negotiated?.agreed).toEqual({ [TABLE]: 1 });
});

it('tells of progress over one operation only', () => {
  const done: number[] = [];
  run({ onIo: (count) => done.push(count) });
  expect(done).toEqual([1, 2, 3]);
});

describe('a planted bug is seen:', () => {
  const verdict = (report: StageReport): string => {
    const { ok, line } = verdictOf(report);
    expect(ok).toBe(false);
    return line;
  };
  /** A good run beside one with `importer`. */
  const withImporter = (change: (right: BarImporter) => BarImporter): StageReport => ({
    ...runNegotiated(
      { stage: 5, title: 'test' },
      input,
      change(negotiatingImporter('range-list', undefined)),
    ),
    beside: besideOf(run()),
  });
  const altered = (change: Partial<NegotiatedReport>, report = run()): StageReport => {
    const exported = exportedOf(report);
    if (exported.negotiated === null) throw new Error('nothing was agreed on');
    return { ...report, exported: { ...exported, negotiated: { ...exported.negotiated, ...change } } };
  };

  it('an exporter with nothing but tables', () => {
    const line = verdict(
      withImporter(({ via, negotiation }) => {
        const old = negotiatingImporter('deprecated', undefined);
        return negotiation === undefined ? old : { ...old, via, negotiation };
      }),
    );
    expect(line).toContain('agreed on another kind of mapping');
    expect(line).toContain('a scatterlist entry crossed');
    expect(line).toContain('without a range list');
  });

  it('an importer that takes tables and says nothing', () => {
    const via: BarImporter['via'] = { ...rangeImport(sgtRangeSource) };
    const line = verdict(withImporter((right) => ({ ...right, via })));
    expect(line).toContain('a scatterlist entry crossed');
    expect(line).toContain('agreed on another kind of mapping');
  });

  it('a range list of bus addresses where the way is through the host bridge', () => {
    const line = verdict(run({ plant: 'forced-bus-address' }));
    expect(line).toContain('the IOMMU blocked the device');
    expect(line).toContain('the deprecated operation beside it failed');
    expect(verdictOf(run({ plant: 'forced-bus-address', peer: 'switch' })).ok).toBe(true);
  });

  it("Linux's own leak of entry arrays, beside", () => {
    const report = run({ plant: 'phys-vec-leaks' });
    expect(verdict(report)).toContain('the deprecated operation beside it failed');
    expect(verdict(besideOf(report))).toContain('entry arrays outlived their tables');
  });

  it('a range list that is not given back', () => {
    const line = verdict(withImporter((right) => ({ ...right, via: withoutUnmap(right.via) })));
    expect(line).toContain('a range list was not given back');
    expect(line).toContain('something stayed mapped or allocated');
  });

  it('a window that lies elsewhere in the list', () => {
    const via: BarImporter['via'] = rangeListImport<never>();
    const shifted: BarImporter['via'] = {
      ...rangeImport(sgtRangeSource),
      attach: (dmabuf, dev, ops, priv) => attachedBy(via, dmabuf, dev, ops, priv),
      map: (attach, dir) => via.map(attach, dir),
      unmap: (attach, mapping, dir) => via.unmap(attach, mapping, dir),
      view: (mapping, start, end) => via.view(mapping, start + PAGE_SIZE, end + PAGE_SIZE),
    };
    const importer = (right: BarImporter): BarImporter => {
      const census = right.negotiation?.census;
      return census === undefined ? right : { ...right, via: census.counted(shifted) };
    };
    expect(verdict(withImporter(importer))).toContain('wrong bytes');
  });

  it('a warning too many, and one too few beside', () => {
    expect(verdict(altered({ deprecatedImports: 1 }))).toContain('the warnings do not count');
    const report = run();
    const beside = altered({ deprecatedImports: 0 }, besideOf(report));
    expect(verdict({ ...report, beside })).toContain('the deprecated operation beside it failed');
    expect(verdict(beside)).toContain('the warnings do not count');
  });

  it('nothing beside, and other bytes beside', () => {
    const { beside, ...report } = run();
    expect(verdict(report)).toContain('was not used beside it');
    const fewer = stage5.runExported({ ...input, ios: ios.slice(0, 2) }).beside;
    if (beside === undefined || fewer === undefined) throw new Error('nothing ran beside');
    expect(verdict({ ...report, beside: fewer })).toContain('moved other bytes');
  });
});

type Via = BarImporter['via'];

/** Gives tables back, and lists never. */
function withoutUnmap(via: Via): Via {
  return {
    ...via,
    *unmap(attach, mapping: LentBarMapping, dir) {
      if (mapping instanceof DmaRangeList) yield { at: 'test:nothing' };
      else yield* via.unmap(attach, mapping, dir);
    },
  };
}

function attachedBy(via: Via, ...args: Parameters<NonNullable<Via['attach']>>) {
  const task = via.attach?.(...args);
  if (task === undefined) throw new Error('this import negotiates');
  return task;
}

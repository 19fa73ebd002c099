// Stages 3 and 4 as runs: every variant, what the reports must add up to, and a planted bug for each check.
import { addOffset, PAGE_SIZE, physAddr } from '@sgfree/hw-model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type IoRecord, ioBytes } from '../io-record.ts';
import { PeerSiteError } from '../peer-site.ts';
import { rangeImporter } from '../range-import-stage.ts';
import type { StageReport } from '../stage-report.ts';
import { tableImporter } from '../table-import-stage.ts';
import { verdictOf } from '../verdict.ts';
import type { BarImporter } from './bar-importer.ts';
import type { ExportedBarInput } from './exported-bar-input.ts';
import { buildExportedBarReport } from './exported-bar-report-builder.ts';
import { ExportedBarRun } from './exported-bar-run.ts';
import { runExportedBar } from './run-exported-bar.ts';

const piece = (page: number, bytes: number, offset = 0) => ({
  phys: physAddr(page * PAGE_SIZE + offset),
  bytes,
});
const ios: readonly IoRecord[] = [
  { operation: 'write', position: 0, iovecs: [[piece(512, 8192)], [piece(516, 3584, 512)]] },
  { operation: 'read', position: 512, iovecs: [[piece(768, 16 * PAGE_SIZE)]] },
  { operation: 'write', position: 0, iovecs: [[piece(768, 512), piece(900, PAGE_SIZE), piece(512, 512)]] },
  { operation: 'read', position: 4096, iovecs: [[piece(516, 1024, 1024)]] },
];
const READ_BYTES = 16 * PAGE_SIZE + 1024;
const WRITTEN_BYTES = 8192 + 3584 + 512 + PAGE_SIZE + 512;
const input: ExportedBarInput = { ios, seed: 5, iommu: true, peer: 'host-bridge' };
const importers = { 3: tableImporter, 4: rangeImporter } as const;
const run = (importer: BarImporter, changes: Partial<ExportedBarInput> = {}): StageReport =>
  runExportedBar({ stage: 3, title: 'test' }, { ...input, ...changes }, importer);

const VARIANTS = ([3, 4] as const).flatMap((stage) =>
  (['switch', 'host-bridge'] as const).flatMap((peer) =>
    [true, false].map((iommu) => ({ stage, peer, iommu })),
  ),
);

describe.each(VARIANTS)('stage $stage, disk by the $peer, IOMMU $iommu', ({ stage, peer, iommu }) => {
  const report = run(importers[stage], { peer, iommu });
  const { exported, fabric } = report;

  it('is right, and every byte was compared', () => {
    expect(verdictOf(report)).toMatchObject({ ok: true });
    expect(report.failures).toEqual([]);
    expect([report.bytesRead, report.bytesWritten]).toEqual([READ_BYTES, WRITTEN_BYTES]);
    expect([report.bytesVerified, report.bytesWrong]).toEqual([READ_BYTES + WRITTEN_BYTES, 0]);
  });

  it('adds up: requests and completions, bytes and bus requests', () => {
    expect(exported?.completions).toEqual({ SUCCESS: exported?.workRequests });
    expect(exported?.workRequests).toBe(7);
    expect([exported?.bytesScattered, exported?.bytesGathered]).toEqual([READ_BYTES, WRITTEN_BYTES]);
    const [taken, other] =
      peer === 'switch' ? [fabric.switchLocal, fabric.hostBridge] : [fabric.hostBridge, fabric.switchLocal];
    expect(taken.bytes).toBe(READ_BYTES + WRITTEN_BYTES);
    // Writes of 256 bytes and reads of 512, the adapter's TLP sizes; nothing here begins or ends elsewhere.
    expect(taken.requests).toBe(READ_BYTES / 256 + WRITTEN_BYTES / 512);
    expect([other.requests, fabric.memory.requests, fabric.refused.requests]).toEqual([0, 0, 0]);
  });

  it('has tables without pages, cut in place at stage 3 only, and registers once', () => {
    expect(exported).toMatchObject({
      tables: 1,
      tableEntries: 1,
      entriesWithoutPage: 1,
      cpuEntries: 0,
      entriesChanged: stage === 3 ? 1 : 0,
      tablesSpoiled: 0,
      entryArrayBytes: 32,
      entryArrayBytesLeft: 0,
      violations: [],
    });
    const translated = iommu && peer === 'host-bridge';
    expect(report.setup).toMatchObject({ iovaAllocations: translated ? 1 : 0, mapCalls: translated ? 1 : 0 });
    expect(report.requestWork.entriesWritten + report.requestWork.invalidationCommands).toBe(0);
    expect(report.total.structPagesTouched).toBe(0);
    expect(report.peer).toMatchObject({ mapType: peer === 'switch' ? 'bus-addr' : 'thru-host-bridge' });
  });
});

it('is a pure function of its input', () => {
  expect(run(rangeImporter)).toEqual(run(rangeImporter));
});

const arbitraryPiece = fc
  .tuple(fc.nat(63), fc.nat(7), fc.integer({ min: 1, max: 16 }))
  .map(([page, block, blocks]) => piece(page, blocks * 512, block * 512));
const arbitraryIo: fc.Arbitrary<IoRecord> = fc.record({
  operation: fc.constantFrom('read' as const, 'write' as const),
  position: fc.nat(400).map((block) => block * 512),
  iovecs: fc.array(fc.array(arbitraryPiece, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 }),
});

it('moves any I/O: pieces that overlap, repeat, and begin anywhere', () => {
  const lists = fc.array(arbitraryIo, { minLength: 1, maxLength: 4 });
  const variant = fc.constantFrom(...VARIANTS);
  fc.assert(
    fc.property(lists, variant, fc.nat(1000), (list, { stage, peer, iommu }, seed) => {
      const report = run(importers[stage], { ios: list, peer, iommu, seed });
      expect(verdictOf(report)).toMatchObject({ ok: true });
      const moved = list.reduce((sum, io) => sum + ioBytes(io), 0);
      expect(report.bytesVerified).toBe(moved);
      expect((report.exported?.bytesScattered ?? 0) + (report.exported?.bytesGathered ?? 0)).toBe(moved);
    }),
    { numRuns: 40 },
  );
});

it('takes the way up where ports redirect, and refuses what the kernel does not support', () => {
  const up = run(tableImporter, { peer: 'switch', redirect: true });
  expect(verdictOf(up).ok).toBe(true);
  expect(up.fabric.hostBridge.bytes).toBe(READ_BYTES + WRITTEN_BYTES);
  const hostIdentity = { vendorId: 0x8086, deviceId: 0x29c0 };
  const refused = run(tableImporter, { hostIdentity });
  expect(verdictOf(refused).ok).toBe(true);
  expect(refused.peer).toMatchObject({ mapType: 'not-supported', refusals: { EINVAL: ios.length } });
  expect(refused.peer?.bytesUntouched).toBe(READ_BYTES + WRITTEN_BYTES);
  expect(refused.fabric.hostBridge.bytes + (refused.exported?.workRequests ?? -1)).toBe(0);
});

it('runs nothing when no I/O fits the BAR, and takes pieces that lie far apart', () => {
  const spread = [0, 2 ** 17].map((page) => piece(page * 2 + 1024, 512));
  expect(() => run(tableImporter, { ios: [] })).toThrow(PeerSiteError);
  expect(
    verdictOf(run(tableImporter, { ios: [{ operation: 'read', position: 0, iovecs: [spread] }] })).ok,
  ).toBe(true);
});

describe('a planted bug is seen:', () => {
  const verdict = (report: StageReport): string => {
    const { ok, line } = verdictOf(report);
    expect(ok).toBe(false);
    return line;
  };
  const registering = (spoil: (region: Parameters<BarImporter['deregister']>[0]) => void): BarImporter => ({
    ...tableImporter,
    *register(pd, request, iova, faults) {
      const made = yield* tableImporter.register(pd, request, iova, faults);
      if (made.ok) spoil(made.value);
      return made;
    },
  });

  it('bus addresses handed out whatever the way is', () => {
    const report = run(rangeImporter, { plant: 'forced-bus-address' });
    expect(verdict(report)).toContain('the IOMMU blocked the device');
    expect(verdict(report)).toContain('work requests did not all end well');
    expect(report.exported?.completions['WR_FLUSH_ERR']).toBeGreaterThan(0);
  });

  it("Linux's own leak of entry arrays", () => {
    const report = run(tableImporter, { plant: 'phys-vec-leaks' });
    expect(verdict(report)).toContain('entry arrays outlived their tables');
    expect(report.exported?.entryArrayBytesLeft).toBe(32);
  });

  it('a block of the region that is another', () => {
    const importer = registering(({ mr }) => {
      const { translation } = mr.entry;
      translation?.set(0, addOffset(translation.address(0, 0), PAGE_SIZE), true);
    });
    expect(verdict(run(importer))).toContain('wrong bytes');
  });

  it('a region that stays', () => {
    const importer: BarImporter = {
      ...rangeImporter,
      *deregister() {
        yield { at: 'test:nothing' };
        return 0;
      },
    };
    const report = run(importer);
    expect(verdict(report)).toContain('something stayed mapped or allocated');
    expect(report.leftovers.memoryRegions).toBeGreaterThan(0);
    expect(report.leftovers.dmaBufs).toBeGreaterThan(0);
  });

  it('an importer of ranges that cuts the table nevertheless', () => {
    expect(verdict(run({ ...tableImporter, works: 'ranges' }))).toContain('changed a table');
  });

  it('a cut that is not undone', () => {
    const via: BarImporter['via'] = {
      ...tableImporter.via,
      view: (sgt, start, end) => {
        const right = tableImporter.via.view(sgt, start, end);
        return { ranges: () => right.ranges(), close: () => undefined };
      },
    };
    expect(verdict(run({ ...tableImporter, via }))).toContain('came back other than it went');
  });

  it('a mapping made without the reservation lock', () => {
    const via = {
      ...rangeImporter.via,
      map: function* (attach, dir) {
        attach.dmabuf.resv.mutex.unlock();
        const mapped = yield* rangeImporter.via.map(attach, dir);
        yield* attach.dmabuf.resv.mutex.lock();
        return mapped;
      },
    } satisfies BarImporter['via'];
    expect(verdict(run({ ...rangeImporter, via }))).toContain('rules of the kernel were broken');
  });

  it('an entry with a page, and an entry for the processor', () => {
    expect(verdict(altered((exported) => ({ ...exported, entriesWithoutPage: 0 })))).toContain('has pages');
    expect(verdict(altered((exported) => ({ ...exported, cpuEntries: 1 })))).toContain('to the processor');
  });

  it('a work request that never ends', () => {
    const lost = altered((exported) => ({
      ...exported,
      completions: { SUCCESS: exported.workRequests - 1 },
    }));
    expect(verdict(lost)).toContain('did not all end well');
  });

  it('bytes that the adapter did not move', () => {
    expect(verdict(altered((exported) => ({ ...exported, bytesScattered: 1 })))).toContain('other bytes');
  });

  function altered(change: (exported: NonNullable<StageReport['exported']>) => StageReport['exported']) {
    const report = run(rangeImporter);
    if (report.exported === null) throw new Error('nothing exported');
    return { ...report, exported: change(report.exported) };
  }
});

it('reports a BAR that cannot be exported', () => {
  const made = new ExportedBarRun(input, tableImporter);
  made.scene.kernel.dmaBufs.allocate = () => false;
  made.scene.run(made.all());
  const report = buildExportedBarReport({ stage: 3, title: 'test' }, made);
  expect(report.failures).toMatchObject([{ kind: 'probe' }]);
  expect(verdictOf(report).ok).toBe(false);
});

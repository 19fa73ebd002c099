// The verdict is a function of the reports: each figure that must not be is noticed by itself.
import { describe, expect, it } from 'vitest';
import type { ExportedBarReport } from './exported-bar/exported-bar-report.ts';
import type { PeerReport } from './peer-report.ts';
import type { ClassReport, StageReport } from './stage-report.ts';
import { comparePeerVerdict, compareVerdict, overallVerdict, verdictOf } from './verdict.ts';
import { NO_WORK } from './work-counts.ts';

const none: ClassReport = {
  ...NO_WORK,
  requests: 0,
  bytes: 0,
  segments: 0,
  dmaRangesOut: 0,
  trackingBytes: 0,
};
const work = {
  ...NO_WORK,
  mapCalls: 4,
  unmapCalls: 1,
  entriesWritten: 4,
  entriesCleared: 4,
  invalidationCommands: 1,
};

function report(stage: number, changes: Partial<StageReport> = {}): StageReport {
  const route = { requests: 0, bytes: 0 };
  return {
    stage,
    title: 'test',
    mode: 'strict',
    seed: 1,
    ios: 1,
    requests: 1,
    classes: {
      single: none,
      'two-step': { ...none, ...work, requests: 1, bytes: 16384 },
      'per-segment': none,
    },
    requestWork: work,
    descriptorPoolPages: 0,
    setup: NO_WORK,
    total: work,
    bytesRead: 16384,
    bytesWritten: 0,
    bytesVerified: 16384,
    bytesWrong: 0,
    bytesContested: 0,
    dmaRangesOut: 1,
    flushQueueDepth: 0,
    tracking: { byStructure: {}, totalBytes: 24, peakBytes: 24 },
    fabric: { memory: route, switchLocal: route, hostBridge: route, refused: route },
    iommu: { translations: 1, iotlbHits: 0, iotlbMisses: 1, faults: 0 },
    controller: { commands: 1, prpEntriesFetched: 0, sglDescriptorsFetched: 0, errors: 0 },
    revokeToLastAccessSteps: null,
    clockSteps: 1,
    leftovers: {
      iovaRanges: 0,
      pageTableEntries: 0,
      iotlbEntries: 0,
      coherentFrames: 0,
      descriptorBlocks: 0,
      trackingBytes: 0,
      p2pmemBlocks: 0,
      dmaBufs: 0,
      memoryRegions: 0,
    },
    peer: null,
    exported: null,
    failures: [],
    failureCount: 0,
    ...changes,
  };
}

const good = report(1);
const leftovers = (name: keyof StageReport['leftovers']): Partial<StageReport> => ({
  leftovers: { ...good.leftovers, [name]: 1 },
});
const failure = (kind: StageReport['failures'][number]['kind']): Partial<StageReport> => ({
  failures: [{ kind, io: 0, detail: 'test' }],
  failureCount: 1,
});

describe('one run', () => {
  it('is right when nothing is wrong', () => {
    expect(verdictOf(good)).toEqual({
      ok: true,
      line: 'stage 1: 16384 bytes moved and right, nothing left behind',
    });
  });

  it.each<[string, Partial<StageReport>, string]>([
    ['a request failed', failure('request'), 'a request failed'],
    ['the probe failed', failure('probe'), 'did not come up'],
    ['a fault found no place', failure('plant'), 'found no place'],
    ['an unknown failure', { failureCount: 1 }, 'a check failed'],
    ['a wrong byte', { bytesWrong: 1 }, 'wrong bytes'],
    ['a byte not compared', { bytesVerified: 16383 }, 'not compared'],
    ['a blocked access', { iommu: { ...good.iommu, faults: 1 } }, 'blocked'],
    ['a refused request', { fabric: { ...good.fabric, refused: { requests: 1, bytes: 4 } } }, 'refused'],
    ['a controller error', { controller: { ...good.controller, errors: 1 } }, 'reported errors'],
    ['entries left in the table', { total: { ...work, entriesCleared: 3 } }, 'differ'],
    ['a live IOVA', leftovers('iovaRanges'), 'stayed'],
    ['a live entry', leftovers('pageTableEntries'), 'stayed'],
    ['a cached translation', leftovers('iotlbEntries'), 'stayed'],
    ['a coherent frame', leftovers('coherentFrames'), 'stayed'],
    ['a descriptor', leftovers('descriptorBlocks'), 'stayed'],
    ['tracking memory', leftovers('trackingBytes'), 'stayed'],
    ['a block of a peer', leftovers('p2pmemBlocks'), 'stayed'],
  ])('is wrong after %s', (_what, changes, words) => {
    const verdict = verdictOf(report(1, changes));
    expect(verdict.ok).toBe(false);
    expect(verdict.line).toContain(words);
  });
});

describe('two runs', () => {
  it('say what changed', () => {
    const before = report(0, { tracking: { byStructure: {}, totalBytes: 4112, peakBytes: 4112 } });
    expect(compareVerdict(before, good)).toEqual({
      ok: true,
      line: 'OK: every byte right at both stages; 1 two-step request: same IOMMU work; tracking memory 4112 -> 24 bytes',
    });
  });

  it('say where a stage costs more', () => {
    const dearer = { ...good.classes['two-step'], invalidationCommands: 4, unmapCalls: 4 };
    const after = report(1, { classes: { ...good.classes, 'two-step': dearer } });
    expect(compareVerdict(report(0), after).line).toContain('more IOMMU work (1 -> 4 invalidations)');
    expect(compareVerdict(after, report(0)).line).toContain('less IOMMU work (4 -> 1 invalidations)');
    const mixed = { ...dearer, iovaAllocations: -1 };
    const other = report(1, { classes: { ...good.classes, 'two-step': mixed } });
    expect(compareVerdict(report(0), other).line).toContain('different IOMMU work');
  });

  it('fail when one of them does, or when they ran different requests', () => {
    expect(compareVerdict(report(0, { bytesWrong: 1 }), good).ok).toBe(false);
    expect(compareVerdict(report(0), report(1, { bytesWrong: 1 })).ok).toBe(false);
    const other = { ...good.classes, single: { ...none, requests: 1 } };
    expect(compareVerdict(report(0), report(1, { classes: other })).ok).toBe(false);
  });
});

describe('three runs', () => {
  it('name their stages and say what became of struct page', () => {
    const third = report(2, { total: { ...work, structPagesTouched: 0 } });
    const first = report(0, { total: { ...work, structPagesTouched: 9 } });
    expect(compareVerdict(first, good, third).line).toBe(
      'OK: every byte right at stages 0, 1 and 2; 1 two-step request: same IOMMU work; ' +
        'tracking memory 24 -> 24 -> 24 bytes; struct page looked at 9 -> 0 -> 0',
    );
  });

  it('fail with the last of them', () => {
    expect(compareVerdict(report(0), good, report(2, { bytesWrong: 1 })).ok).toBe(false);
    const other = { ...good.classes, single: { ...none, requests: 1 } };
    expect(compareVerdict(report(0), good, report(2, { classes: other })).ok).toBe(false);
    expect(compareVerdict().ok).toBe(false);
  });
});

const peer: PeerReport = {
  initiator: '0000:03:00.0',
  target: '0000:04:00.0',
  bar: 0,
  barBytes: 2 ** 28,
  mapType: 'bus-addr',
  untranslatedWay: 'switch',
  distance: 4,
  barPagesUsed: 4,
  iosLeftOut: 0,
  structPages: 65536,
  structPageBytes: 2 ** 22,
  refusals: {},
  bytesUntouched: 0,
};
const nowhere = { requests: 0, bytes: 0 };
const all = { requests: 64, bytes: 16384 };
const routes = (changes: Partial<StageReport['fabric']>): StageReport['fabric'] => ({
  memory: all,
  switchLocal: nowhere,
  hostBridge: nowhere,
  refused: nowhere,
  ...changes,
});
const peerRun = (stage: number, changes: Partial<StageReport> = {}): StageReport =>
  report(stage, { peer, fabric: routes({ switchLocal: all }), ...changes });
const ofType = (mapType: PeerReport['mapType'], fabric: StageReport['fabric']): Partial<StageReport> => ({
  peer: { ...peer, mapType },
  fabric,
});

describe("a run with its data in a peer's BAR", () => {
  it.each([
    ['bus addresses inside the switch', ofType('bus-addr', routes({ switchLocal: all }))],
    ['host bridge', ofType('thru-host-bridge', routes({ hostBridge: all }))],
  ])('is right when all data took the way that was decided: %s', (_what, changes) => {
    expect(verdictOf(peerRun(1, changes)).ok).toBe(true);
  });

  it.each([
    ['bus addresses that went up', ofType('bus-addr', routes({ hostBridge: all }))],
    ['data that turned round below', ofType('thru-host-bridge', routes({ switchLocal: all }))],
    ['data that went to memory', ofType('bus-addr', routes({}))],
    ['data that moved without support', ofType('not-supported', routes({ hostBridge: all }))],
  ])('is wrong after %s', (_what, changes) => {
    const verdict = verdictOf(peerRun(1, changes));
    expect(verdict.ok).toBe(false);
    expect(verdict.line).toContain('another way');
  });

  const turned = { ...ofType('thru-host-bridge', routes({ switchLocal: all })), mode: 'direct' } as const;

  it('without an IOMMU is right when a switch that does not redirect requests turns them round, and says so', () => {
    expect(verdictOf(peerRun(1, turned)).ok).toBe(true);
    const { ok, line } = comparePeerVerdict(peerRun(0, turned), peerRun(1, turned));
    expect(ok).toBe(true);
    expect(line).toContain('the switch turned data round');
  });

  it.each([
    ['switch', { switchLocal: all }, true],
    ['switch', { hostBridge: all }, false],
    ['root', { switchLocal: all }, false],
    ['root', { hostBridge: all }, true],
    ['either', { switchLocal: all }, true],
    ['either', { hostBridge: all }, true],
    ['either', { switchLocal: all, hostBridge: all }, false],
  ] as const)('without an IOMMU, by registers %s, after %j: right is %s', (way, taken, right) => {
    const peerBy = { ...peer, mapType: 'thru-host-bridge', untranslatedWay: way } as const;
    const run = peerRun(1, { peer: peerBy, mode: 'direct', fabric: routes(taken) });
    expect(verdictOf(run).ok).toBe(right);
  });

  it('without an IOMMU is wrong when bytes are missing, bus addresses went up, or stages took different ways', () => {
    expect(verdictOf(peerRun(1, { ...turned, fabric: routes({}) })).line).toContain('another way');
    const up = { ...ofType('bus-addr', routes({ hostBridge: all })), mode: 'direct' } as const;
    expect(verdictOf(peerRun(1, up)).line).toContain('another way');
    const open = {
      peer: { ...peer, mapType: 'thru-host-bridge', untranslatedWay: 'either' },
      mode: 'direct',
    } as const;
    const [below, bridged] = [routes({ switchLocal: all }), routes({ hostBridge: all })];
    expect(
      comparePeerVerdict(peerRun(0, { ...open, fabric: below }), peerRun(1, { ...open, fabric: bridged })),
    ).toEqual({
      ok: false,
      line: 'FAILED: the stages did not take the same way',
    });
  });

  it('is wrong when a request is refused that is supported, or the other way round', () => {
    const refused = { ...peer, refusals: { target: 1 } };
    expect(verdictOf(peerRun(1, { peer: refused })).line).toContain('not all refused');
    const still = { bytesRead: 0, bytesVerified: 0, fabric: routes({}) };
    const none = { ...peer, mapType: 'not-supported' } as const;
    expect(verdictOf(peerRun(1, { ...still, peer: none })).line).toContain('not all refused');
    const whole = { ...none, refusals: { target: 1 } };
    expect(verdictOf(peerRun(1, { ...still, peer: whole }))).toEqual({
      ok: true,
      line: 'stage 1: every request refused (target), no byte moved, nothing left behind',
    });
    const reports = [0, 1].map((stage) => peerRun(stage, { ...still, peer: whole }));
    expect(comparePeerVerdict(...reports).line).toBe(
      'OK: not supported: every request refused (block status target, target), no byte moved',
    );
  });

  it('compared over the stages, says the way and what struct pages take', () => {
    const last = peerRun(2, { peer: { ...peer, structPages: 0, structPageBytes: 0 } });
    expect(comparePeerVerdict(peerRun(0), peerRun(1), last)).toEqual({
      ok: true,
      line:
        'OK: bus addresses, inside the switch; every byte right at stages 0, 1 and 2; ' +
        'struct page memory 4194304 -> 4194304 -> 0 bytes',
    });
  });

  it('compared over the stages, fails when one does, or when they disagree on the route', () => {
    expect(comparePeerVerdict(peerRun(0), peerRun(1, { bytesWrong: 1 })).ok).toBe(false);
    const other = peerRun(1, ofType('thru-host-bridge', routes({ hostBridge: all })));
    expect(comparePeerVerdict(peerRun(0), other)).toMatchObject({ ok: false });
    expect(comparePeerVerdict(report(0)).ok).toBe(false);
    expect(comparePeerVerdict().ok).toBe(false);
  });
});

const exported: ExportedBarReport = {
  importer: 'ranges',
  tables: 1,
  tableEntries: 1,
  cpuEntries: 0,
  entriesWithoutPage: 1,
  entriesChanged: 0,
  tablesSpoiled: 0,
  entryArrayBytes: 32,
  entryArrayBytesLeft: 0,
  regionBlockBytes: 4096,
  regionBlocks: 4,
  workRequests: 2,
  completions: { SUCCESS: 2 },
  bytesScattered: 16384,
  bytesGathered: 0,
  pageFaults: 0,
  retransmissions: 0,
  violations: [],
  negotiated: null,
};
const exportRun = (stage: number, changes: Partial<StageReport> = {}): StageReport =>
  peerRun(stage, {
    exported,
    requests: 0,
    classes: { single: none, 'two-step': none, 'per-segment': none },
    peer: { ...peer, structPages: 0, structPageBytes: 0 },
    fabric: routes({ memory: nowhere, switchLocal: all }),
    ...changes,
  });

describe('a run over an exported BAR', () => {
  it('is right when nothing is wrong', () => {
    expect(verdictOf(exportRun(4)).ok).toBe(true);
  });

  it.each<[string, Partial<ExportedBarReport>, string]>([
    ['a completion that is missing', { completions: { SUCCESS: 1 } }, 'did not all end well'],
    ['a flushed request', { completions: { SUCCESS: 1, WR_FLUSH_ERR: 1 } }, 'did not all end well'],
    ['a completion too many', { completions: { SUCCESS: 3 } }, 'did not all end well'],
    ['bytes that the adapter did not write', { bytesScattered: 0 }, 'other bytes'],
    ['bytes that the adapter read as well', { bytesGathered: 1 }, 'other bytes'],
    ['an entry with a page', { entriesWithoutPage: 0 }, 'has pages'],
    ['an entry for the processor', { cpuEntries: 1 }, 'to the processor'],
    ['a table cut by an importer of ranges', { entriesChanged: 1 }, 'changed a table'],
    ['a table that came back changed', { tablesSpoiled: 1 }, 'other than it went'],
    ['an entry array that stayed', { entryArrayBytesLeft: 32 }, 'outlived'],
    ['a broken rule', { violations: ['dma-buf-lock'] }, 'rules of the kernel'],
  ])('is wrong after %s', (_what, changes, words) => {
    const verdict = verdictOf(exportRun(4, { exported: { ...exported, ...changes } }));
    expect(verdict.ok).toBe(false);
    expect(verdict.line).toContain(words);
  });

  it('is wrong when data went to memory, and when a key or a buffer stayed', () => {
    expect(verdictOf(exportRun(4, { fabric: routes({ switchLocal: all }) })).line).toContain('to memory');
    for (const name of ['dmaBufs', 'memoryRegions'] as const) {
      expect(verdictOf(exportRun(4, leftovers(name))).line).toContain('stayed');
    }
  });

  it('is compared with the others by its bytes, and says what became of the tables', () => {
    const cut = exportRun(3, { exported: { ...exported, importer: 'table', entriesChanged: 1 } });
    expect(comparePeerVerdict(peerRun(1), cut, exportRun(4)).line).toBe(
      'OK: bus addresses, inside the switch; every byte right at stages 1, 3 and 4; ' +
        'struct page memory 4194304 -> 0 -> 0 bytes; scatterlist entries changed by RDMA 1 -> 0',
    );
    expect(comparePeerVerdict(exportRun(4)).line).toContain('every byte right at stage 4;');
    expect(compareVerdict(good).line).toContain('every byte right at stage 1;');
    const half = { requests: 32, bytes: 8192 };
    const less = exportRun(4, {
      bytesRead: 8192,
      bytesVerified: 8192,
      exported: { ...exported, bytesScattered: 8192 },
      fabric: routes({ memory: nowhere, switchLocal: half }),
    });
    expect(verdictOf(less).ok).toBe(true);
    expect(comparePeerVerdict(peerRun(1), less).line).toBe(
      'FAILED: the stages did not run the same requests',
    );
  });

  it('is right when everything was refused that cannot be supported: every I/O, once', () => {
    const refused = {
      bytesRead: 0,
      bytesVerified: 0,
      fabric: routes({ memory: nowhere }),
      exported: { ...exported, workRequests: 0, completions: {}, bytesScattered: 0 },
    };
    const by = (count: number): Partial<StageReport> => ({
      ...refused,
      peer: { ...peer, mapType: 'not-supported', refusals: { EINVAL: count } },
    });
    expect(verdictOf(exportRun(4, by(1))).ok).toBe(true);
    expect(verdictOf(exportRun(4, by(0))).line).toContain('not all refused');
  });
});

describe('several comparisons', () => {
  const yes = { ok: true, line: 'yes' };
  const no = { ok: false, line: 'no' };
  it.each([
    [[], false],
    [[yes], true],
    [[no], false],
    [[yes, yes], true],
    [[yes, no], false],
  ])('%j: %s', (verdicts, ok) => {
    expect(overallVerdict(verdicts).ok).toBe(ok);
  });
});

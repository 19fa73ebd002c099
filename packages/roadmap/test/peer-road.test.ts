// Data in a peer's BAR at every stage: the kernel's verdict, the fabric's way and every byte agree, or the run says so.
import {
  ACS,
  addOffset,
  BarMemory,
  type PciBridge,
  PciFabric,
  type PciFunction,
  physAddr,
} from '@sgfree/hw-model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  comparePeerVerdict,
  type IoRecord,
  PEER_BAR_BYTES,
  type PeerInput,
  type PeerPlace,
  type PeerSiteBuilder,
  PeerSiteError,
  type PeerTreeOptions,
  peerTreeSite,
  runnableStages,
  type StageReport,
  stage0,
  stage1,
  stage2,
  verdictOf,
} from '../src/index.ts';

const PAGE = 4096;
const GIB = 2 ** 30;
const UNLISTED = { vendorId: 0x8086, deviceId: 0x1237 };
const ZEN = { vendor: 'AuthenticAMD', family: 0x17 };

const page = (number: number, bytes: number = PAGE, offset = 0) => ({
  phys: physAddr(0x10000000 + number * PAGE + offset),
  bytes,
});
const io = (
  operation: 'read' | 'write',
  position: number,
  ...pieces: ReturnType<typeof page>[]
): IoRecord => ({
  operation,
  position,
  iovecs: [pieces],
});
const scattered = Array.from({ length: 40 }, (_, i) => page(2 * i));
const inARow = Array.from({ length: 8 }, (_, i) => page(100 + i));
const gapped = [page(200, 512, 512), page(210, 1024, 64), page(220, 512, 0)];

/** Every shape, each written and read back from another place, plus a read of what was never written. */
const LIST: readonly IoRecord[] = [
  io('write', 0, ...scattered),
  io('read', 0, ...inARow),
  io('write', 1 << 20, ...inARow),
  io('read', 1 << 20, ...scattered.slice(0, 8)),
  io('write', 2 << 20, ...gapped),
  io('read', 2 << 20, ...gapped.slice(0, 2), page(230, 512, 1024)),
  io('write', 3 << 20, page(7)),
  io('read', 3 << 20, page(9, 512, 1536)),
  io('read', 9 << 20, page(11)),
];
const LIST_BYTES = LIST.flatMap(({ iovecs }) => iovecs.flat()).reduce((sum, { bytes }) => sum + bytes, 0);

type Case = PeerTreeOptions & { readonly iommu: boolean };
const inputOf = ({ iommu, ...tree }: Case, more: Partial<PeerInput> = {}): PeerInput => ({
  ios: LIST,
  seed: 5,
  iommu,
  site: peerTreeSite(tree),
  ...more,
});
const runAll = (input: PeerInput): StageReport[] => runnableStages.map((stage) => stage.runPeer(input));

const nameOf = ({ peer, iommu, redirect }: Case): string =>
  `${peer}, IOMMU ${iommu ? 'on' : 'off'}${redirect ? ', ports redirect' : ''}`;
const places: readonly PeerPlace[] = ['switch', 'host-bridge'];
const cases: readonly Case[] = places.flatMap((peer) =>
  [true, false].flatMap((iommu) => [false, true].map((redirect): Case => ({ peer, iommu, redirect }))),
);

describe.each(cases.map((one) => [nameOf(one), one] as const))('%s', (_name, one) => {
  const reports = runAll(inputOf(one));
  const local = one.peer === 'switch' && one.redirect !== true;

  it('moves every byte, the way that the kernel decided, and leaves nothing behind', () => {
    for (const report of reports) {
      expect(report.failures).toEqual([]);
      expect(verdictOf(report).ok).toBe(true);
      expect(report.bytesVerified).toBe(LIST_BYTES);
      expect(report.peer?.mapType).toBe(local ? 'bus-addr' : 'thru-host-bridge');
      expect(report.peer?.distance).toBe(one.peer === 'switch' ? 4 : 6);
      const { switchLocal, hostBridge, refused } = report.fabric;
      expect([switchLocal.bytes, hostBridge.bytes]).toEqual(local ? [LIST_BYTES, 0] : [0, LIST_BYTES]);
      expect(refused.requests).toBe(0);
    }
    expect(comparePeerVerdict(...reports)).toMatchObject({ ok: true });
  });

  it('touches the IOMMU only where addresses are translated', () => {
    for (const { requestWork, mode } of reports) {
      expect(mode).toBe(one.iommu ? 'strict' : 'direct');
      const translated = one.iommu && !local;
      expect(requestWork.iovaAllocations > 0).toBe(translated);
      expect(requestWork.entriesWritten > 0).toBe(translated);
      expect(requestWork.invalidationCommands > 0).toBe(translated);
      expect(requestWork.entriesCleared).toBe(requestWork.entriesWritten);
    }
  });

  it('has a struct page for each page of the BAR at stages 0 and 1, and none at stage 2', () => {
    const pages = PEER_BAR_BYTES / PAGE;
    expect(reports.map(({ peer }) => [peer?.structPages, peer?.structPageBytes])).toEqual([
      [pages, pages * 64],
      [pages, pages * 64],
      [0, 0],
    ]);
    const [list, twoStep, ranges] = reports.map(({ total }) => total.structPagesTouched) as [
      number,
      number,
      number,
    ];
    expect(list).toBeGreaterThan(twoStep);
    expect(twoStep).toBeGreaterThan(0);
    expect(ranges).toBe(0);
  });

  it('does at stage 2 the IOMMU work of stage 1', () => {
    const work = ({ requestWork: { structPagesTouched: _touched, ...rest } }: StageReport) => rest;
    expect(work(reports[2] as StageReport)).toEqual(work(reports[1] as StageReport));
    expect(reports[2]?.dmaRangesOut).toBe(reports[1]?.dmaRangesOut);
    expect(reports[2]?.tracking).toEqual(reports[1]?.tracking);
  });
});

describe('a pair that the kernel does not support', () => {
  it.each([
    ['another root port', { peer: 'host-bridge', hostIdentity: UNLISTED }],
    ['the same switch, but its ports redirect', { peer: 'switch', redirect: true, hostIdentity: UNLISTED }],
  ] as const)('%s: every request fails with the kernel status and nothing moves', (_name, tree) => {
    for (const iommu of [true, false]) {
      const reports = runAll(inputOf({ ...tree, iommu }));
      const statuses = reports.map(({ peer }) => peer?.refusals);
      const requests = reports[0]?.requests as number;
      // The list path says EREMOTEIO, the block layer's iterator says BLK_STS_INVAL; stage 2 keeps the errno.
      expect(statuses).toEqual([{ target: requests }, { invalid: requests }, { invalid: requests }]);
      for (const report of reports) {
        expect(report.peer).toMatchObject({
          mapType: 'not-supported',
          distance: -1,
          bytesUntouched: LIST_BYTES,
        });
        const { switchLocal, hostBridge, refused } = report.fabric;
        expect([switchLocal, hostBridge, refused].map(({ requests: count }) => count)).toEqual([0, 0, 0]);
        expect([report.bytesRead, report.bytesWritten, report.bytesWrong]).toEqual([0, 0, 0]);
        expect(report.requestWork).toMatchObject({ iovaAllocations: 0, mapCalls: 0, entriesWritten: 0 });
        expect(verdictOf(report).ok).toBe(true);
      }
      expect(comparePeerVerdict(...reports)).toMatchObject({ ok: true });
    }
  });

  it('is supported by the same host bridge on a CPU that allows all', () => {
    const report = stage2.runPeer(
      inputOf({ peer: 'host-bridge', hostIdentity: UNLISTED, cpu: ZEN, iommu: true }),
    );
    expect(report.peer?.mapType).toBe('thru-host-bridge');
    expect(verdictOf(report).ok).toBe(true);
  });
});

describe('a wrong verdict: bus addresses whatever the route is', () => {
  const plant = { plant: 'forced-bus-address' } as const;

  it.each(runnableStages)(
    'stage $stage: ports that redirect hand them to the IOMMU, which blocks them',
    (stage) => {
      const report = stage.runPeer(inputOf({ peer: 'switch', redirect: true, iommu: true }, plant));
      expect(report.peer?.mapType).toBe('thru-host-bridge');
      expect(report.fabric.refused.requests).toBeGreaterThan(0);
      expect(report.iommu.faults).toBeGreaterThan(0);
      expect(report.bytesWrong).toBeGreaterThan(0);
      expect(verdictOf(report).ok).toBe(false);
    },
  );

  it('a pair that is not supported: data moves that must not', () => {
    const report = stage2.runPeer(
      inputOf({ peer: 'host-bridge', hostIdentity: UNLISTED, iommu: false }, plant),
    );
    expect(report.peer?.mapType).toBe('not-supported');
    expect(report.failures.map(({ kind }) => kind)).toContain('request');
    expect(report.bytesWrong).toBeGreaterThan(0);
    expect(verdictOf(report).ok).toBe(false);
  });

  it('does no harm where it is the right answer', () => {
    const right = runAll(inputOf({ peer: 'switch', iommu: true }));
    expect(runAll(inputOf({ peer: 'switch', iommu: true }, plant))).toEqual(right);
  });
});

it('verdict and fabric disagree: without upstream forwarding a redirected request is refused, and the run says so', () => {
  const site: PeerSiteBuilder = (ground) => {
    const built = peerTreeSite({ peer: 'switch', redirect: true })(ground);
    for (const { config, acsAt } of built.fabric.functions.filter((fn) => fn.acsAt !== 0)) {
      config.write(acsAt + 6, 2, ACS.requestRedirect);
    }
    return built;
  };
  const report = stage1.runPeer({ ios: LIST, seed: 1, iommu: false, site });
  expect(report.peer?.mapType).toBe('thru-host-bridge');
  expect(verdictOf(report).ok).toBe(false);
  expect(report.fabric.refused.requests).toBeGreaterThan(0);
});

it.each([
  ['completion redirect', ACS.completionRedirect],
  ['egress control with an empty vector', ACS.egressControl],
])(
  '%s alone: through the host bridge for the kernel, turned round by the switch where nothing translates',
  (_what, bits) => {
    const site: PeerSiteBuilder = (ground) => {
      const built = peerTreeSite({ peer: 'switch' })(ground);
      for (const { config, acsAt } of built.fabric.functions.filter((fn) => fn.acsAt !== 0)) {
        config.preset(acsAt + 6, 2, bits);
      }
      return built;
    };
    for (const iommu of [true, false]) {
      const reports = runnableStages.map((stage) => stage.runPeer({ ios: LIST, seed: 1, iommu, site }));
      const { ok, line } = comparePeerVerdict(...reports);
      expect(ok).toBe(true);
      expect(line.includes('turned data round')).toBe(!iommu);
      for (const { peer, fabric, bytesVerified } of reports) {
        expect(peer?.mapType).toBe('thru-host-bridge');
        expect(fabric[iommu ? 'hostBridge' : 'switchLocal'].bytes).toBe(bytesVerified);
      }
    }
  },
);

it('untranslated data goes where the request redirect of the entry port sends it, whatever else is set', () => {
  const { sourceValidation, requestRedirect, completionRedirect, upstreamForwarding } = ACS;
  const forwarding = sourceValidation | upstreamForwarding;
  for (const [bits, way] of [
    [forwarding, 'switch'],
    [forwarding | completionRedirect, 'switch'],
    [forwarding | requestRedirect, 'root'],
    [forwarding | requestRedirect | completionRedirect, 'root'],
  ] as const) {
    const site: PeerSiteBuilder = (ground) => {
      const built = peerTreeSite({ peer: 'switch' })(ground);
      for (const { config, acsAt } of built.fabric.functions.filter((fn) => fn.acsAt !== 0)) {
        config.preset(acsAt + 6, 2, bits);
      }
      return built;
    };
    const report = stage2.runPeer({ ios: LIST, seed: 1, iommu: false, site });
    expect(report.peer?.untranslatedWay).toBe(way);
    expect(report.fabric[way === 'switch' ? 'switchLocal' : 'hostBridge'].bytes).toBe(report.bytesVerified);
    expect(verdictOf(report).ok).toBe(true);
  }
});

/** A fabric that nobody but this test builds: the bus shifts addresses, and the BAR is small. */
function shiftedSite(busOffset: number, barBytes: number): PeerSiteBuilder {
  return ({ memory, clock, log, plugDisk }) => {
    memory.addRam(physAddr(4 * GIB), GIB);
    const fabric = new PciFabric({ memory, clock, log });
    const window = { base: physAddr(16 * GIB), bytes: GIB };
    const host = fabric.addHostBridge({
      memoryAperture: { base: physAddr(2 * GIB - busOffset), bytes: GIB },
      prefetchAperture: window,
      busOffset,
    });
    const { downstream } = fabric.addSwitch(fabric.addRootPort(host), { downstreamPorts: 2 });
    const [diskPort, peerPort] = downstream as [PciBridge, PciBridge];
    const target: PciFunction = fabric.addEndpoint(peerPort, {
      name: 'small peer',
      identity: { vendorId: 0x1b36, deviceId: 0x0100, classCode: 0x030200 },
      bars: [{ index: 2, bytes: barBytes, prefetchable: true, target: new BarMemory(barBytes) }],
    });
    const disk = plugDisk(fabric, diskPort, { mdts: 5 });
    fabric.enumerate();
    for (const fn of [disk.endpoint, target]) fn.setCommand({ memory: true, busMaster: true });
    const kernelRam = { base: addOffset(physAddr(4 * GIB), GIB / 2), bytes: GIB / 16 };
    return { fabric, disk, target, bar: 2, kernelRam };
  };
}

describe("somebody else's fabric", () => {
  it.each([true, false])('bus addresses that are not CPU addresses, IOMMU on: %s', (iommu) => {
    const reports = runAll({ ios: LIST, seed: 2, iommu, site: shiftedSite(-4 * GIB, 2 ** 22) });
    for (const report of reports) {
      expect(report.failures).toEqual([]);
      expect(report.peer).toMatchObject({ bar: 2, barBytes: 2 ** 22, mapType: 'bus-addr' });
    }
    expect(comparePeerVerdict(...reports).ok).toBe(true);
  });

  it('a BAR in which only some I/Os have room: the others are left out and counted', () => {
    const report = stage0.runPeer({ ios: LIST, seed: 2, iommu: true, site: shiftedSite(0, 16 * PAGE) });
    expect(report.peer).toMatchObject({ iosLeftOut: 1, barPagesUsed: 15 });
    expect(report.ios).toBe(LIST.length - 1);
    expect(verdictOf(report).ok).toBe(true);
  });

  it('a BAR without room for any, or none at all: a clear error', () => {
    const one = [io('read', 0, ...scattered)];
    expect(() => stage2.runPeer({ ios: one, seed: 2, iommu: true, site: shiftedSite(0, PAGE) })).toThrow(
      PeerSiteError,
    );
    const noBar: PeerSiteBuilder = (ground) => ({ ...peerTreeSite({ peer: 'switch' })(ground), bar: 3 });
    for (const stage of runnableStages) {
      expect(() => stage.runPeer({ ios: one, seed: 2, iommu: true, site: noBar })).toThrow(PeerSiteError);
    }
  });
});

it('any list of block-sized I/Os moves rightly at every stage, on any route', () => {
  const piece = fc
    .record({ at: fc.nat(60), blocks: fc.integer({ min: 1, max: 24 }), offset: fc.nat(7) })
    .map(({ at, blocks, offset }) => page(at, blocks * 512, offset * 512));
  const anyIo = fc.record({
    operation: fc.constantFrom('read' as const, 'write' as const),
    position: fc.nat(64).map((block) => block * 512),
    iovecs: fc.array(fc.array(piece, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 3 }),
  });
  const anyCase = fc.constantFrom(...cases);
  fc.assert(
    fc.property(fc.array(anyIo, { minLength: 1, maxLength: 4 }), anyCase, fc.nat(99), (ios, one, seed) => {
      const reports = runAll(inputOf(one, { ios, seed }));
      expect(reports.flatMap(({ failures }) => failures)).toEqual([]);
      expect(comparePeerVerdict(...reports)).toMatchObject({ ok: true });
    }),
    { numRuns: 25 },
  );
}, 60_000);

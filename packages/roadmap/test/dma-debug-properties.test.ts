// Random drivers under the checker: transfers of all three APIs, interleaved, on the direct map and behind an IOMMU, also
// lazy, bounced and non-coherent. One that keeps the rules gets no finding; one mistake in one transfer gets the rule of
// that mistake, and it comes first.

import {
  CpuCacheMaintenance,
  type Device,
  DmaDebug,
  type DmaDebugFinding,
  DmaPlatform,
  dmaBitMask,
  dmaDebugDeviceChange,
  dmaSetMask,
  dmaSetMinAlignMask,
  iommuSetupDmaOps,
  pciDevice,
  SwiotlbPool,
} from '@sgfree/dma-core';
import { Clock, CpuCache, PAGE_SIZE, PhysicalMemory, physAddr } from '@sgfree/hw-model';
import { PageTable, PagingDomain, VtdSecondStageFormat } from '@sgfree/iommu';
import { FrameAllocator, PageAllocator } from '@sgfree/mm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  expectedRule,
  type Mistake,
  type Transfer,
  type TransferPlan,
  transferOf,
} from './checked-transfer.ts';

const MIB = 2 ** 20;

/** How two devices are attached; with a domain each, equal addresses mean different things. */
type Attachment = 'one domain' | 'a domain each' | 'direct map' | Variant;

/** The ways of a mapping that change what is done, not what is right. */
type Variant =
  | 'lazy domain'
  | 'untrusted'
  | 'not coherent'
  | 'direct map, bounced'
  | 'direct map, not coherent';

function machineWith(attachment: Attachment) {
  const memory = new PhysicalMemory();
  memory.addRam(physAddr(0), 256 * MIB);
  const findings: DmaDebugFinding[] = [];
  const debug = new DmaDebug({ onFinding: (finding) => findings.push(finding) });
  const pages = new PageAllocator(memory, { base: physAddr(192 * MIB), bytes: 32 * MIB });
  const bounced = attachment === 'untrusted' || attachment === 'direct map, bounced';
  const coherent = !attachment.endsWith('not coherent');
  const platform = new DmaPlatform({
    memory,
    pages,
    debug,
    clock: new Clock(),
    cache: coherent ? null : new CpuCacheMaintenance(new CpuCache({ memory })),
    swiotlb: bounced
      ? {
          active: true,
          forceBounce: attachment === 'direct map, bounced',
          pool: new SwiotlbPool({ start: physAddr(64 * MIB), slots: 8192 }),
        }
      : null,
  });
  const frames = new FrameAllocator(memory, { base: physAddr(128 * MIB), bytes: 64 * MIB });
  const newDomain = (): PagingDomain =>
    new PagingDomain({
      table: new PageTable({
        format: new VtdSecondStageFormat({ flushRange: true }),
        memory,
        frames,
        vaBits: 48,
      }),
      type: attachment === 'lazy domain' ? 'dma-fq' : 'dma',
      log: platform.log,
      ops: { iotlbSync: () => undefined, flushIotlbAll: () => undefined, iotlbSyncMap: null },
    });
  const shared = newDomain();
  const addDevice = (name: string): Device => {
    const untrusted = attachment === 'untrusted';
    const dev = pciDevice({ name, platform, untrusted, dmaCoherent: coherent });
    const domain = attachment === 'a domain each' ? newDomain() : shared;
    iommuSetupDmaOps(dev, attachment.startsWith('direct map') ? null : domain);
    dmaSetMask(dev, dmaBitMask(64));
    dmaSetMinAlignMask(dev, PAGE_SIZE - 1);
    return dev;
  };
  return { debug, findings, dev: addDevice('0000:01:00.0'), other: addDevice('0000:02:00.0') };
}

const plans = (iommu: boolean) =>
  fc.record<TransferPlan>({
    api: iommu
      ? fc.constantFrom('phys', 'list', 'coherent', 'two-step')
      : fc.constantFrom('phys', 'list', 'coherent'),
    pages: fc.integer({ min: 2, max: 9 }),
    offset: fc.nat({ max: 4000 }),
    dir: fc.constantFrom('to-device', 'from-device', 'bidirectional'),
  });

interface Run {
  readonly plans: readonly TransferPlan[];
  /** Draws that decide which transfer takes its next step. */
  readonly draws: readonly number[];
}

const runs = (iommu: boolean) =>
  fc.record<Run>({
    plans: fc.array(plans(iommu), { minLength: 1, maxLength: 12 }),
    draws: fc.array(fc.nat(), { minLength: 36, maxLength: 36 }),
  });

/** Takes the steps of all transfers in a drawn order; stops after the end of number `last`. */
function interleave(transfers: readonly Transfer[], draws: readonly number[], last: number): void {
  const steps = transfers.map(({ begin, use, end }) => [begin, use, end]);
  for (const draw of draws) {
    const open = steps.flatMap((left, at) => (left.length > 0 ? [at] : []));
    const at = open[draw % Math.max(1, open.length)];
    if (at === undefined) return;
    steps[at]?.shift()?.();
    if (at === last && steps[at]?.length === 0) return;
  }
}

function drive(attachment: Attachment, { plans: made, draws }: Run, wrong: number, mistake: Mistake | null) {
  const machine = machineWith(attachment);
  const swapped = { dev: machine.other, other: machine.dev };
  const transfers = made.map((plan, at) =>
    transferOf(
      at % 2 === 0 ? machine : swapped,
      plan,
      physAddr((1 + at) * MIB),
      at === wrong ? mistake : null,
    ),
  );
  const stopsThere = mistake !== null && mistake !== 'no unmap';
  interleave(transfers, draws, stopsThere ? wrong : -1);
  if (!stopsThere) for (const dev of [machine.dev, machine.other]) dmaDebugDeviceChange(dev);
  return machine;
}

function expectNoFinding(attachment: Attachment): void {
  fc.assert(
    fc.property(runs(!attachment.startsWith('direct map')), (run) => {
      const { findings, debug } = drive(attachment, run, -1, null);
      expect(findings).toEqual([]);
      expect([debug.liveMappings, debug.liveRanges]).toEqual([0, 0]);
    }),
    { numRuns: 60 },
  );
}

it.each<Variant>([
  'lazy domain',
  'untrusted',
  'not coherent',
  'direct map, bounced',
  'direct map, not coherent',
])('%s: no finding, whatever correct drivers do', expectNoFinding);

describe.each<Attachment>(['one domain', 'a domain each', 'direct map'])('%s', (attachment) => {
  const iommu = attachment !== 'direct map';

  it('no finding, whatever correct drivers do', () => expectNoFinding(attachment));

  const mistakes = new Set(Object.values(expectedRule).flatMap((rules) => Object.keys(rules) as Mistake[]));
  // With a domain each, a wrong device may hit a mapping of its own at the same address.
  const possibleHere = [...mistakes].filter(
    (mistake) =>
      (iommu || mistake !== 'never visible') &&
      (attachment !== 'a domain each' || mistake !== 'other device'),
  );
  it.each(possibleHere)('one transfer %s', (mistake) => {
    fc.assert(
      fc.property(runs(iommu), fc.nat(), (run, pick) => {
        const possible = run.plans.flatMap(({ api }, at) => (mistake in expectedRule[api] ? [at] : []));
        const wrong = possible[pick % Math.max(1, possible.length)];
        fc.pre(wrong !== undefined);
        if (wrong === undefined) return;
        const { findings } = drive(attachment, run, wrong, mistake);
        const expected = expectedRule[(run.plans[wrong] as TransferPlan).api][mistake] ?? [];
        expect(findings.slice(0, expected.length).map(({ rule }) => rule)).toEqual(expected);
      }),
      { numRuns: 20 },
    );
  });
});

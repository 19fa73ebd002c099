// The road with the checker on: the recorded request lists at all stages, in RAM and in a peer, every call of the DMA API and every access of
// the disk watched, without a finding; and what an access is told that comes too late.

import {
  DmaDebug,
  type DmaDebugFinding,
  dmaBitMask,
  dmaMapPhys,
  dmaMappingError,
  dmaSetMask,
  dmaUnmapPhys,
  NO_ATTRS,
} from '@sgfree/dma-core';
import { dmaAddr, Scheduler } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import {
  DEFAULT_MEMORY_BYTES,
  peerTreeSite,
  runnableStages,
  stage0,
  stage1,
  stage2,
  verdictOf,
} from '../src/index.ts';
import { mediumFor } from '../src/io-data.ts';
import { RecordedMachine } from '../src/recorded-machine.ts';
import { WatchedAgent } from '../src/watched-agent.ts';
import { RECORDED_LISTS, type RecordedList, recordedBacking, recordedIos } from './recorded-trace.ts';

function watchedRun(stage: typeof stage0, name: RecordedList) {
  const findings: DmaDebugFinding[] = [];
  const debug = new DmaDebug({ onFinding: (finding) => findings.push(finding) });
  const input = {
    ios: recordedIos(name),
    backing: recordedBacking(name),
    seed: 1,
    memoryBytes: DEFAULT_MEMORY_BYTES,
  };
  const report = stage.run({ ...input, debug });
  return { findings, debug, report, unwatched: () => stage.run(input) };
}

describe.each(RECORDED_LISTS)('%s', (name) => {
  it.each([
    ['stage 0', stage0],
    ['stage 1', stage1],
    ['stage 2', stage2],
  ] as const)(
    '%s: no finding, nothing left, and the work is the same as without the checker',
    (_name, stage) => {
      const { findings, debug, report, unwatched } = watchedRun(stage, name);
      expect(findings).toEqual([]);
      expect([debug.liveMappings, debug.liveRanges, debug.report.errorCount]).toEqual([0, 0, 0]);
      expect(debug.calls).toBeGreaterThan(report.requests);
      expect(verdictOf(report)).toMatchObject({ ok: true });
      expect(report).toEqual(unwatched());
    },
  );
});

it.each(['switch', 'host-bridge'] as const)('data in a peer (%s): no finding, nothing left', (peer) => {
  for (const stage of runnableStages) {
    for (const iommu of [true, false]) {
      const findings: DmaDebugFinding[] = [];
      const debug = new DmaDebug({ onFinding: (finding) => findings.push(finding) });
      const input = {
        ios: recordedIos('nvio_small').slice(0, 6),
        seed: 1,
        iommu,
        site: peerTreeSite({ peer }),
      };
      const report = stage.runPeer({ ...input, debug });
      expect(findings).toEqual([]);
      expect([debug.liveMappings, debug.liveRanges, debug.report.errorCount]).toEqual([0, 0, 0]);
      expect(debug.calls).toBeGreaterThan(0);
      const unwatched = stage.runPeer(input);
      expect(report.fabric).toEqual(unwatched.fabric);
      // Without an IOMMU a checker alone makes drivers remember what they mapped (dma_need_unmap).
      if (iommu) expect(report).toEqual(unwatched);
    }
  }
});

it('an access of the disk is held against what is mapped at that moment', () => {
  const findings: DmaDebugFinding[] = [];
  const { dev, unit, shape } = new RecordedMachine({
    memoryBytes: DEFAULT_MEMORY_BYTES,
    scheduler: new Scheduler({ seed: 1 }),
    medium: (blockCount) => mediumFor(1, blockCount),
    debug: new DmaDebug({ onFinding: (finding) => findings.push(finding) }),
  });
  dmaSetMask(dev, dmaBitMask(64));
  const watched = new WatchedAgent(unit, dev);
  const phys = shape.kernelRam.base;
  const address = dmaAddr(dmaMapPhys(dev, phys, 4096, 'to-device', NO_ATTRS));
  expect(dmaMappingError(dev, address)).toBe(0);
  expect(watched.translate(dev.requesterId, address, false)).toBe(phys);
  expect(watched.translate(dev.requesterId + 8, address, true)).toBe(-1);
  expect(findings).toEqual([]);
  watched.translate(dev.requesterId, address, true);
  dmaUnmapPhys(dev, address, 4096, 'to-device', NO_ATTRS);
  watched.translate(dev.requesterId, address, false);
  watched.translate(dev.requesterId, dmaAddr(0x1000), false);
  expect(findings.map(({ rule }) => rule)).toEqual([
    'dma-shadow-access-direction',
    'dma-shadow-use-after-unmap',
    'dma-shadow-unknown-address',
  ]);
});

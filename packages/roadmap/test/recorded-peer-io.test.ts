// Data in a peer's BAR against the trace of the real kernel that did the same I/O between two disks: every mapping, every
// unmapping and every flush of each call.
import { EventLog, type ModelEvent } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { peerTreeSite, type StageReport, stage1, stage2, verdictOf } from '../src/index.ts';
import { RECORDED_PAIRS, RECORDED_SELF_PAIRS, recordedCalls } from './recorded-peer-io.ts';

/** The recorded machine's processor: it allows all pairs. */
const cpu = { vendor: 'AuthenticAMD', family: 0x17 };
/** Every recorded pair meets at the root complex only. */
const site = peerTreeSite({ peer: 'host-bridge', cpu });

/**
 * What each call but the first made the model log: sizes of maps and unmaps, orders of flushes; pool pages left out. The
 * first shares its part of the log with the driver's start.
 */
function laterCalls(log: EventLog, ends: readonly number[]) {
  return ends.slice(1).map((end, call) => {
    const events = log.events.slice(ends[call], end);
    const of = (kind: string): ModelEvent[] => events.filter((event) => event.kind === kind);
    const pools = new Set(of('dma:dma_alloc').map((event) => event['dmaAddr']));
    return {
      maps: of('iommu:map')
        .filter((event) => !pools.has(event['iova']))
        .map((event) => event['size']),
      unmaps: of('iommu:unmap').map((event) => event['size']),
      flushOrders: of('intel_iommu:cache_tag_flush_range').map((event) => event['order']),
    };
  });
}

describe.each(RECORDED_PAIRS)('%s', (pair) => {
  it.each([stage1, stage2])('stage $stage maps, unmaps and flushes call by call as the kernel', (stage) => {
    const recorded = recordedCalls('strict', pair);
    const log = new EventLog();
    const ends: number[] = [];
    const report = stage.runPeer({
      ios: recorded.map(({ io }) => io),
      seed: 1,
      iommu: true,
      site: (ground) => {
        log.enabled = true;
        return site(ground);
      },
      log,
      onIo: () => ends.push(log.events.length),
    });
    expect(verdictOf(report)).toMatchObject({ ok: true });
    expect(recorded.length).toBeGreaterThan(8);
    const expected = recorded.slice(1).map(({ io: _io, ...rest }) => rest);
    expect(laterCalls(log, ends)).toEqual(expected);
    expect(
      expected.every(({ maps, unmaps, flushOrders }) => maps.length * unmaps.length * flushOrders.length > 0),
    ).toBe(true);
  });

  it('without an IOMMU there is nothing to map, and the data moves all the same', () => {
    const recorded = recordedCalls('off', pair);
    expect(recorded.flatMap(({ maps }) => maps)).toEqual([]);
    const run = { ios: recorded.map(({ io }) => io), seed: 1, iommu: false, site };
    const reports: StageReport[] = [stage1.runPeer(run), stage2.runPeer(run)];
    for (const report of reports) expect(verdictOf(report)).toMatchObject({ ok: true });
  });
});

it.each(RECORDED_SELF_PAIRS)('%s: bus addresses, nothing is mapped', (pair) => {
  expect(recordedCalls('strict', pair).flatMap(({ maps }) => maps)).toEqual([]);
  const ios = recordedCalls('strict', pair).map(({ io }) => io);
  const report = stage1.runPeer({ ios, seed: 1, iommu: true, site: peerTreeSite({ peer: 'switch' }) });
  expect(report.requestWork).toMatchObject({ mapCalls: 0, unmapCalls: 0, invalidationCommands: 0 });
});

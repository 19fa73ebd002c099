// Direct users of the IOMMU in a replay: the same in every run, leaves counted on paper, overlaps and bad places counted.
import type { TraceFinding } from '@sgfree/trace';
import { describe, expect, it } from 'vitest';
import { end, replay, traced } from '../../test/traced-mappings.ts';

const QEMU = 'qemu-kvm-4575';
const MIB = 2 ** 20;

/** Memory at these places, mapped at these addresses by a task, without a device. */
function userMapping(
  places: readonly (readonly [iova: number, phys: number, bytes: number])[],
  task: string = QEMU,
) {
  return traced(
    'iommu-api',
    places.map(([, phys, bytes]) => [phys, bytes]),
    -1,
    {
      device: '',
      direction: '',
      dmaAddr: places[0]?.[0] ?? 0,
      pieceDma: places.map(([iova]) => iova),
      mappedTask: task,
    },
  );
}

describe('a direct user of the IOMMU', () => {
  it('maps line by line at its own addresses, in large leaves where both sides allow, the same in every run', () => {
    const memory = userMapping([
      [0, 2 ** 32, 4096],
      [4096, 2 ** 32 + 4096, 8192],
      [2 * MIB, 2 ** 33, 4 * MIB],
      [8 * MIB, 2 ** 33 + MIB, 2 * MIB],
    ]);
    const report = replay({}, (engine) => {
      engine.mapped(memory);
      engine.unmapped(memory, end());
    });
    expect(report.runs).toHaveLength(6);
    for (const { total, devices, checks } of report.runs) {
      expect(total).toMatchObject({
        mapped: 1,
        unmapped: 1,
        failed: {},
        dmaRangesOut: 4,
        iovaAllocations: 0,
        mapCalls: 4,
        // Three contiguous ranges: up to 12 KiB, from 2 MiB on, from 8 MiB on.
        unmapCalls: 3,
        entriesWritten: 3 + 2 + 512,
        entriesCleared: 3 + 2 + 512,
        leavesBySize: { 4096: 515, [2 * MIB]: 2 },
        invalidations: { domain: 0, global: 0, waits: 3 },
        tracking: { takenBytes: 0 },
      });
      expect(total.flushQueue?.queued ?? 0).toBe(0);
      expect(devices).toMatchObject([{ device: QEMU, user: 'iommu-api', addressSpace: null }]);
      expect(checks).toMatchObject({ lookedAt: 2, lookedAtAfterUnmap: 1, answeredAfterUnmap: 0 });
    }
    expect(report.devices).toMatchObject([{ device: QEMU, user: 'iommu-api' }]);
  });

  it('has a domain of its own: another task and a driver may have the same address', () => {
    const report = replay({ modes: ['strict'] }, (engine) => {
      engine.mapped(userMapping([[0xfffff000, 0x1000000, 4096]]));
      engine.mapped(userMapping([[0xfffff000, 0x2000000, 4096]], 'qemu-kvm-99'));
      engine.mapped(traced('phys', [[0x3000000, 4096]], -1, { dmaAddr: 0xfffff000 }));
    });
    for (const { total, devices } of report.runs) {
      expect(total).toMatchObject({ mapped: 3, failed: {}, entriesWritten: 3 });
      expect(devices).toHaveLength(3);
    }
  });

  it.each([
    ['overlaps what it has', [[0x200000, 0x5000000, 8192]]],
    [
      'overlaps in its last line',
      [
        [0x100000, 0x5000000, 4096],
        [0x201000, 0x6000000, 4096],
      ],
    ],
    ['is not on page boundaries', [[0x300800, 0x5000000, 4096]]],
    ['lies beyond 48 bits', [[2 ** 48, 0x5000000, 4096]]],
  ] as const)('that %s is counted as failed, and leaves nothing of it', (_what, places) => {
    const report = replay({}, (engine) => {
      engine.mapped(userMapping([[0x201000, 0x4000000, 4096]]));
      const second = userMapping(places);
      engine.mapped(second);
      engine.unmapped(second, end());
    });
    for (const { total, checks } of report.runs) {
      expect(total).toMatchObject({ mapped: 1, unmapped: 0, failed: { 'iommu-map-failed': 1 } });
      expect(total.entriesWritten - total.entriesCleared).toBe(1);
      expect(checks.leftovers.pageTableEntries).toBe(0);
    }
  });

  it('has its own findings, also those that name only its task', () => {
    const memory = userMapping([[0, 0x1000000, 4096]]);
    const finding = (code: TraceFinding['code'], mapping: TraceFinding['mapping']): TraceFinding => ({
      ...{ code, mapping, confidence: 'possible', line: 9, at: -1, cpu: 0, task: QEMU },
      ...{ device: '', dmaAddr: 0, bytes: 4096, text: 'found' },
    });
    const report = replay({ stages: [1], modes: ['strict'] }, (engine) => {
      engine.mapped(memory);
      engine.finding(finding('unmap-without-map', null));
      engine.finding(finding('live-at-end', memory));
    });
    expect(report.devices).toHaveLength(1);
    expect(report.devices[0]?.findings['unmap-without-map']).toMatchObject({ count: 1 });
    expect(report.devices[0]?.liveAtEnd.first).toMatchObject([{ kind: 'iommu-api', task: QEMU, dmaAddr: 0 }]);
  });

  it('is followed by its task, or by its device where one is known', () => {
    const known = { ...userMapping([[0, 0x1000000, 4096]], 'qemu-kvm-7'), device: '0000:05:00.0' };
    for (const device of ['qemu-kvm-7', '0000:05:00.0']) {
      const report = replay({ device, stages: [0], modes: ['lazy'] }, (engine) => {
        engine.mapped(userMapping([[0, 0x2000000, 4096]]));
        engine.mapped(known);
        engine.mapped(traced('phys', [[0x3000000, 4096]], -1, { device: '' }));
      });
      expect(report.runs[0]?.total.mapped).toBe(1);
      expect(report.otherDevices).toEqual([QEMU]);
      expect(report.unnamedLeftOut).toBe(1);
    }
  });
});

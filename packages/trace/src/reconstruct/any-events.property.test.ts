// Events that make no sense: nothing may throw, and what the sink hears must still be a story: a mapping is announced
// once, ends at most once and after that, and places never go backwards.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TraceEvent, type TraceSystem } from '../trace-event.ts';
import type { TracedMapping } from '../traced-mapping.ts';
import { IoReconstruction } from './io-reconstruction.ts';
import type { TraceFinding } from './trace-finding.ts';

const names: readonly (readonly [TraceSystem, string])[] = [
  ['iommu', 'map'],
  ['iommu', 'unmap'],
  ['iommu', 'add_device_to_group'],
  ['intel_iommu', 'cache_tag_flush_range'],
  ['intel_iommu', 'cache_tag_flush_range_np'],
  ['dma', 'dma_map_phys'],
  ['dma', 'dma_unmap_phys'],
  ['dma', 'dma_map_sg'],
  ['dma', 'dma_map_sg_err'],
  ['dma', 'dma_unmap_sg'],
  ['dma', 'dma_alloc'],
  ['dma', 'dma_alloc_sgt'],
  ['dma', 'dma_free'],
  ['dma', 'dma_sync_single_for_cpu'],
  ['dma', 'dma_sync_sg_for_device'],
  ['dma', 'dma_of_tomorrow'],
];
const address = fc.oneof(
  { weight: 20, arbitrary: fc.nat(40).map((half) => half * 2048) },
  { weight: 1, arbitrary: fc.constantFrom(-1, 2 ** 52 - 4096, 2 ** 51) },
);
const size = fc.oneof(
  { weight: 20, arbitrary: fc.nat(8).map((half) => half * 2048) },
  { weight: 1, arbitrary: fc.constantFrom(1, 2 ** 40, 2 ** 51) },
);
const list = fc.array(address, { maxLength: 3 });
const fields = fc.record({
  device: fc.constantFrom('0000:01:00.0', '0000:02:00.0', ''),
  direction: fc.constantFrom('TO_DEVICE' as const, 'FROM_DEVICE' as const, '' as const),
  task: fc.constantFrom('a-1', 'b-2', '<idle>-0', '', 'qemu-9'),
  cpu: fc.integer({ min: -1, max: 2 }),
  dmaAddr: address,
  physAddr: address,
  size,
  unmappedSize: size,
  dmaAddrs: list,
  sizes: list,
  physAddrs: list,
  virtAddr: fc.constantFrom('', '0000000000000000', '00000000deadbeef'),
  domainId: fc.integer({ min: -1, max: 3 }),
  rangeStart: address,
  rangeLast: address,
  group: fc.integer({ min: -1, max: 2 }),
  truncated: fc.boolean(),
});
const events = fc.array(fc.tuple(fc.constantFrom(...names), fields), { maxLength: 300 });

test('events without sense are told as a story all the same', () => {
  fc.assert(
    fc.property(
      events,
      fc.integer({ min: 1, max: 400 }),
      fc.nat(3),
      fc.boolean(),
      (made, lookAhead, mostDirect, lost) => {
        const live = new Set<TracedMapping>();
        const ended = new Set<TracedMapping>();
        const leftLive: TraceFinding[] = [];
        let at = 0;
        const reconstruction = new IoReconstruction(
          {
            mapped: (mapping) => {
              expect(mapping.id).toBe(live.size + ended.size);
              expect(mapping.mappedLine).toBeGreaterThanOrEqual(at);
              expect(mapping.deviceFrom === 'unknown').toBe(
                mapping.device === '' && mapping.deviceFrom !== 'recorded',
              );
              at = mapping.mappedLine;
              live.add(mapping);
            },
            unmapped: (mapping, { line }) => {
              expect(live.delete(mapping)).toBe(true);
              expect(line).toBeGreaterThanOrEqual(at);
              at = line;
              ended.add(mapping);
            },
            finding: (finding) => void (finding.code === 'live-at-end' && leftLive.push(finding)),
          },
          { lookAhead, mostDirect, lostSoFar: () => (lost ? 1 : 0) },
        );
        for (const [index, [[system, name], values]] of made.entries()) {
          reconstruction.accept(
            Object.assign(new TraceEvent(), { ...values, system, name, line: index + 1 }),
          );
        }
        reconstruction.end();
        expect(new Set(leftLive.map(({ mapping }) => mapping))).toEqual(live);
        expect(leftLive).toHaveLength(live.size);
      },
    ),
    { numRuns: 300 },
  );
});

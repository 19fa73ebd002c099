// A printed trace read back: everything the reader can tell is what the events say.
import { fc, test } from '@fast-check/vitest';
import type { ModelEvent } from '@sgfree/hw-model';
import { expect } from 'vitest';
import { TraceReader } from '../reader/trace-reader.ts';
import type { TraceEvent } from '../trace-event.ts';
import { traceText } from './trace-text.ts';

const address = fc.nat({ max: 2 ** 31 - 1 }).map((frame) => frame * 4096);
const size = fc.integer({ min: 1, max: 2 ** 31 });
const dir = fc.constantFrom('TO_DEVICE', 'FROM_DEVICE', 'BIDIRECTIONAL');
const attrs = fc.constantFrom('', 'MMIO', 'SKIP_CPU_SYNC|NO_WARN');
const device = fc.constantFrom('0000:01:00.0', '10000:e1:00.0');
const list = fc.array(address, { maxLength: 130 });

/** What an event says in the words of the reader. */
type Expected = Readonly<Record<string, unknown>>;

const ofDevice = fc.record({ device, dir, attrs });
const sample = fc.oneof(
  fc
    .tuple(ofDevice, fc.oneof(address, fc.constant(-1)), size, address)
    .map(([who, dmaAddr, bytes, physAddr]): [ModelEvent, Expected] => [
      { kind: 'dma:dma_map_phys', ...who, dmaAddr, size: bytes, physAddr },
      {
        system: 'dma',
        name: 'dma_map_phys',
        device: who.device,
        direction: who.dir,
        attrs: who.attrs,
        dmaAddr,
        size: bytes,
        physAddr,
      },
    ]),
  fc.tuple(ofDevice, list).map(([who, physAddrs]): [ModelEvent, Expected] => [
    { kind: 'dma:dma_unmap_sg', ...who, physAddrs },
    { name: 'dma_unmap_sg', device: who.device, direction: who.dir, attrs: who.attrs, physAddrs },
  ]),
  fc.tuple(ofDevice, list).map(([who, addresses]): [ModelEvent, Expected] => {
    const lists = { dmaAddrs: addresses.slice(0, 1), sizes: addresses.slice(0, 1), physAddrs: addresses };
    const counts = { nents: addresses.length, fullNents: addresses.length, ents: lists.sizes.length };
    const shown = { ...lists, ...counts, fullEnts: counts.ents };
    return [
      { kind: 'dma:dma_map_sg', ...who, ...shown, truncated: false },
      { name: 'dma_map_sg', device: who.device, attrs: who.attrs, ...shown, truncated: false },
    ];
  }),
  fc.tuple(address, address, size).map(([iova, paddr, bytes]): [ModelEvent, Expected] => [
    { kind: 'iommu:map', iova, paddr, size: bytes },
    { system: 'iommu', name: 'map', dmaAddr: iova, physAddr: paddr, size: bytes },
  ]),
  fc.tuple(address, size, size).map(([iova, bytes, unmappedSize]): [ModelEvent, Expected] => [
    { kind: 'iommu:unmap', iova, size: bytes, unmappedSize },
    { name: 'unmap', dmaAddr: iova, size: bytes, unmappedSize },
  ]),
  fc
    .array(fc.nat({ max: 2 ** 32 - 1 }), { minLength: 8, maxLength: 8 })
    .map((words): [ModelEvent, Expected] => [
      { kind: 'intel_iommu:qi_submit', type: 'iotlb_inv', unit: 'dmar0', words },
      { system: 'intel_iommu', name: 'qi_submit', type: 'iotlb_inv', unit: 'dmar0', words },
    ]),
  fc
    .tuple(fc.nat({ max: 2 ** 31 - 1 }), fc.nat({ max: 30 }), fc.nat({ max: 65535 }))
    .map(([startFrame, order, domainId]): [ModelEvent, Expected] => [
      {
        kind: 'intel_iommu:cache_tag_flush_range',
        unit: 'dmar0',
        device: 'dmar0',
        pasid: 0,
        type: 'iotlb',
        domainId,
        startFrame,
        startOffset: 0,
        endFrame: startFrame + 3,
        endOffset: 4095,
        blockFrame: startFrame,
        order,
      },
      {
        name: 'cache_tag_flush_range',
        unit: 'dmar0',
        type: 'iotlb',
        domainId,
        pasid: 0,
        rangeStart: startFrame * 4096,
        rangeLast: (startFrame + 4) * 4096 - 1,
        blockAddr: startFrame * 4096,
        order,
      },
    ]),
);

/** What the reader says of a text, its objects copied. */
function readBack(text: string): { readonly events: TraceEvent[]; readonly problems: number } {
  const events: TraceEvent[] = [];
  const reader = new TraceReader((event) => events.push(structuredClone(event)));
  reader.push(new TextEncoder().encode(text));
  reader.end();
  return { events, problems: reader.tally.problems.size };
}

test.prop([fc.array(sample, { maxLength: 20 })])('the reader reads back what was printed', (samples) => {
  const text = traceText(samples.map(([event]) => event));
  const { events, problems } = readBack(text);
  expect(problems).toBe(0);
  expect(events).toMatchObject(samples.map(([, expected]) => expected));
});

const map = { kind: 'iommu:map', iova: 0x1000, paddr: 0x2000, size: 4096 };

test('task, CPU and times are those that were asked for; events without a line take no time', () => {
  const options = { comm: 'nvio', pid: 987, cpu: 3, firstMicroseconds: 17_999_999, stepMicroseconds: 2 };
  const text = traceText([map, { kind: 'hw:request' }, map], options);
  expect(text.split('\n').slice(2)).toEqual([
    '            nvio-987     [003] .....    17.999999: map: IOMMU: iova=0x0000000000001000 - 0x0000000000002000 paddr=0x0000000000002000 size=4096',
    '            nvio-987     [003] .....    18.000001: map: IOMMU: iova=0x0000000000001000 - 0x0000000000002000 paddr=0x0000000000002000 size=4096',
    '',
  ]);
  const { events } = readBack(text);
  expect(events.map(({ task, cpu, time }) => [task, cpu, time])).toEqual([
    ['nvio-987', 3, 17_999_999_000],
    ['nvio-987', 3, 18_000_001_000],
  ]);
});

test('no events: a header alone', () => {
  expect(traceText([])).toBe('# tracer: nop\n#\n');
});

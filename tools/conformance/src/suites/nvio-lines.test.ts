// What is left of trace lines when IOVAs are taken out: the same for other IOVAs, different for anything else.

import { expect, test } from 'vitest';
import { NvioLines } from './nvio-lines.ts';

const device = '0000:01:00.0';
const owner = { device, domainId: 24 };

function collect(text: string): NvioLines {
  const lines = new NvioLines(owner);
  for (const [index, line] of text.trim().split('\n').entries()) {
    const [, cpu, event = '', payload = ''] = /^\s*(\d[hs]?) (\w+): (.*)$/.exec(line) ?? [];
    lines.add({
      number: index + 1,
      cpu: Number(cpu?.charAt(0)),
      context: cpu?.slice(1) ?? '',
      event,
      payload,
    });
  }
  return lines;
}

const padded = (value: number): string => `0x${value.toString(16).padStart(16, '0')}`;

const mapOf = (iova: number, paddr: number, bytes: number): string =>
  `0 map: IOMMU: iova=${padded(iova)} - ${padded(iova + bytes)} paddr=${padded(paddr)} size=${bytes}`;

const unmapOf = (iova: number, bytes: number): string =>
  `0 unmap: IOMMU: iova=${padded(iova)} - ${padded(iova + bytes)} size=${bytes} unmapped_size=${bytes}`;

const flushOf = (name: string, iova: number, pages: number, order: number, did = 24): string => {
  const last = iova + pages * 4096 - 1;
  const range = `[0x${iova.toString(16)}-0x${last.toString(16)}] addr 0x${iova.toString(16)}`;
  return `0 ${name}: dmar0 dmar0[0] type iotlb did ${did} ${range} mask 0x${order.toString(16)}`;
};

const commandOf = (iova: number, low: number): string =>
  `0 qi_submit: iotlb_inv dmar0: 0x1800f2 0x${(iova + low).toString(16)} 0x0 0x0`;

const physOf = (name: string, dma: number, rest: string, of = device): string =>
  `0 ${name}: ${of} dir=TO_DEVICE dma_addr=${dma.toString(16)} size=512 ${rest}attrs=`;

const singleAt = (iova: number): string =>
  [
    mapOf(iova, 0x5000, 4096),
    flushOf('cache_tag_flush_range_np', iova, 1, 0),
    commandOf(iova, 0),
    physOf('dma_map_phys', iova + 0x234, 'phys_addr=5234 '),
    unmapOf(iova, 4096),
    flushOf('cache_tag_flush_range', iova, 1, 0),
    commandOf(iova, 0x40),
    physOf('dma_unmap_phys', iova + 0x234, ''),
  ].join('\n');

test('the same mapping elsewhere leaves the same lines', () => {
  const [one, other] = [collect(singleAt(0xfffb_b000)), collect(singleAt(0xffff_ffff_0000))];
  expect(one.mapped.map(({ text }) => text)).toEqual(other.mapped.map(({ text }) => text));
  expect(one.unmapped).toEqual(other.unmapped);
  expect(one.mapped).toHaveLength(4);
  expect(one.unmapped).toHaveLength(1);
});

test('offsets, ends and blocks are kept relative to their mapping', () => {
  const { mapped, unmapped } = collect(singleAt(0xfffb_b000));
  expect(mapped.map(({ text }) => text)).toEqual([
    'map: 4096 at paddr=0x0000000000005000 size=4096',
    'cache_tag_flush_range_np: dmar0 dmar0[0] type iotlb did 24 4096 ends 0 starts 0 mask 0x0',
    'qi_submit: iotlb_inv dmar0: 0x1800f2 +0 0x0 0x0',
    `dma_map_phys: ${device} dir=TO_DEVICE +564 size=512 phys_addr=5234 attrs=`,
  ]);
  expect(unmapped[0]?.split('; ')).toEqual([
    'of mapping line 0: of call line 3: unmap: 4096 size=4096 unmapped_size=4096',
    'cache_tag_flush_range: dmar0 dmar0[0] type iotlb did 24 4096 ends 0 starts 0 mask 0x0',
    'qi_submit: iotlb_inv dmar0: 0x1800f2 +64 0x0 0x0',
    `dma_unmap_phys: ${device} dir=TO_DEVICE +564 size=512 attrs=`,
  ]);
});

test('the links of a two-step range follow each other, other maps need not', () => {
  const text = [mapOf(0x10000, 0x5000, 4096), mapOf(0x11000, 0x9000, 8192), mapOf(0x20000, 0x7000, 4096)];
  expect(collect(text.join('\n')).mapped.map(({ follows }) => follows)).toEqual([false, true, false]);
});

test('groups are a set: commands complete in any order, their lines stay together', () => {
  const [one, other] = [
    [unmapOf(0x10000, 4096), physOf('dma_unmap_phys', 0x10010, '')],
    [unmapOf(0x20000, 8192)],
  ];
  expect(collect([...one, ...other].join('\n')).unmapped).toEqual(
    collect([...other, ...one].join('\n')).unmapped,
  );
  const torn = [unmapOf(0x10000, 4096), unmapOf(0x20000, 8192), physOf('dma_unmap_phys', 0x10010, '')];
  expect(collect(torn.join('\n')).unmapped).not.toEqual(collect([...one, ...other].join('\n')).unmapped);
});

test.each(['1', '0h'])('two that unmap at once do not mix: 0 and %s', (place) => {
  const there = (line: string): string => line.replace(/^0/, place);
  const [first, second] = [
    [unmapOf(0x10000, 4096), flushOf('cache_tag_flush_range', 0x10000, 1, 0), commandOf(0x10000, 0x40)],
    [unmapOf(0x20000, 8192), flushOf('cache_tag_flush_range', 0x20000, 2, 1), commandOf(0x20000, 0x41)],
  ];
  const mixed = first.flatMap((line, at) => [line, there(second[at] ?? '')]);
  expect(collect(mixed.join('\n')).unmapped).toEqual(collect([...first, ...second].join('\n')).unmapped);
});

test('a page for a descriptor pool is kept apart, wherever it lies', () => {
  const page = (iova: number, paddr: number): string =>
    [
      mapOf(iova, paddr, 4096),
      `0 dma_alloc: ${device} dir=BIDIRECTIONAL dma_addr=${iova.toString(16)} size=4096 virt_addr=00ab flags=X attrs=`,
    ].join('\n');
  const before = mapOf(0x10000, 0x5000, 4096);
  const lines = collect(
    [before, page(0x20000, 0x8000), physOf('dma_map_phys', 0x10010, 'phys_addr=5010 ')].join('\n'),
  );
  expect(lines.mapped).toHaveLength(2);
  expect(lines.poolPages).toEqual(collect(page(0x70000, 0x123000)).poolPages);
  expect(lines.poolPages).not.toEqual(collect(page(0x70000, 0x123001)).poolPages);
});

test('lines of other devices and domains are left out with what they explain', () => {
  const other = '0000:02:00.0';
  const text = [
    mapOf(0x10000, 0x5000, 4096),
    physOf('dma_map_phys', 0x10010, 'phys_addr=5010 ', other),
    unmapOf(0x10000, 4096),
    flushOf('cache_tag_flush_range', 0x10000, 1, 0, 25),
    commandOf(0x10000, 0x40),
    physOf('dma_unmap_phys', 0x10010, '', other),
    `0 dma_map_sg: ${other} dir=TO_DEVICE nents=1/1`,
  ];
  const lines = collect(text.join('\n'));
  expect([lines.mapped, lines.unmapped]).toEqual([[], []]);
});

test('a flush of the whole domain stands alone and is kept word by word', () => {
  const all =
    '0 cache_tag_flush_range: dmar0 dmar0[0] type iotlb did 24 [0x0-0xffffffffffffffff] addr 0x0 mask 0x34';
  const command = '0 qi_submit: iotlb_inv dmar0: 0x1800e2 0x0 0x0 0x0';
  const inside = [unmapOf(0x10000, 4096), all, command, physOf('dma_unmap_phys', 0x10010, '')];
  const before = [all, command, unmapOf(0x10000, 4096), physOf('dma_unmap_phys', 0x10010, '')];
  expect(collect(inside.join('\n')).unmapped).toEqual(collect(before.join('\n')).unmapped);
  const nearly = all.replace('0xffffffffffffffff', '0xfffffffffffffffe');
  expect(collect(nearly).unmapped).not.toEqual(collect(all).unmapped);
});

test('what has no known form equals nothing but itself', () => {
  for (const line of ['0 map: IOMMU: iova=1 - 2', '0 dma_map_phys: nothing', '0 sched_switch: a']) {
    expect(collect(line).mapped.map(({ text }) => `0 ${text}`)).toEqual([line]);
  }
});

test('an unmapping says which mapping it ends, the latest at its address', () => {
  const text = (order: readonly number[]): string =>
    [mapOf(0x8000, 0x5000, 4096), mapOf(0x9000, 0x7000, 4096)]
      .concat(order.map((iova) => unmapOf(iova, 4096)))
      .join('\n');
  const ends = (lines: NvioLines): string[] => lines.unmapped.map((group) => group.slice(0, 17));
  expect(ends(collect(text([0x9000, 0x8000])))).toEqual(['of mapping line 0', 'of mapping line 1']);
  expect(ends(collect(text([0x9000, 0x9000])))).toEqual(['of mapping line 1', 'of mapping line 1']);
  expect(ends(collect(text([0xa000])))).toEqual(['of mapping line n']);
  const again = [mapOf(0x8000, 0x5000, 4096), unmapOf(0x8000, 4096)].join('\n');
  expect(ends(collect([again, again].join('\n')))).toEqual(['of mapping line 0', 'of mapping line 1']);
});

test('a call that unmaps says which call mapped, none before it was made', () => {
  const [map, unmap] = [
    physOf('dma_map_phys', 0x1010, 'phys_addr=5010 '),
    physOf('dma_unmap_phys', 0x1010, ''),
  ];
  const start = (lines: readonly string[]): string | undefined =>
    collect(lines.join('\n')).unmapped[0]?.slice(0, 18);
  expect(start([map, unmap])).toBe('of call line 0: dm');
  expect(start([unmap, map])).toBe('of call line none:');
});

test('a command behind the next unmapping is not that of the flush before it', () => {
  const flush = flushOf('cache_tag_flush_range', 0x1000, 1, 0);
  const lines = [unmapOf(0x1000, 4096), flush, commandOf(0x1000, 0x40), unmapOf(0x2000, 4096)];
  const late = [unmapOf(0x1000, 4096), flush, unmapOf(0x2000, 4096), commandOf(0x1000, 0x40)];
  expect(collect(late.join('\n')).unmapped).not.toEqual(collect(lines.join('\n')).unmapped);
});

test('a flush of everything tells how many mappings were undone before it', () => {
  const all = `0s cache_tag_flush_range: dmar0 dmar0[0] type iotlb did 24 [0x0-0x${'f'.repeat(16)}] addr 0x0 mask 0x34`;
  const { unmapped } = collect([all, physOf('dma_unmap_phys', 0x1000, ''), all].join('\n'));
  expect(unmapped.slice(0, 2).map((group) => group.slice(0, 23))).toEqual([
    'behind 0 dma_unmap_phys',
    'behind 1 dma_unmap_phys',
  ]);
});

test('lists of other devices are left out with their maps and unmaps, whatever stands between', () => {
  const other = '0000:00:1f.2';
  const { mapped, unmapped } = collect(
    [
      mapOf(0x1000, 0x5000, 4096),
      mapOf(0x2000, 0x7000, 4096).replace('0 map', '1 map'),
      mapOf(0x3000, 0x7000, 4096).replace('0 map', '1 map'),
      mapOf(0x8000, 0x9000, 4096),
      `1 dma_map_sg: ${other} dir=TO_DEVICE nents=2/2 ents=2/2 dma_addrs={0x2000,0x3004} sizes={0x1000,0x10} attrs=`,
      `1h dma_unmap_sg: ${other} dir=TO_DEVICE phys_addrs={0x7000} attrs=`,
      unmapOf(0x2000, 4096).replace('0 unmap', '1h unmap'),
      unmapOf(0x8000, 4096),
    ].join('\n'),
  );
  expect(mapped.map(({ number }) => number)).toEqual([1, 4]);
  expect(unmapped).toEqual(['of mapping line 1: unmap: 4096 size=4096 unmapped_size=4096']);
});

test('an unmap whose flush is of another domain is not the disk’s', () => {
  const text = [
    mapOf(0x1000, 0x5000, 4096),
    unmapOf(0x1000, 4096),
    flushOf('cache_tag_flush_range', 0x1000, 1, 0, 9),
  ];
  expect(collect(text.join('\n')).unmapped).toEqual([]);
});

test('a list of the disk itself is kept as it is', () => {
  const sg = `dma_map_sg: ${device} dir=TO_DEVICE nents=1/1 ents=1/1 dma_addrs={0x2000} sizes={0x1000} phys_addrs={0x7000} attrs=`;
  expect(collect(`0 ${sg}`).mapped.map(({ text }) => text)).toEqual([sg]);
});

import { describe, expect, it } from 'vitest';
import { type EventCopy, readText } from '../../test/reader/read-whole.ts';
import { type KernelLine, traceFormats } from './trace-formats.ts';

/** One line of every event, in the words of the kernel, with what it says. `kernel` is what this line alone proves. */
const cases: readonly [line: string, expected: Partial<EventCopy>, kernel: string][] = [
  ...(['phys', 'page', 'resource'] as const).flatMap((kind): [string, Partial<EventCopy>, string][] => [
    [
      `dma_map_${kind}: 0000:01:00.0 dir=TO_DEVICE dma_addr=fffff200 size=512 phys_addr=104e3c200 attrs=SKIP_CPU_SYNC|MMIO`,
      {
        ...{ system: 'dma', device: '0000:01:00.0', direction: 'TO_DEVICE', dmaAddr: 0xfffff200 },
        ...{ size: 512, physAddr: 0x104e3c200, attrs: 'SKIP_CPU_SYNC|MMIO' },
      },
      kind === 'phys' ? '7.x' : '6.12',
    ],
    [
      `dma_unmap_${kind}: 0000:01:00.0 dir=FROM_DEVICE dma_addr=fffff200 size=512 attrs=`,
      { system: 'dma', direction: 'FROM_DEVICE', dmaAddr: 0xfffff200, size: 512, attrs: '' },
      kind === 'phys' ? '7.x' : '6.12',
    ],
  ]),
  [
    'dma_map_phys: 0000:01:00.0 dir=TO_DEVICE dma_addr=ffffffffffffffff size=4096 phys_addr=1000 attrs=',
    { dmaAddr: -1, physAddr: 0x1000, size: 4096 },
    '7.x',
  ],
  ...['dma_alloc', 'dma_alloc_pages', 'dma_alloc_sgt_err'].flatMap(
    (name): [string, Partial<EventCopy>, string][] => [
      [
        `${name}: 0000:81:00.0 dir=BIDIRECTIONAL dma_addr=fd340000 size=524288 virt_addr=000000005d1e20f3 flags=GFP_KERNEL|__GFP_ZERO attrs=NO_WARN`,
        {
          ...{ dmaAddr: 0xfd340000, size: 524288, virtAddr: '000000005d1e20f3', direction: 'BIDIRECTIONAL' },
          ...{ gfp: 'GFP_KERNEL|__GFP_ZERO', attrs: 'NO_WARN' },
        },
        '6.12+',
      ],
      [
        `${name}: 0000:81:00.0 dma_addr=0 size=4096 virt_addr=0000000000000000 flags=GFP_ATOMIC attrs=`,
        { dmaAddr: 0, size: 4096, virtAddr: '0000000000000000', direction: '', gfp: 'GFP_ATOMIC' },
        '6.12',
      ],
    ],
  ),
  [
    'dma_alloc_sgt: 0000:81:00.0 dir=NONE dma_addr=fd340000 size=8192 phys_addrs={0x1000,0x5000} flags=none attrs=',
    { direction: 'NONE', physAddrs: [0x1000, 0x5000], nents: 2, fullNents: 2, ents: 0, gfp: 'none' },
    '6.12+',
  ],
  ...['dma_free', 'dma_free_pages'].map((name): [string, Partial<EventCopy>, string] => [
    `${name}: 0000:81:00.0 dir=TO_DEVICE dma_addr=fd340000 size=524288 virt_addr=000000005d1e20f3 attrs=`,
    { dmaAddr: 0xfd340000, size: 524288, virtAddr: '000000005d1e20f3' },
    '6.12+',
  ]),
  [
    'dma_free_sgt: 0000:81:00.0 dir=TO_DEVICE dma_addr=fd340000 size=8192 phys_addrs={0x1000,0x5000}',
    { dmaAddr: 0xfd340000, size: 8192, physAddrs: [0x1000, 0x5000] },
    '6.12+',
  ],
  [
    'dma_map_sg: 0000:01:00.0 dir=FROM_DEVICE nents=2/200 ents=1/150 [TRUNCATED] dma_addrs={0xfffe0000} sizes={0x2000} phys_addrs={0x1000,0x2000} attrs=',
    {
      ...{ nents: 2, fullNents: 200, ents: 1, fullEnts: 150, truncated: true },
      ...{ dmaAddrs: [0xfffe0000], sizes: [0x2000], physAddrs: [0x1000, 0x2000] },
    },
    '6.12+',
  ],
  [
    'dma_map_sg: 0000:01:00.0 dir=FROM_DEVICE dma_addrs={0xfffe0000} sizes={0x2000} phys_addrs={0x1000,0x2000} attrs=MMIO',
    { nents: 2, fullNents: 2, ents: 1, fullEnts: 1, truncated: false, attrs: 'MMIO' },
    '6.12',
  ],
  [
    'dma_map_sg_err: 0000:01:00.0 dir=FROM_DEVICE dma_addrs={0x1000,0x2000} err=-12 attrs=',
    { physAddrs: [0x1000, 0x2000], dmaAddrs: [], code: -12, nents: 2, ents: 0 },
    '6.12+',
  ],
  [
    'dma_unmap_sg: 0000:01:00.0 dir=FROM_DEVICE phys_addrs={} attrs=',
    { physAddrs: [], nents: 0, direction: 'FROM_DEVICE' },
    '6.12+',
  ],
  ...['cpu', 'device'].flatMap((side): [string, Partial<EventCopy>, string][] => [
    [
      `dma_sync_single_for_${side}: 0000:01:00.0 dir=FROM_DEVICE dma_addr=fffff000 size=64`,
      { dmaAddr: 0xfffff000, size: 64 },
      '6.12+',
    ],
    [
      `dma_sync_sg_for_${side}: 0000:01:00.0 dir=FROM_DEVICE dma_addrs={0x1000,0x3000} sizes={0x10,0x20}`,
      { dmaAddrs: [0x1000, 0x3000], sizes: [0x10, 0x20], ents: 2, fullEnts: 2 },
      '6.12+',
    ],
  ]),
  [
    'map: IOMMU: iova=0x00000000fd340000 - 0x00000000fd3c0000 paddr=0x00000001b2f40000 size=524288',
    { system: 'iommu', dmaAddr: 0xfd340000, physAddr: 0x1b2f40000, size: 524288, rangeLast: -1 },
    'unknown',
  ],
  [
    'unmap: IOMMU: iova=0x00000000fd340000 - 0x00000000fd3c0000 size=524288 unmapped_size=4096',
    { dmaAddr: 0xfd340000, size: 524288, unmappedSize: 4096, physAddr: -1 },
    'unknown',
  ],
  ...(['add', 'remove'] as const).map((verb): [string, Partial<EventCopy>, string] => [
    `${verb}_device_${verb === 'add' ? 'to' : 'from'}_group: IOMMU: groupID=17 device=0000:00:14.0`,
    { group: 17, device: '0000:00:14.0' },
    'unknown',
  ]),
  ['attach_device_to_domain: IOMMU: device=0000:00:14.0', { device: '0000:00:14.0', group: -1 }, 'unknown'],
  ['detach_device_from_domain: IOMMU: device=0000:00:14.0', { device: '0000:00:14.0' }, '6.1'],
  [
    'io_page_fault: IOMMU:qla2xxx 0000:81:00.0 iova=0x00000000fd340000 flags=0x0001',
    { unit: 'qla2xxx', device: '0000:81:00.0', dmaAddr: 0xfd340000, code: 1 },
    'unknown',
  ],
  [
    'io_page_fault: IOMMU:HDA Intel 0000:81:00.0 iova=0x0000000000001000 flags=0x0000',
    { unit: 'HDA Intel', device: '0000:81:00.0', dmaAddr: 4096 },
    'unknown',
  ],
  [
    'swiotlb_bounced: dev_name: 0000:00:0a.0 dma_mask=7fffffffffffff dev_addr=16b2e5000 size=256 FORCE',
    { dmaMask: -1 },
    'unknown',
  ],
  [
    'swiotlb_bounced: dev_name: 0000:00:0a.0 dma_mask=fffffffffffff dev_addr=16b2e5000 size=256 FORCE',
    { dmaMask: 2 ** 52 - 1 },
    'unknown',
  ],
  [
    'map: IOMMU: iova=0x000ffffffffff000 - 0x0010000000000000 paddr=0x000ffffffffff000 size=4096',
    { dmaAddr: 2 ** 52 - 4096, physAddr: 2 ** 52 - 4096, size: 4096 },
    'unknown',
  ],
  [
    'io_page_fault: IOMMU:drv 0000:81:00.0 iova=0xffff888012345040 flags=0x0000',
    { dmaAddr: -2, addressText: '0xffff888012345040', code: 0 },
    'unknown',
  ],
  [
    'io_page_fault: IOMMU:drv 0000:81:00.0 iova=0xffffffffffffffff flags=0x0000',
    { dmaAddr: -1, addressText: '' },
    'unknown',
  ],
  [
    'qi_submit: iotlb_inv dmar0: 0x200f2 0xfffff040 0x0 0xfedcba9876543210',
    {
      ...{ system: 'intel_iommu', type: 'iotlb_inv', unit: 'dmar0', device: '' },
      words: [0x200f2, 0, 0xfffff040, 0, 0, 0, 0x76543210, 0xfedcba98],
    },
    'unknown',
  ],
  [
    'prq_report: dmar2/0000:6a:01.0 seq# 11: rid=0x6a08 addr=0x7f1234 rw-x',
    { unit: 'dmar2', device: '0000:6a:01.0', code: 11, text: 'rid=0x6a08 addr=0x7f1234 rw-x' },
    'unknown',
  ],
  ...(['assign', 'unassign', 'flush_all'] as const).map((verb): [string, Partial<EventCopy>, string] => [
    `cache_tag_${verb}: dmar2/0000:6a:01.0 type devtlb did 5 pasid -1 ref 2`,
    { unit: 'dmar2', device: '0000:6a:01.0', type: 'devtlb', domainId: 5, pasid: -1, code: 2 },
    verb === 'flush_all' ? '6.12' : '6.12+',
  ]),
  ...['cache_tag_flush_range', 'cache_tag_flush_range_np'].flatMap(
    (name): [string, Partial<EventCopy>, string][] => [
      [
        `${name}: dmar0 dmar0[0] type iotlb did 19 [0xfffff000-0xffffffff] addr 0xfffff000 mask 0x0`,
        {
          ...{ unit: 'dmar0', device: '', pasid: 0, type: 'iotlb', domainId: 19, pages: -1 },
          ...{ rangeStart: 0xfffff000, rangeLast: 0xffffffff, blockAddr: 0xfffff000, order: 0 },
        },
        '7.x',
      ],
      [
        `${name}: dmar0 0000:6a:01.0[7] type nesting_devtlb did 19 [0x0-0xffffffffffffffff] addr 0x0 pages 0x10 mask 0x34`,
        { device: '0000:6a:01.0', pasid: 7, type: 'nesting_devtlb', rangeLast: -1, pages: 16, order: 52 },
        '6.12',
      ],
    ],
  ),
  [
    'swiotlb_bounced: dev_name: fe330000.mmc dma_mask=ffffffff dev_addr=ffffffffffffffff size=4 NORMAL',
    { system: 'swiotlb', device: 'fe330000.mmc', dmaMask: 0xffffffff, dmaAddr: -1, size: 4, forced: false },
    'unknown',
  ],
  [
    'swiotlb_bounced: dev_name: 0000:00:0a.0 dma_mask=ffffffffffffffff dev_addr=16b2e5000 size=256 FORCE',
    { dmaMask: -1, dmaAddr: 0x16b2e5000, forced: true },
    'unknown',
  ],
];

describe('every event of every kernel', () => {
  it.each(cases)('%s', (line, expected, kernel) => {
    const { events, tally } = readText(`${line}\n`);
    expect([...tally.problems.keys()]).toEqual([]);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject(expected);
    expect(tally.kernel.version).toBe(kernel);
  });

  it('has a line here', () => {
    const named = new Set(cases.map(([line]) => line.slice(0, line.indexOf(':'))));
    const missing = traceFormats.filter(({ name, system }) => system !== 'marker' && !named.has(name));
    expect(missing).toEqual([]);
  });

  it('cut off before its last word is a truncated line', () => {
    const odd: string[] = [];
    for (const [line] of cases) {
      const lastWord = line.startsWith('prq_report') ? line.indexOf(': rid') : line.lastIndexOf(' ');
      for (let end = line.indexOf(':') + 1; end <= lastWord; end += 1) {
        const { tally } = readText(`${line.slice(0, end)}\n`);
        const kinds = [...tally.problems.keys()].join();
        if (kinds !== 'truncated') odd.push(`${kinds}: ${line.slice(0, end)}`);
      }
    }
    expect(odd).toEqual([]);
  });

  it('cut off within its size is seen where the line holds the size twice', () => {
    const map = cases.find(([line]) => line.startsWith('map:'))?.[0] ?? '';
    for (let end = map.lastIndexOf('=') + 2; end < map.length; end += 1) {
      expect([...readText(map.slice(0, end)).tally.problems.keys()]).toEqual(['inconsistent']);
    }
  });
});

describe('the kernel of a trace', () => {
  const lineOf = (name: string): string => cases.find(([line]) => line.startsWith(`${name}:`))?.[0] ?? '';
  const kernelOf = (...names: string[]): unknown =>
    readText(names.map((name) => `${lineOf(name)}\n`).join('')).tally.kernel;

  it('is told by the events that only it has', () => {
    expect(kernelOf('map', 'unmap')).toEqual({ version: 'unknown', evidence: [] });
    expect(kernelOf('map', 'dma_map_page')).toEqual({ version: '6.12', evidence: ['dma:dma_map_page'] });
    expect(kernelOf('dma_alloc', 'cache_tag_flush_range')).toEqual({
      version: '7.x',
      evidence: [
        'dma:dma_alloc',
        'dma:dma_alloc with dir=',
        'intel_iommu:cache_tag_flush_range',
        'intel_iommu:cache_tag_flush_range without pages 0x',
      ],
    });
  });

  it('is mixed when two kernels are proven', () => {
    expect(kernelOf('dma_map_page', 'dma_map_phys')).toMatchObject({ version: 'mixed' });
  });
});

describe('the table of formats', () => {
  const kernels: readonly KernelLine[] = ['6.1', '6.12', '7.x'];

  it.each(kernels)('has no event twice in %s', (kernel) => {
    const names = traceFormats.filter((format) => format.kernels.includes(kernel)).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('says of each part that may be missing which kernels have it', () => {
    for (const { text, parts = [] } of traceFormats) expect(text.split('<').length - 1).toBe(parts.length);
  });
});

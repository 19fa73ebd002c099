// Every event of the model that has a kernel trace event behind it, and its line. The lines of the first tables were
// printed by a real kernel; the others follow its print formats.
import type { ModelEvent } from '@sgfree/hw-model';
import { describe, expect, test } from 'vitest';
import { traceLine } from './trace-line.ts';

const device = '0000:00:0a.0';

const recorded: readonly [string, ModelEvent][] = [
  [
    'map: IOMMU: iova=0x00000000ffff0000 - 0x00000000ffffa000 paddr=0x0000000069fc2000 size=40960',
    { kind: 'iommu:map', iova: 0xffff0000, paddr: 0x69fc2000, size: 40960 },
  ],
  [
    'unmap: IOMMU: iova=0x00000000fffff000 - 0x0000000100000000 size=4096 unmapped_size=4096',
    { kind: 'iommu:unmap', iova: 0xfffff000, size: 4096, unmappedSize: 4096 },
  ],
  [
    'dma_map_phys: 0000:00:0a.0 dir=FROM_DEVICE dma_addr=ffff0000 size=39679 phys_addr=69fc2000 attrs=',
    {
      kind: 'dma:dma_map_phys',
      device,
      dir: 'FROM_DEVICE',
      dmaAddr: 0xffff0000,
      size: 39679,
      physAddr: 0x69fc2000,
      attrs: '',
    },
  ],
  [
    'dma_unmap_phys: 0000:00:0a.0 dir=FROM_DEVICE dma_addr=ff800000 size=6291456 attrs=SKIP_CPU_SYNC',
    {
      kind: 'dma:dma_unmap_phys',
      device,
      dir: 'FROM_DEVICE',
      dmaAddr: 0xff800000,
      size: 6291456,
      attrs: 'SKIP_CPU_SYNC',
    },
  ],
  [
    'dma_map_sg: 0000:00:0b.0 dir=FROM_DEVICE nents=1/1 ents=1/1 dma_addrs={0xfffff000} sizes={0x465} phys_addrs={0x3abb8000} attrs=',
    {
      kind: 'dma:dma_map_sg',
      device: '0000:00:0b.0',
      dir: 'FROM_DEVICE',
      nents: 1,
      fullNents: 1,
      ents: 1,
      fullEnts: 1,
      truncated: false,
      dmaAddrs: [0xfffff000],
      sizes: [0x465],
      physAddrs: [0x3abb8000],
      attrs: '',
    },
  ],
  [
    'dma_unmap_sg: 0000:00:0b.0 dir=TO_DEVICE phys_addrs={0x2fcd055c,0x2fcd16a8} attrs=',
    {
      kind: 'dma:dma_unmap_sg',
      device: '0000:00:0b.0',
      dir: 'TO_DEVICE',
      physAddrs: [0x2fcd055c, 0x2fcd16a8],
      attrs: '',
    },
  ],
  [
    'cache_tag_flush_range: dmar0 dmar0[0] type iotlb did 9 [0xff800000-0xffdfffff] addr 0xff800000 mask 0xb',
    {
      kind: 'intel_iommu:cache_tag_flush_range',
      unit: 'dmar0',
      device: 'dmar0',
      pasid: 0,
      type: 'iotlb',
      domainId: 9,
      startFrame: 0xff800,
      startOffset: 0,
      endFrame: 0xffdff,
      endOffset: 0xfff,
      blockFrame: 0xff800,
      order: 11,
    },
  ],
  [
    'qi_submit: iotlb_inv dmar0: 0x900f2 0xff80000b 0x0 0x0',
    {
      kind: 'intel_iommu:qi_submit',
      type: 'iotlb_inv',
      unit: 'dmar0',
      words: [0x900f2, 0, 0xff80000b, 0, 0, 0, 0, 0],
    },
  ],
  [
    'add_device_to_group: IOMMU: groupID=22 device=0000:01:00.0',
    { kind: 'iommu:add_device_to_group', group: 22, device: '0000:01:00.0' },
  ],
  [
    'attach_device_to_domain: IOMMU: device=0000:01:00.0',
    { kind: 'iommu:attach_device_to_domain', device: '0000:01:00.0' },
  ],
];

test.each(recorded)('%s', (line, event) => {
  expect(traceLine(event)).toBe(line);
});

const flushAll = {
  unit: 'dmar0',
  device: 'dmar0',
  pasid: 0,
  type: 'iotlb',
  domainId: 24,
  startFrame: 0,
  startOffset: 0,
  endFrame: 2 ** 52 - 1,
  endOffset: 0xfff,
  blockFrame: 0,
  order: 52,
};

const byFormat: readonly [string, ModelEvent][] = [
  [
    'dma_map_phys: 0000:00:0a.0 dir=TO_DEVICE dma_addr=ffffffffffffffff size=4096 phys_addr=1000 attrs=MMIO|NO_WARN',
    {
      kind: 'dma:dma_map_phys',
      device,
      dir: 'TO_DEVICE',
      dmaAddr: -1,
      size: 4096,
      physAddr: 0x1000,
      attrs: 'MMIO|NO_WARN',
    },
  ],
  [
    'dma_alloc: 0000:00:0a.0 dir=BIDIRECTIONAL dma_addr=fffff000 size=4096 virt_addr=0000000000123000 flags=none attrs=',
    {
      kind: 'dma:dma_alloc',
      device,
      dir: 'BIDIRECTIONAL',
      dmaAddr: 0xfffff000,
      size: 4096,
      virtAddr: 0x123000,
      attrs: '',
    },
  ],
  [
    'dma_free: 0000:00:0a.0 dir=BIDIRECTIONAL dma_addr=fffff000 size=4096 virt_addr=0000000000123000 attrs=',
    {
      kind: 'dma:dma_free',
      device,
      dir: 'BIDIRECTIONAL',
      dmaAddr: 0xfffff000,
      size: 4096,
      virtAddr: 0x123000,
      attrs: '',
    },
  ],
  [
    'dma_map_sg: 0000:00:0a.0 dir=BIDIRECTIONAL nents=1/129 ents=1/1 [TRUNCATED] dma_addrs={0x1000} sizes={0x2000} phys_addrs={0x3000} attrs=',
    {
      kind: 'dma:dma_map_sg',
      device,
      dir: 'BIDIRECTIONAL',
      nents: 1,
      fullNents: 129,
      ents: 1,
      fullEnts: 1,
      truncated: true,
      dmaAddrs: [0x1000],
      sizes: [0x2000],
      physAddrs: [0x3000],
      attrs: '',
    },
  ],
  [
    'dma_map_sg_err: 0000:00:0a.0 dir=TO_DEVICE dma_addrs={0x1000,0x2000} err=-5 attrs=',
    { kind: 'dma:dma_map_sg_err', device, dir: 'TO_DEVICE', dmaAddrs: [0x1000, 0x2000], err: -5, attrs: '' },
  ],
  [
    'dma_sync_single_for_cpu: 0000:00:0a.0 dir=FROM_DEVICE dma_addr=fffff000 size=512',
    { kind: 'dma:dma_sync_single_for_cpu', device, dir: 'FROM_DEVICE', dmaAddr: 0xfffff000, size: 512 },
  ],
  [
    'dma_sync_single_for_device: 0000:00:0a.0 dir=TO_DEVICE dma_addr=fffff000 size=512',
    { kind: 'dma:dma_sync_single_for_device', device, dir: 'TO_DEVICE', dmaAddr: 0xfffff000, size: 512 },
  ],
  [
    'dma_sync_sg_for_cpu: 0000:00:0a.0 dir=FROM_DEVICE dma_addrs={0x1000} sizes={0x200}',
    { kind: 'dma:dma_sync_sg_for_cpu', device, dir: 'FROM_DEVICE', dmaAddrs: [0x1000], sizes: [512] },
  ],
  [
    'dma_sync_sg_for_device: 0000:00:0a.0 dir=FROM_DEVICE dma_addrs={} sizes={}',
    { kind: 'dma:dma_sync_sg_for_device', device, dir: 'FROM_DEVICE', dmaAddrs: [], sizes: [] },
  ],
  [
    'swiotlb_bounced: dev_name: 0000:00:0a.0 dma_mask=ffffffffffffffff dev_addr=100000000 size=4096 FORCE',
    {
      kind: 'swiotlb:swiotlb_bounced',
      device,
      dmaMask: 2 ** 64,
      devAddr: 2 ** 32,
      size: 4096,
      forced: true,
    },
  ],
  [
    'swiotlb_bounced: dev_name: 0000:00:0a.0 dma_mask=ffffffff dev_addr=1000 size=1 NORMAL',
    {
      kind: 'swiotlb:swiotlb_bounced',
      device,
      dmaMask: 2 ** 32 - 1,
      devAddr: 0x1000,
      size: 1,
      forced: false,
    },
  ],
  [
    'map: IOMMU: iova=0xfffffffffffff000 - 0x0000000000000000 paddr=0x0000000000001000 size=4096',
    { kind: 'iommu:map', iovaFrame: 2 ** 52 - 1, iovaOffset: 0, paddr: 0x1000, size: 4096 },
  ],
  [
    'unmap: IOMMU: iova=0x0010000000000800 - 0x0010000000001800 size=4096 unmapped_size=0',
    { kind: 'iommu:unmap', iovaFrame: 2 ** 40, iovaOffset: 0x800, size: 4096, unmappedSize: 0 },
  ],
  [
    'io_page_fault: IOMMU:nvme 0000:01:00.0 iova=0x00000000fffe0000 flags=0x0030',
    {
      kind: 'iommu:io_page_fault',
      driver: 'nvme',
      device: '0000:01:00.0',
      iova: 0xfffe0000,
      flags: 0x30,
    },
  ],
  [
    'remove_device_from_group: IOMMU: groupID=3 device=0000:01:00.0',
    { kind: 'iommu:remove_device_from_group', group: 3, device: '0000:01:00.0' },
  ],
  [
    'cache_tag_flush_range: dmar0 dmar0[0] type iotlb did 24 [0x0-0xffffffffffffffff] addr 0x0 mask 0x34',
    { kind: 'intel_iommu:cache_tag_flush_range', ...flushAll },
  ],
  [
    'cache_tag_flush_range_np: dmar0 0000:01:00.0[0] type devtlb did 24 [0x800-0xfff] addr 0x0 mask 0x0',
    {
      kind: 'intel_iommu:cache_tag_flush_range_np',
      ...flushAll,
      device: '0000:01:00.0',
      type: 'devtlb',
      startOffset: 0x800,
      endFrame: 0,
      order: 0,
    },
  ],
  [
    'cache_tag_assign: dmar0/0000:01:00.0 type iotlb did 24 pasid 0 ref 1',
    {
      kind: 'intel_iommu:cache_tag_assign',
      unit: 'dmar0',
      device: '0000:01:00.0',
      type: 'iotlb',
      domainId: 24,
      pasid: 0,
      users: 1,
    },
  ],
  [
    'qi_submit: dev_tlb_inv dmar0: 0x10800000003 0x7ffffffffffff001 0x0 0x0',
    {
      kind: 'intel_iommu:qi_submit',
      type: 'dev_tlb_inv',
      unit: 'dmar0',
      words: [3, 0x108, 0xfffff001, 0x7fffffff, 0, 0, 0, 0],
    },
  ],
];

describe('lines by their format', () => {
  test.each(byFormat)('%s', (line, event) => {
    expect(traceLine(event)).toBe(line);
  });
});

test.each(['hw:iommu-fault', 'violation', 'toString', 'dma:read'])('%s has no line', (kind) => {
  expect(traceLine({ kind })).toBeUndefined();
});

import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type EventCopy, readText } from '../../test/reader/read-whole.ts';

const cases: readonly [line: string, expected: Partial<EventCopy>][] = [
  [
    '[   51.330914] mwifiex 0000:01:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x000d address=0xb7a41e60 flags=0x0070]',
    {
      ...{ name: 'amd_io_page_fault', time: 51330914000, device: '0000:01:00.0', unit: 'mwifiex' },
      ...{ domainId: 13, dmaAddr: 0xb7a41e60, code: 0x70, line: 2 },
    },
  ],
  [
    'nvidia 0000:0b:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0003 address=0x9a2f0080 flags=0x0020]',
    {
      name: 'amd_io_page_fault',
      time: -1,
      device: '0000:0b:00.0',
      domainId: 3,
      dmaAddr: 0x9a2f0080,
      code: 0x20,
    },
  ],
  [
    'AMD-Vi: Event logged [IO_PAGE_FAULT device=0b:00.0 domain=0x0003 address=0x000000009a2f0080 flags=0x0020]',
    { device: '0000:0b:00.0', unit: '', dmaAddr: 0x9a2f0080 },
  ],
  [
    'Nov 25 12:00:01 host kernel: AMD-Vi: Event logged [IO_PAGE_FAULT device=0001:0b:00.0 domain=0x0003 address=0x9a2f0080 flags=0x0020]',
    { device: '0001:0b:00.0', unit: '' },
  ],
  [
    '[12345.678901] DMAR: [DMA Read NO_PASID] Request device [0000:06:00.0] fault addr 0xfd340000 [fault reason 0x06] PTE Read access is not set',
    {
      ...{ name: 'dmar_fault', type: 'DMA Read', time: 12345678901000, device: '0000:06:00.0' },
      ...{ dmaAddr: 0xfd340000, code: 6, pasid: -1 },
    },
  ],
  [
    'DMAR: [DMA Write PASID 0x1f] Request device [6a:01.0] fault addr 0x1000 [fault reason 0x71] SM: Present bit in first-level paging entry is clear',
    { type: 'DMA Write', device: '0000:6a:01.0', pasid: 31, dmaAddr: 0x1000, code: 0x71 },
  ],
  [
    'DMAR: [DMA Read] Request device [00:02.0] PASID ffffffff fault addr 9c000000 [fault reason 06] PTE Read access is not set',
    { device: '0000:00:02.0', pasid: -1, dmaAddr: 0x9c000000, code: 6 },
  ],
  [
    'DMAR: [DMA Write] Request device [00:12.0] fault addr 0 [fault reason 12] non-zero reserved fields in PTE',
    { type: 'DMA Write', device: '0000:00:12.0', dmaAddr: 0, code: 12 },
  ],
  [
    'AMD-Vi: Event logged [IO_PAGE_FAULT device=0000:0b:00.0 pasid=0x0001f address=0x7f0000001000 flags=0x0021]',
    { device: '0000:0b:00.0', domainId: -1, pasid: 31, dmaAddr: 0x7f0000001000, addressText: '' },
  ],
  [
    'iommu ivhd0: AMD-Vi: Event logged [INVALID_DEVICE_REQUEST device=00:00.0 pasid=0x00000 address=0xfffffffdf8000000 flags=0x0a00]',
    {
      ...{ name: 'amd_invalid_device_request', device: '0000:00:00.0', unit: '', pasid: 0, code: 0xa00 },
      ...{ dmaAddr: -2, addressText: '0xfffffffdf8000000' },
    },
  ],
  [
    '[   13.137925] INVALID_DEVICE_REQUEST device=00:00.1 address=0x000000fdf8000020 flags=0x0a00]',
    { name: 'amd_invalid_device_request', device: '0000:00:00.1', dmaAddr: 0xfdf8000020, time: 13137925000 },
  ],
  [
    'kernel: [  221.565929] IO_PAGE_FAULT device=05:00.0 domain=0x0012 address=0x00000000ff6101b0 flags=0x0070]',
    { name: 'amd_io_page_fault', device: '0000:05:00.0', domainId: 18, dmaAddr: 0xff6101b0, code: 0x70 },
  ],
  [
    'AMD-Vi: Event logged [ILLEGAL_DEV_TABLE_ENTRY device=0000:c3:00.0 pasid=0x00000 address=0xfffffffffffffff0 flags=0x0080]',
    { name: 'amd_illegal_dev_table_entry', addressText: '0xfffffffffffffff0', code: 0x80 },
  ],
  [
    'AMD-Vi: Event logged [DEV_TAB_HARDWARE_ERROR device=0000:c3:00.0 address=0x1000 flags=0x0000]',
    { name: 'amd_dev_tab_hardware_error', dmaAddr: 0x1000 },
  ],
  [
    'AMD-Vi: Event logged [PAGE_TAB_HARDWARE_ERROR device=0000:c3:00.0 pasid=0x0000 address=0x2000 flags=0x0000]',
    { name: 'amd_page_tab_hardware_error', device: '0000:c3:00.0', dmaAddr: 0x2000 },
  ],
  [
    'iommu ivhd1: AMD-Vi: Event logged [ILLEGAL_COMMAND_ERROR address=0x10a3f0]',
    { name: 'amd_illegal_command_error', device: '', unit: 'ivhd1', dmaAddr: 0x10a3f0, code: 0 },
  ],
  [
    'pci 0000:00:00.2: AMD-Vi: Event logged [COMMAND_HARDWARE_ERROR address=0x10a3f0 flags=0x0010]',
    { name: 'amd_command_hardware_error', device: '', unit: '0000:00:00.2', code: 16 },
  ],
  [
    'AMD-Vi: Event logged [IOTLB_INV_TIMEOUT device=0000:43:00.0 address=0x10a3f0]',
    { name: 'amd_iotlb_inv_timeout', device: '0000:43:00.0', dmaAddr: 0x10a3f0 },
  ],
  [
    'AMD-Vi: Event logged [INVALID_PPR_REQUEST device=0000:43:00.0 pasid=0x00003 address=0x7f00 flags=0x0001 tag=0x004]',
    { name: 'amd_invalid_ppr_request', pasid: 3, dmaAddr: 0x7f00, code: 1 },
  ],
  [
    'drv 0000:43:00.0: AMD-Vi: Event logged [RMP_PAGE_FAULT vmg_tag=0x0001, gpa=0x7f00, flags_rmp=0x0002, flags=0x0020]',
    { name: 'amd_rmp_page_fault', device: '0000:43:00.0', unit: 'drv', dmaAddr: 0x7f00, code: 0x20 },
  ],
  [
    'AMD-Vi: Event logged [RMP_HW_ERROR device=0000:43:00.0, vmg_tag=0x0001, spa=0x7f00, flags=0x0020]',
    { name: 'amd_rmp_hw_error', device: '0000:43:00.0', dmaAddr: 0x7f00 },
  ],
  [
    'DMAR: [DMA Write NO_PASID] Request device [00:1f.2] fault addr 0xfffffffffffff000 [fault reason 0x04] Access beyond MGAW',
    { name: 'dmar_fault', dmaAddr: -2, addressText: '0xfffffffffffff000', code: 4 },
  ],
  [
    'DMAR: [DMA Read] Request device [00:12.0] fault addr 10000000000000 [fault reason 02]',
    { dmaAddr: -2, addressText: '0x10000000000000' },
  ],
  ['DMAR: [DMA Read] Request device [00:12.0] fault addr FFFFFFFFFFFFFFFF', { dmaAddr: -1, addressText: '' }],
  ['DMAR: [DMA Read] Request device [00:12.0] fault addr 000fffffffffffff', { dmaAddr: 2 ** 52 - 1 }],
  ['DMAR:[DMA Read] Request device [02:00.0] fault addr ffe5e000', { dmaAddr: 0xffe5e000, code: 0 }],
  [
    '[   17.606731] v3d fec00000.v3d: swiotlb buffer is full (sz: 536576 bytes), total 32768 (slots), used 3487 (slots)',
    {
      ...{ name: 'swiotlb_full', time: 17606731000, unit: 'v3d', device: 'fec00000.v3d' },
      ...{ size: 536576, slots: 32768, usedSlots: 3487 },
    },
  ],
  [
    'swiotlb buffer is full (sz: 2097152 bytes), total 524288 (slots), used 515875 (slots)',
    { device: '', size: 2097152, slots: 524288, usedSlots: 515875 },
  ],
  ['kernel: x 0000:00:02.0: swiotlb buffer is full (sz: 4096 bytes)', { device: '0000:00:02.0', slots: -1 }],
];

const trace = '            nvme-987     [001] .....    20.000001: ';
const map = `${trace}map: IOMMU: iova=0x0000000000001000 - 0x0000000000002000 paddr=0x0000000000001000 size=4096`;

describe('a kernel message about DMA among the lines of a trace', () => {
  it.each(cases)('%s', (line, expected) => {
    const { events, tally } = readText(`${map}\n${line}\n${map}\n`);
    expect(tally.problems.size).toBe(0);
    expect(events).toHaveLength(3);
    expect(events[1]).toMatchObject({ system: 'console', text: line, task: '', cpu: -1, ...expected });
    // Times of the log are no times of the trace.
    expect(tally).toMatchObject({ firstTime: 20000001000, lastTime: 20000001000 });
  });

  it.each(cases)('carried by the event of printk: %s', (line, expected) => {
    const { events } = readText(`${trace}console: ${line}\n`);
    const { time: _, line: __, ...rest } = expected;
    expect(events).toMatchObject([
      { ...rest, system: 'console', time: 20000001000, task: 'nvme-987', cpu: 1 },
    ]);
  });

  it('alone is usable', () => {
    const { tally } = readText(cases.map(([line]) => `${line}\n`).join(''));
    expect(tally).toMatchObject({ usable: true, eventLines: cases.length, format: 'unknown' });
    expect(Object.fromEntries(tally.events)).toEqual({
      'console:amd_command_hardware_error': 1,
      'console:amd_dev_tab_hardware_error': 1,
      'console:amd_illegal_command_error': 1,
      'console:amd_illegal_dev_table_entry': 1,
      'console:amd_invalid_device_request': 2,
      'console:amd_invalid_ppr_request': 1,
      'console:amd_io_page_fault': 6,
      'console:amd_iotlb_inv_timeout': 1,
      'console:amd_page_tab_hardware_error': 1,
      'console:amd_rmp_hw_error': 1,
      'console:amd_rmp_page_fault': 1,
      'console:dmar_fault': 9,
      'console:swiotlb_full': 3,
    });
  });

  it.each([
    ['[1.0] a 0000:00:02.0: AMD-Vi: Event logged [INVALID_DEVICE_REQUEST device=00:00.1]', 'console'],
    ['[    1.000000] DMAR: Host address width 39', 'console'],
    ['[    1.000000] AMD-Vi: Event logged [COMMAND_HARDWARE_ERROR flags=0x0010]', 'console'],
    ['[    1.000000] AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0003 address=0x8000004', 'console'],
    ['[    1.000000] AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0003 address=0x800x flags=0x0]', 'console'],
    [
      'DMAR: [DMA Read] Request device [00:12.0] fault addr 1ffffffffffffffff [fault reason 02]',
      'absurd-number',
    ],
    ['AMD-Vi: something else', 'not-a-trace-line'],
  ])('%s is not one of them', (line, kind) => {
    const { events, tally } = readText(`${line}\n`);
    expect(events).toEqual([]);
    expect([...tally.problems.keys()]).toEqual([kind]);
  });
});

const excerpts: URL = new URL('../../../../../shared/data/excerpts/', import.meta.url);

/** Published texts are not part of the workspace; where they do not lie beside it, nothing of them is tested. */
const describePublished: (name: string, tests: () => void) => void = existsSync(excerpts)
  ? describe
  : (name) => process.stderr.write(`${name}: ../shared/data is not here, so they are not read\n`);

describePublished('texts from the field', () => {
  const read = (name: string): ReturnType<typeof readText> =>
    readText(readFileSync(new URL(name, excerpts), 'utf8'));

  it('a use after free behind an AMD IOMMU', () => {
    const { events, tally } = read('iommu-dma-trace-ath12k-uaf.txt');
    expect(tally.problems.size).toBe(0);
    expect(events.map(({ name }) => name)).toEqual([
      'map',
      'dma_alloc',
      'dma_free',
      'unmap',
      'io_page_fault',
    ]);
    expect(events[4]).toMatchObject({ device: '0000:c2:00.0', task: 'irq/26-AMD-Vi-154', code: 1 });
  });

  it('maps of a virtual machine among dumps and debug messages', () => {
    const { tally } = read('iommu-trace-vtd.txt');
    expect(Object.fromEntries(tally.events)).toEqual({ 'iommu:map': 12, 'iommu:unmap': 2 });
    expect(tally.problems.get('console')).toEqual({ count: 6, firstLine: 19 });
  });

  it('faults and full pools', () => {
    expect(Object.fromEntries(read('amdvi-faults-and-p2p-address.txt').tally.events)).toEqual({
      'console:amd_io_page_fault': 4,
      'console:dmar_fault': 2,
    });
    expect(Object.fromEntries(read('swiotlb.txt').tally.events)).toEqual({
      'console:swiotlb_full': 5,
      'swiotlb:swiotlb_bounced': 3,
    });
  });
});

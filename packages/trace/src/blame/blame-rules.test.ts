import { describe, expect, it } from 'vitest';
import {
  at,
  BUFFER,
  blamed,
  DISK,
  mapPhys,
  NIC,
  only,
  PHYS,
  pageFault,
  streamed,
  tableMap,
  tableUnmap,
  unmapPhys,
} from '../../test/planted-trace.ts';

describe('each rule', () => {
  const rows: readonly (readonly [string, readonly string[], string, string])[] = [
    [
      'a fault after an unmapping',
      [...streamed, pageFault(6.25, NIC, BUFFER + 0x480, 1)],
      'use-after-unmap',
      'strong',
    ],
    [
      'a fault long after an unmapping',
      [...streamed, pageFault(16, NIC, BUFFER + 0x480, 1)],
      'use-after-unmap',
      'likely',
    ],
    [
      'a fault in the page, beside the buffer',
      [...streamed, pageFault(6.25, NIC, BUFFER, 1)],
      'use-after-unmap',
      'likely',
    ],
    [
      'a fault after a free',
      [
        tableMap(4, BUFFER, PHYS, 0x10000),
        at(
          4.1,
          `dma_alloc: ${NIC} dir=BIDIRECTIONAL dma_addr=fd400000 size=65536 virt_addr=00000000aa00bb11 flags=GFP_KERNEL attrs=`,
        ),
        at(
          9,
          `dma_free: ${NIC} dir=BIDIRECTIONAL dma_addr=fd400000 size=65536 virt_addr=00000000aa00bb11 attrs=`,
        ),
        tableUnmap(9.000004, BUFFER, 0x10000),
        pageFault(9.004, NIC, BUFFER + 0x3000, 0),
      ],
      'use-after-free',
      'strong',
    ],
    [
      'a write to a buffer mapped for reading',
      [...mapPhys(5, NIC, 'TO_DEVICE', BUFFER, 8192, PHYS), pageFault(7, NIC, BUFFER + 0x1010, 1)],
      'wrong-direction',
      'strong',
    ],
    [
      'a write to a buffer mapped for reading where one for writing was before',
      [
        ...streamed,
        ...mapPhys(6.1, NIC, 'TO_DEVICE', BUFFER, 4096, PHYS),
        pageFault(6.2, NIC, BUFFER + 0x90, 1),
      ],
      'wrong-direction',
      'likely',
    ],
    [
      'a write to a buffer mapped for reading where one for writing was long before',
      [
        ...streamed,
        ...mapPhys(96.1, NIC, 'TO_DEVICE', BUFFER, 4096, PHYS),
        pageFault(96.2, NIC, BUFFER + 0x90, 1),
      ],
      'wrong-direction',
      'strong',
    ],
    [
      'a read of a buffer mapped for writing',
      [...mapPhys(5, NIC, 'FROM_DEVICE', BUFFER, 8192, PHYS), pageFault(7, NIC, BUFFER + 0x1010, 0)],
      'wrong-direction',
      'strong',
    ],
    [
      'an access that the mapping allows',
      [...mapPhys(5, NIC, 'TO_DEVICE', BUFFER, 8192, PHYS), pageFault(7, NIC, BUFFER + 0x1010, 0)],
      'live-but-refused',
      'possible',
    ],
    [
      'an unmapping right behind the fault',
      [
        ...mapPhys(5, NIC, 'TO_DEVICE', BUFFER, 8192, PHYS),
        pageFault(7, NIC, BUFFER, 0),
        ...unmapPhys(7.0001, NIC, 'TO_DEVICE', BUFFER, 8192),
      ],
      'unmap-race',
      'likely',
    ],
    [
      'a mapping right behind the fault',
      [pageFault(7, NIC, BUFFER, 0), ...mapPhys(7.0002, NIC, 'TO_DEVICE', BUFFER, 8192, PHYS)],
      'mapped-only-later',
      'likely',
    ],
    [
      'an access past the end',
      [...mapPhys(5, NIC, 'FROM_DEVICE', BUFFER, 8192, PHYS), pageFault(7, NIC, BUFFER + 8192 + 40, 1)],
      'overrun',
      'likely',
    ],
    [
      'an access far past the end',
      [...mapPhys(5, NIC, 'FROM_DEVICE', BUFFER, 8192, PHYS), pageFault(7, NIC, BUFFER + 8192 + 40_000, 1)],
      'overrun',
      'possible',
    ],
    [
      'an access before the start',
      [...mapPhys(5, NIC, 'FROM_DEVICE', BUFFER, 8192, PHYS), pageFault(7, NIC, BUFFER - 64, 1)],
      'underrun',
      'possible',
    ],
    [
      'null',
      [...mapPhys(5, NIC, 'FROM_DEVICE', BUFFER, 8192, PHYS), pageFault(7, NIC, 0x40, 0)],
      'small-address',
      'strong',
    ],
    [
      'nearly null',
      [...mapPhys(5, NIC, 'FROM_DEVICE', BUFFER, 8192, PHYS), pageFault(7, NIC, 0x8040, 0)],
      'small-address',
      'likely',
    ],
    [
      'the error value',
      [
        at(
          5,
          `dma_map_phys: ${NIC} dir=TO_DEVICE dma_addr=ffffffffffffffff size=4096 phys_addr=${PHYS.toString(16)} attrs=`,
        ),
        at(6, `io_page_fault: IOMMU:drv ${NIC} iova=0xffffffffffffffff flags=0x0000`),
      ],
      'mapping-error-used',
      'strong',
    ],
    [
      'the error value in 48 bits, after a failure',
      [
        at(
          5,
          `dma_map_phys: ${NIC} dir=TO_DEVICE dma_addr=ffffffffffffffff size=4096 phys_addr=${PHYS.toString(16)} attrs=`,
        ),
        pageFault(6, NIC, 2 ** 48 - 1, 0),
      ],
      'mapping-error-used',
      'likely',
    ],
    [
      'the low half of an address',
      [...mapPhys(5, NIC, 'TO_DEVICE', 0x3_5000_0000, 8192, PHYS), pageFault(6, NIC, 0x5000_1000, 0)],
      'truncated-to-32-bits',
      'strong',
    ],
    [
      'a physical address',
      [...mapPhys(5, NIC, 'TO_DEVICE', BUFFER, 8192, PHYS), pageFault(6, NIC, PHYS + 0x1004, 0)],
      'physical-address-used',
      'strong',
    ],
    [
      'the address before bouncing',
      [
        at(5, `swiotlb_bounced: dev_name: ${NIC} dma_mask=ffffffff dev_addr=16b2e5000 size=256 NORMAL`),
        pageFault(6, NIC, 0x16b2e_5010, 0),
      ],
      'bounced-original-used',
      'likely',
    ],
    [
      "another device's mapping",
      [...mapPhys(5, DISK, 'TO_DEVICE', BUFFER, 8192, PHYS), pageFault(6, NIC, BUFFER, 0)],
      'other-device',
      'possible',
    ],
    [
      "another function's mapping",
      [...mapPhys(5, '0000:41:00.1', 'TO_DEVICE', BUFFER, 8192, PHYS), pageFault(6, NIC, BUFFER, 0)],
      'other-device',
      'likely',
    ],
    [
      "a group member's mapping",
      [
        at(1, `add_device_to_group: IOMMU: groupID=9 device=${NIC}`),
        at(1, `add_device_to_group: IOMMU: groupID=9 device=${DISK}`),
        ...mapPhys(5, DISK, 'TO_DEVICE', BUFFER, 8192, PHYS),
        pageFault(6, NIC, BUFFER, 0),
      ],
      'other-device',
      'likely',
    ],
    [
      'nothing near',
      [...mapPhys(5, NIC, 'TO_DEVICE', BUFFER, 8192, PHYS), pageFault(6, NIC, BUFFER + 2 ** 24, 0)],
      'never-mapped',
      'possible',
    ],
    [
      'nothing near, and events lost',
      [
        'CPU:1 [LOST 12 EVENTS]',
        ...mapPhys(5, NIC, 'TO_DEVICE', BUFFER, 8192, PHYS),
        pageFault(6, NIC, BUFFER + 2 ** 24, 0),
      ],
      'unknown',
      'possible',
    ],
    [
      'an interrupt',
      [
        ...streamed,
        `[    6.500000] AMD-Vi: Event logged [IO_PAGE_FAULT device=${NIC} domain=0x0003 address=0xfdf8000000 flags=0x0008]`,
      ],
      'interrupt-not-memory',
      'strong',
    ],
    [
      'a device without a context entry',
      [
        ...streamed,
        '[    6.500000] DMAR: [DMA Read NO_PASID] Request device [41:00.0] fault addr 0xfd400000 [fault reason 0x02] Present bit in context entry is clear',
      ],
      'device-not-set-up',
      'strong',
    ],
    [
      'an address too wide',
      [
        ...streamed,
        `[    6.500000] DMAR: [DMA Write NO_PASID] Request device [${NIC}] fault addr 0x7fff00000000 [fault reason 0x04] Access beyond MGAW`,
      ],
      'address-too-wide',
      'strong',
    ],
    [
      'a malformed table',
      [
        ...streamed,
        `[    6.500000] DMAR: [DMA Write NO_PASID] Request device [${NIC}] fault addr 0xfd400000 [fault reason 0x0c] non-zero reserved fields in PTE`,
      ],
      'malformed-table',
      'strong',
    ],
  ];

  it.each(rows)('%s', (_name, lines, code, confidence) => {
    expect(only(blamed(lines)).reasons[0]).toMatchObject({ code, confidence });
  });

  it('tells of the former buffer too when the live one forbids what it allowed', () => {
    const lines = [
      ...streamed,
      ...mapPhys(6.1, NIC, 'TO_DEVICE', BUFFER, 4096, PHYS),
      pageFault(6.2, NIC, BUFFER + 0x90, 1),
    ];
    const [, second] = only(blamed(lines)).reasons;
    expect(second).toMatchObject({ code: 'use-after-unmap', confidence: 'likely' });
    expect(second?.evidence.map(({ text }) => text).join()).toContain(
      'a live mapping of the device is here too',
    );
  });
});

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
  streamed,
  unmapPhys,
} from '../../test/planted-trace.ts';

const mapped = mapPhys(5, NIC, 'FROM_DEVICE', BUFFER, 8192, PHYS);
const fault = (address: string, device = NIC): string =>
  at(6, `io_page_fault: IOMMU:drv ${device} iova=0x${address.padStart(16, '0')} flags=0x0001`, 'irq/31-x-9');
const amd = (event: string): string => `[    6.000000] iommu ivhd0: AMD-Vi: Event logged [${event}]`;
const dmar = (address: string, reason = '0x05'): string =>
  `[    6.000000] DMAR: [DMA Write NO_PASID] Request device [41:00.0] fault addr 0x${address} [fault reason ${reason}] x`;

describe('an address that no mapping has', () => {
  it.each([
    ['the kernel has', [fault('ffff9c8123456040')], 'kernel-pointer', 'likely'],
    [
      'the kernel has for memory that is mapped',
      [fault((0xffff888000000000n + BigInt(PHYS) + 0x40n).toString(16))],
      'kernel-pointer',
      'strong',
    ],
    [
      'the kernel has for memory that another device has mapped',
      [fault((0xffff888000000000n + BigInt(PHYS) + 0x40n).toString(16), DISK)],
      'kernel-pointer',
      'likely',
    ],
    ['is a mapped one with its sign extended', [fault('fffffffffd400040')], 'sign-extended', 'strong'],
    [
      'was a mapped one, with its sign extended',
      [...unmapPhys(5.5, NIC, 'FROM_DEVICE', BUFFER, 8192), fault('fffffffffd400040')],
      'sign-extended',
      'likely',
    ],
    ['is an unmapped one with its sign extended', [fault('fffffffffe400040')], 'kernel-pointer', 'likely'],
    ['is written over freed memory', [fault('6b6b6b6b6b6b6b6b')], 'poison-pattern', 'strong'],
    ['is written over freed memory, cut', [dmar('6b6b6b6b6000')], 'poison-pattern', 'strong'],
    ['is a list poison', [fault('dead000000000122')], 'poison-pattern', 'strong'],
    ['is the error value', [fault('ffffffffffffffff')], 'mapping-error-used', 'strong'],
    ['is the page of the error value', [dmar('fffffffffffff000')], 'mapping-error-used', 'strong'],
    ['is next to the error value', [fault('ffffffffffffffc0')], 'mapping-error-used', 'likely'],
    ['is beyond the unit', [dmar('fffffffffffff000', '0x04')], 'mapping-error-used', 'strong'],
    ['is only wide', [fault('1234567890abcdef')], 'address-too-wide', 'likely'],
    ['is the first wide one', [fault('10000000000000')], 'address-too-wide', 'likely'],
    ['is an interrupt', [dmar('fee00000')], 'interrupt-not-memory', 'likely'],
    [
      'is an interrupt on HyperTransport',
      [amd(`IO_PAGE_FAULT device=${NIC} domain=0x0003 address=0xfffffffdf8000000 flags=0x0020`)],
      'interrupt-not-memory',
      'likely',
    ],
    [
      "is HyperTransport's",
      [amd(`IO_PAGE_FAULT device=${NIC} domain=0x0003 address=0xfffe000000 flags=0x0020`)],
      'reserved-range',
      'likely',
    ],
  ])('%s', (_name, lines, code, confidence) => {
    const report = blamed([...mapped, ...lines]);
    expect(only(report).reasons[0]).toMatchObject({ code, confidence });
    expect(only(report).reasons.map((reason) => reason.code)).not.toContain('not-traced');
  });

  it('is told exactly, and its neighbours are none', () => {
    const story = only(blamed([...mapped, fault('ffff9c8123456789'), fault('ffff9c8123456989')]));
    expect(story).toMatchObject({
      count: 2,
      fault: { addressText: '0xffff9c8123456789' },
      addressLowText: '0xffff9c8123456789',
      addressHighText: '0xffff9c8123456989',
      around: { belowLive: undefined, coveringCount: 0 },
    });
  });

  it('can be asked about by its digits', () => {
    const report = blamed([...mapped, fault('ffff9c8123456789'), fault('ffff9c8123457789')], {
      address: 'ffff9c8123456fff',
    });
    expect(report.stories.map(({ fault: { addressText } }) => addressText)).toEqual([
      '0xffff9c8123456fff',
      '0xffff9c8123456789',
    ]);
  });
});

describe('events of AMD-Vi that are no page faults', () => {
  it.each([
    [
      'ILLEGAL_DEV_TABLE_ENTRY',
      `device=${NIC} pasid=0x0 address=0xfd400000 flags=0x0080`,
      'device-not-set-up',
    ],
    ['DEV_TAB_HARDWARE_ERROR', `device=${NIC} address=0xfd400000 flags=0x0080`, 'device-not-set-up'],
    ['PAGE_TAB_HARDWARE_ERROR', `device=${NIC} address=0xfd400000 flags=0x0080`, 'malformed-table'],
    ['ILLEGAL_COMMAND_ERROR', 'address=0xfd400000', 'unit-command'],
    ['COMMAND_HARDWARE_ERROR', 'address=0xfd400000 flags=0x0010', 'unit-command'],
    ['IOTLB_INV_TIMEOUT', `device=${NIC} address=0xfd400000`, 'device-silent'],
    ['INVALID_DEVICE_REQUEST', `device=${NIC} address=0xfd400000 flags=0x0a00`, 'request-not-allowed'],
    ['INVALID_PPR_REQUEST', `device=${NIC} address=0xfd400000 flags=0x0a00 tag=0x001`, 'request-not-allowed'],
    ['RMP_PAGE_FAULT', `device=${NIC}, vmg_tag=0x1, gpa=0xfd400000, flags=0x0020`, 'reverse-map-refused'],
  ])('%s', (name, pairs, code) => {
    const story = only(blamed([...streamed, amd(`${name} ${pairs}`)]));
    // What had been mapped there is no reason, except where a table of mappings is at fault.
    const codes = story.reasons.map((reason) => reason.code);
    if (code === 'malformed-table') expect(codes[0]).toBe(code);
    else expect(codes).toEqual([code]);
  });
});

describe('a storm', () => {
  it('of a thousand faults is told one by one', () => {
    const faults = Array.from({ length: 1000 }, (_one, index) =>
      fault((0x2000_0000 + index * 8192).toString(16)),
    );
    const { stories, notExplained } = blamed([...streamed, ...mapped, ...faults]);
    expect(stories).toHaveLength(1000);
    expect(notExplained).toBe(0);
    expect(stories.every(({ around }) => around.aboveLive?.dmaAddr === BUFFER)).toBe(true);
  });
});

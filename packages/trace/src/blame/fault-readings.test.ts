import { describe, expect, it } from 'vitest';
import { readText } from '../../test/reader/read-whole.ts';
import type { TraceEvent } from '../trace-event.ts';
import { amdFlagBits, amdFlagsReading } from './amd-fault-flags.ts';
import { dmarReading } from './dmar-fault-reason.ts';
import { addressOfDigits, signExtended } from './fault-address.ts';
import { ioPageFaultReading } from './fault-reading.ts';
import { recordedFault } from './recorded-fault.ts';

describe('flags of io_page_fault', () => {
  it.each([
    [0x0, 'read', 'translation'],
    [0x1, 'write', 'translation'],
    // Bit 0 says read, the hardware bit RW says write: nobody knows.
    [0x20, 'unknown', 'translation'],
    [0x10, 'read', 'translation'],
    [0x21, 'write', 'translation'],
    [0x71, 'write', 'translation'],
    [0x11, 'unknown', 'translation'],
  ] as const)('0x%s', (flags, access, kind) => {
    const reading = ioPageFaultReading(flags);
    expect(reading).toMatchObject({ access, kind });
    expect(reading.others).toHaveLength(flags > 1 ? 1 : 0);
  });
});

describe('flags of an AMD-Vi line', () => {
  it.each([
    [0x000, 'none', 'read', 'not-mapped'],
    [0x020, 'RW', 'write', 'not-mapped'],
    [0x050, 'PR|PE', 'read', 'denied'],
    [0x070, 'PR|RW|PE', 'write', 'denied'],
    [0x010, 'PR', 'read', 'translation'],
    [0x0b0, 'PR|RW|RZ', 'write', 'table'],
    [0x008, 'I', 'unknown', 'interrupt'],
    [0x100, 'TR', 'read', 'not-mapped'],
    [0xa02, 'NX|0xa00', 'read', 'not-mapped'],
  ] as const)('0x%s', (flags, bits, access, kind) => {
    expect(amdFlagBits(flags)).toBe(bits);
    expect(amdFlagsReading(flags)).toMatchObject({ access, kind });
  });
});

describe('reasons of a DMAR line', () => {
  it.each([
    [0x01, 'device-entry'],
    [0x02, 'device-entry'],
    [0x04, 'width'],
    [0x05, 'translation'],
    [0x06, 'translation'],
    [0x07, 'table'],
    [0x0b, 'device-entry'],
    [0x0c, 'table'],
    [0x0e, 'unknown'],
    [0x1f, 'unknown'],
    [0x22, 'interrupt'],
    [0x27, 'unknown'],
    [0x45, 'device-entry'],
    [0x71, 'not-mapped'],
    [0x79, 'translation'],
    [0x80, 'width'],
    [0x84, 'width'],
    [0x85, 'denied'],
    [0x87, 'interrupt'],
    [0xff, 'unknown'],
  ] as const)('0x%s', (reason, kind) => {
    expect(dmarReading(reason, 'read')).toMatchObject({ access: 'read', kind });
  });

  it('names the access of reasons 5 and 6 when the words do not', () => {
    expect(dmarReading(5, 'unknown').access).toBe('write');
    expect(dmarReading(6, 'unknown').access).toBe('read');
    expect(dmarReading(2, 'unknown').access).toBe('unknown');
  });
});

describe('console lines', () => {
  it.each([
    [
      'DMAR: [DMA Write NO_PASID] Request device [0000:06:00.0] fault addr 0x7ff3000 [fault reason 0x05] PTE Write access is not set',
      { source: 'dmar', device: '0000:06:00.0', address: 0x7ff3000, addressBytes: 4096, code: 5 },
      'write',
    ],
    [
      'DMAR: [DMA Read] Request device [00:1d.7] PASID ffffffff fault addr 3c000000 [fault reason 06] PTE Read access is not set',
      { source: 'dmar', device: '0000:00:1d.7', address: 0x3c000000, code: 6, codeText: 'reason 0x06' },
      'read',
    ],
    [
      'DMAR:[DMA Read] Request device [03:00.1] fault addr ffff0000 [fault reason 12] non-zero reserved fields in PTE',
      { source: 'dmar', device: '0000:03:00.1', code: 12 },
      'read',
    ],
    [
      'DMAR:[DMA Read] Request device [03:00.1] fault addr ffff0000 ',
      { source: 'dmar', code: 0, codeText: 'no reason', reading: { kind: 'unknown' } },
      'read',
    ],
    [
      '[   12.000001] xhci_hcd 0000:0a:00.3: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0012 address=0xdf3e1140 flags=0x0020]',
      {
        ...{ source: 'amd-vi', driver: 'xhci_hcd', device: '0000:0a:00.3', address: 0xdf3e1140, code: 0x20 },
        ...{ addressBytes: 1, codeText: 'flags 0x0020 (RW)' },
      },
      'write',
    ],
    [
      'AMD-Vi: Event logged [IO_PAGE_FAULT device=0000:21:00.0 domain=0x0004 address=0x90000080 flags=0x0050]',
      { source: 'amd-vi', driver: '', device: '0000:21:00.0', code: 0x50 },
      'read',
    ],
    [
      'AMD-Vi: Event logged [INVALID_DEVICE_REQUEST device=0000:21:00.0 pasid=0x00000 address=0xfffffffdf8000000 flags=0x0a00]',
      {
        ...{ source: 'amd-vi', device: '0000:21:00.0', addressText: '0xfffffffdf8000000' },
        ...{ address: 0xfffffffdf8000000, codeText: 'INVALID_DEVICE_REQUEST, flags 0x0a00' },
        reading: { kind: 'request' },
      },
      'unknown',
    ],
    [
      'iommu ivhd0: AMD-Vi: Event logged [ILLEGAL_COMMAND_ERROR address=0x100]',
      { device: '', driver: 'ivhd0', reading: { kind: 'command' } },
      'unknown',
    ],
  ] as const)('%s', (text, expected, access) => {
    const [event] = readText(`${text}\n`).events;
    const fault = recordedFault(event as TraceEvent);
    expect(fault).toMatchObject(expected);
    expect(fault?.reading.access).toBe(access);
  });

  it('about a full pool tells no fault', () => {
    const [event] = readText('drv 0000:21:00.0: swiotlb buffer is full (sz: 4096 bytes)\n').events;
    expect(recordedFault(event as TraceEvent)).toBeUndefined();
  });
});

describe('addresses of 64 bits', () => {
  it.each([
    ['0x0', 0, '0x0'],
    ['fffffffffffff', 2 ** 52 - 1, '0xfffffffffffff'],
    ['0x10000000000123', 2 ** 52, '0x10000000000123'],
    ['0xFFFF888012345FFF', 0xffff888012345000, '0xffff888012345fff'],
    ['ffffffffffffffff', 2 ** 64 - 4096, '0xffffffffffffffff'],
    ['0000000000001000', 4096, '0x1000'],
  ])('%s', (digits, address, addressText) => {
    expect(addressOfDigits(digits)).toEqual({ address, addressText });
  });

  it.each([
    ['0xfffffffffe980040', 32, 0xfe980040],
    ['0xfffffffffe980040', 40, 0xfffe980040],
    ['0xffffffff7e980040', 32, -1],
    ['0xfffffffdf8000000', 32, -1],
    ['0xfffffffdf8000000', 40, 0xfdf8000000],
    ['0xffff888012345678', 48, 0x888012345678],
    ['0xfe980040', 32, -1],
  ] as const)('%s as a number of %i bits', (digits, bits, low) => {
    expect(signExtended(addressOfDigits(digits), bits)).toBe(low);
  });
});

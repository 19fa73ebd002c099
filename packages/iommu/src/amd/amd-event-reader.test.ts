// Faults from the device to the kernel: what the driver reads from the log, traces and prints.
import { AmdEventType, AmdRegister, AmdStatus } from '@sgfree/hw-model';
import { describe, expect, test } from 'vitest';
import { type AmdMachine, amdMachine, DEVICE, deviceSees, pageAddress } from '../../test/amd-machine.ts';
import { type AmdLoggedEvent, amdEventText, IOMMU_READ, IOMMU_WRITE, iommuMap } from '../index.ts';

const hba = { driver: 'qla2xxx', device: '0000:41:00.0' };

function attached(): AmdMachine {
  const machine = amdMachine({ driver: { describeDevice: (id) => (id === DEVICE ? hba : null) } });
  machine.iommu.attachDevice(machine.iommu.allocPagingDomain(), DEVICE);
  machine.log.enabled = true;
  return machine;
}

test('a page fault of an attached device is traced with the flags of the IOMMU core and printed with its own', () => {
  const machine = attached();
  const { iommu, log } = machine;
  const domain = iommu.allocPagingDomain();
  iommu.attachDevice(domain, DEVICE);
  iommuMap(domain, pageAddress(0x10), 0x1000 as never, 0x1000, IOMMU_READ);
  iommuMap(domain, pageAddress(0x11), 0x1000 as never, 0x1000, IOMMU_WRITE);
  log.clear();
  for (const page of [0x10, 0x20]) deviceSees(machine, page, DEVICE, true);
  for (const page of [0x11, 0x21]) deviceSees(machine, page, DEVICE, false);
  const events = iommu.processEventLog();
  expect(events.map((event) => amdEventText(event, hba))).toEqual(
    [
      'domain=0x0003 address=0x10000 flags=0x0070',
      'domain=0x0003 address=0x20000 flags=0x0020',
      'domain=0x0003 address=0x11000 flags=0x0050',
      'domain=0x0003 address=0x21000 flags=0x0000',
    ].map((rest) => `qla2xxx 0000:41:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT ${rest}]`),
  );
  const traced = (iova: number, flags: number) => ({ kind: 'iommu:io_page_fault', ...hba, iova, flags });
  expect(log.events).toEqual([
    traced(0x10000, 1),
    traced(0x20000, 1),
    traced(0x11000, 0),
    traced(0x21000, 0),
  ]);
  expect(iommu.processEventLog()).toEqual([]);
  expect(machine.unit.eventInterruptPending).toBe(false);
  // An entry that has been read is zeroed.
  const [base] = machine.unit.readRegister64(AmdRegister.EVENT_BASE);
  expect(machine.memory.frameWords(base >>> 12).every((word) => word === 0)).toBe(true);
});

test('devices that are not attached, or unknown, are not traced', () => {
  const machine = attached();
  machine.iommu.detachDevice(DEVICE);
  for (const device of [DEVICE, 0x208]) deviceSees(machine, 0x42, device);
  expect(
    machine.iommu.processEventLog().map(({ deviceId, domainId, flags }) => [deviceId, domainId, flags]),
  ).toEqual([
    [DEVICE, 0, 0x020],
    [0x208, 0, 0x020],
  ]);
  expect(machine.log.events).toEqual([]);
});

test('by default every device has its PCI name and no driver', () => {
  const machine = amdMachine();
  machine.iommu.attachDevice(machine.iommu.allocPagingDomain(), 0x2ab);
  machine.log.enabled = true;
  deviceSees(machine, 0x42, 0x2ab);
  machine.iommu.processEventLog();
  expect(machine.log.events).toEqual([
    { kind: 'iommu:io_page_fault', driver: 'pci', device: '0000:02:15.3', iova: 0x42000, flags: 1 },
  ]);
});

test('the log goes round, and after an overflow it is started again without what was lost', () => {
  const machine = attached();
  const { iommu, unit } = machine;
  const read = (count: number): number[] => {
    for (let page = 0; page < count; page += 1) deviceSees(machine, page);
    return iommu.processEventLog().map(({ address }) => address / 4096);
  };
  const pages = (count: number): number[] => Array.from({ length: count }, (_, page) => page);
  for (const count of [400, 400, 511]) expect(read(count)).toEqual(pages(count));
  expect(unit.counters.eventsLost).toBe(0);
  expect(read(600)).toEqual(pages(511));
  expect(unit.counters).toMatchObject({ eventsLost: 1, faults: 1911 });
  expect(unit.readRegister32(AmdRegister.STATUS)).toBe(
    AmdStatus.eventLogRunning | AmdStatus.commandBufferRunning,
  );
  expect(read(5)).toEqual(pages(5));
});

describe('console lines', () => {
  const event = (type: number, flags: number, address: number): AmdLoggedEvent => ({
    type,
    deviceId: 0x41_00,
    domainId: 0x2e,
    flags,
    address,
  });
  test.each<[AmdLoggedEvent, string]>([
    [
      event(AmdEventType.ioPageFault, 0x70, 0x5a3c7e40),
      'IO_PAGE_FAULT device=0000:41:00.0 domain=0x002e address=0x5a3c7e40 flags=0x0070',
    ],
    [
      event(AmdEventType.illegalDeviceTableEntry, 0xa0, 0x1000),
      'ILLEGAL_DEV_TABLE_ENTRY device=0000:41:00.0 pasid=0x0002e address=0x1000 flags=0x00a0',
    ],
    [
      event(AmdEventType.pageTableHardwareError, 0x200, 0x1008),
      'PAGE_TAB_HARDWARE_ERROR device=0000:41:00.0 pasid=0x002e address=0x1008 flags=0x0200',
    ],
    [
      event(AmdEventType.deviceTableHardwareError, 0x200, 0x1020),
      'DEV_TAB_HARDWARE_ERROR device=0000:41:00.0 address=0x1020 flags=0x0200',
    ],
    [event(AmdEventType.illegalCommand, 0, 0x5010), 'ILLEGAL_COMMAND_ERROR address=0x5010'],
    [
      event(AmdEventType.commandHardwareError, 0x200, 0x5010),
      'COMMAND_HARDWARE_ERROR address=0x5010 flags=0x0200',
    ],
    [
      event(AmdEventType.invalidDeviceRequest, 0, 0xfee00000),
      'INVALID_DEVICE_REQUEST device=0000:41:00.0 pasid=0x0002e address=0xfee00000 flags=0x0000',
    ],
    [event(13, 0, 0), 'UNKNOWN event type 13'],
  ])('%#', (logged, text) => {
    expect(amdEventText(logged, null)).toBe(`AMD-Vi: Event logged [${text}]`);
  });
});

// Reserved regions: the interrupt range for all, firmware's memory for some, mapped one to one where it is missing.
import { physAddr } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { expect, test } from 'vitest';
import { DEVICE, deviceSees, mapPage, vtdMachine } from '../../test/vtd-machine.ts';
import { iommuCreateDeviceDirectMappings } from '../index.ts';

const firmwareRegions = [
  { base: physAddr(0x7f800), bytes: 0x2800, requesterIds: [DEVICE], relaxable: false },
  { base: physAddr(0x90000), bytes: 0x1000, requesterIds: [DEVICE, DEVICE + 8], relaxable: true },
];

test('regions of a device: firmware first, then interrupts', () => {
  const { iommu } = vtdMachine({ driver: { firmwareRegions } });
  const shape = (requesterId: number) =>
    iommu.reservedRegions(requesterId).map(({ start, bytes, type }) => [start, bytes, type]);
  const msi = [0xfee00000, 0x100000, 'msi'];
  expect(shape(3)).toEqual([msi]);
  expect(shape(DEVICE + 8)).toEqual([[0x90000, 0x1000, 'direct-relaxable'], msi]);
  expect(shape(DEVICE)).toEqual([[0x7f800, 0x2800, 'direct'], [0x90000, 0x1000, 'direct-relaxable'], msi]);
});

test('direct regions are mapped one to one, both ends rounded up, mapped pages left alone', () => {
  const machine = vtdMachine({ driver: { firmwareRegions } });
  const domain = machine.iommu.allocPagingDomain();
  machine.iommu.attachDevice(domain, DEVICE);
  mapPage(domain, 0x81, 0x1234);
  expect(iommuCreateDeviceDirectMappings(domain, machine.iommu.reservedRegions(DEVICE))).toBe(0);
  const seen = [0x7f, 0x80, 0x81, 0x82, 0x83, 0x90, 0x91, 0xfee00].map((page) => deviceSees(machine, page));
  expect(seen).toEqual([-1, 0x80, 0x1234, -1, -1, 0x90, -1, 0xfee00]);
  expect(domain.mapCalls).toBe(3);
  expect(iommuCreateDeviceDirectMappings(domain, machine.iommu.reservedRegions(DEVICE))).toBe(0);
  expect(domain.mapCalls).toBe(3);
});

test('a domain of a caller gets none; no memory is told', () => {
  const { iommu, frames } = vtdMachine({ driver: { firmwareRegions } });
  const own = iommu.allocPagingDomain(null, 'unmanaged');
  expect(iommuCreateDeviceDirectMappings(own, iommu.reservedRegions(DEVICE))).toBe(0);
  expect(own.mapCalls).toBe(0);
  const domain = iommu.allocPagingDomain();
  frames.failAfter = 1;
  expect(iommuCreateDeviceDirectMappings(domain, iommu.reservedRegions(DEVICE))).toBe(-Errno.ENOMEM);
  expect(domain.table.liveLeafEntries).toBe(0);
});

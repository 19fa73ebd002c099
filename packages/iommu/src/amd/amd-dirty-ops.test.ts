// Domains that record writes: who may have one, what stands in the device table, and which commands the unit gets.
import { dirtyTrackingAmdFeatures, dmaAddr, physAddr } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { expect, test } from 'vitest';
import {
  amdMachine,
  commandsOf,
  DEVICE,
  deviceEntry,
  deviceSees,
  mapPage,
  PAGE,
  pageAddress,
} from '../../test/amd-machine.ts';
import { AmdIommu, iommuMap, type PagingDomain, ProtectionDomainIds } from '../index.ts';

const HAD = 0x180n;
const features = dirtyTrackingAmdFeatures;

function recording(machine: ReturnType<typeof amdMachine>): PagingDomain {
  const opened = machine.iommu.openPagingDomain('unmanaged', true);
  if (!opened.ok) throw new Error('no domain');
  return opened.value;
}

const hadOf = (machine: ReturnType<typeof amdMachine>, deviceId = DEVICE): bigint =>
  BigInt(`0x${deviceEntry(machine, deviceId)[0]}`) & HAD;

const track = (domain: PagingDomain, enable: boolean): number | undefined =>
  domain.dirtyOps?.setDirtyTracking(domain, enable);

function dirtyPages({ dirtyOps }: PagingDomain, keep = false): number[] {
  const pages: number[] = [];
  dirtyOps?.bits.read(0, 0xff, keep, (first, units) => pages.push(first, units));
  return pages;
}

test('a unit that cannot record writes makes no such domain and lets no device into one', () => {
  const domainIds = new ProtectionDomainIds();
  const able = amdMachine({ features, driver: { domainIds } });
  const unable = amdMachine({ driver: { domainIds } });
  expect([able.iommu.dirtyTracking, unable.iommu.dirtyTracking]).toEqual([true, false]);
  expect(unable.iommu.openPagingDomain('unmanaged', true)).toEqual({ ok: false, errno: Errno.EOPNOTSUPP });
  const domain = recording(able);
  const plain = able.iommu.allocPagingDomain('unmanaged');
  expect(unable.iommu.attachDevice(plain, DEVICE)).toBe(0);
  const before = deviceEntry(unable);
  expect(unable.iommu.attachDevice(domain, DEVICE)).toBe(-Errno.EINVAL);
  expect(deviceEntry(unable)).toEqual(before);
  expect(unable.iommu.attachDevice(domain, 0x400)).toBe(-Errno.ENODEV);
  expect(able.iommu.attachDevice(domain, DEVICE)).toBe(0);
});

test('HAD stands in the entries of attached devices while writes are recorded, also of those that come later', () => {
  const machine = amdMachine({ features });
  const domain = recording(machine);
  machine.iommu.attachDevice(domain, DEVICE);
  expect(hadOf(machine)).toBe(0n);
  expect(track(domain, true)).toBe(0);
  expect(hadOf(machine)).toBe(HAD);
  machine.iommu.attachDevice(domain, 0x208);
  expect(hadOf(machine, 0x208)).toBe(HAD);
  // The table grows a level: the entries are written anew.
  const [before] = deviceEntry(machine);
  expect(iommuMap(domain, dmaAddr(2 ** 40), physAddr(PAGE), PAGE, 3)).toBe(0);
  expect(deviceEntry(machine)[0]).not.toBe(before);
  expect([hadOf(machine), hadOf(machine, 0x208)]).toEqual([HAD, HAD]);
  machine.iommu.detachDevice(0x208);
  expect(hadOf(machine, 0x208)).toBe(0n);
  expect(track(domain, false)).toBe(0);
  expect(hadOf(machine)).toBe(0n);
});

test('the unit reads each entry again and forgets the domain, once; a change that is none does nothing', () => {
  const machine = amdMachine({ features });
  const domain = recording(machine);
  expect(commandsOf(machine, () => track(domain, true))).toEqual([]);
  expect(commandsOf(machine, () => track(domain, false))).toEqual([]);
  machine.iommu.attachDevice(domain, DEVICE);
  machine.iommu.attachDevice(domain, 0x208);
  const id = machine.iommu.domainIdOf(domain).toString(16).padStart(4, '0');
  const [newest, older, pages, wait, ...more] = commandsOf(machine, () => track(domain, true));
  expect([newest, older]).toEqual([
    '00000208 20000000 00000000 00000000',
    '00000100 20000000 00000000 00000000',
  ]);
  expect(pages).toBe(`00000000 3000${id} fffff003 7fffffff`);
  expect(wait?.slice(9, 13)).toBe('1000');
  expect(more).toEqual([]);
  expect(commandsOf(machine, () => track(domain, true))).toEqual([]);
});

test('what a device writes is found, once, and again only after a flush and another write', () => {
  const machine = amdMachine({ features });
  const domain = recording(machine);
  machine.iommu.attachDevice(domain, DEVICE);
  for (let page = 0x40; page < 0x48; page += 1) mapPage(domain, page, 0x1000 + page);
  deviceSees(machine, 0x41);
  expect(dirtyPages(domain)).toEqual([]);
  track(domain, true);
  for (const page of [0x42, 0x45]) expect(deviceSees(machine, page)).toBe(0x1000 + page);
  expect(deviceSees(machine, 0x44, DEVICE, false)).toBe(0x1044);
  expect(dirtyPages(domain, true)).toEqual([0x42, 1, 0x45, 1]);
  expect(dirtyPages(domain)).toEqual([0x42, 1, 0x45, 1]);
  deviceSees(machine, 0x42);
  expect(dirtyPages(domain)).toEqual([]);
  domain.ops.flushIotlbAll(domain);
  deviceSees(machine, 0x42);
  expect(dirtyPages(domain)).toEqual([0x42, 1]);
  track(domain, false);
  deviceSees(machine, 0x47);
  expect(dirtyPages(domain)).toEqual([]);
  expect(machine.unit.translate(DEVICE, pageAddress(0x47), true)).toBe(0x1047 * PAGE);
});

test('a domain that was not made for it has no record', () => {
  const { iommu } = amdMachine({ features });
  expect(iommu.allocPagingDomain('unmanaged').dirtyOps).toBeNull();
  expect(iommu).toBeInstanceOf(AmdIommu);
});

// The driver on its unit: a device is attached, pages are mapped, reached, unmapped and out of reach; strict mode.
import {
  recordedVtdCapabilities,
  recordedVtdCapabilitiesCachingMode,
  recordedVtdCapabilitiesScalable,
  VtdFaultStatus,
  VtdRegister,
} from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { describe, expect, test } from 'vitest';
import { intelEvent, intelEventsOf } from '../../test/intel-events.ts';
import {
  DEVICE,
  deviceSees,
  mapPage,
  PAGE,
  pageAddress,
  type VtdMachineOptions,
  vtdMachine,
} from '../../test/vtd-machine.ts';
import { iommuFlushIotlbAll, iommuMap, iommuUnmap } from '../index.ts';

const OTHER = 0x0208;
const firstStage: VtdMachineOptions = {
  capabilities: { cap: [0x222f0606, 0x00d2008c], ecap: [0x80f00f4a, 0xc800] },
  driver: { scalableMode: true },
};
const scalable: VtdMachineOptions = {
  capabilities: recordedVtdCapabilitiesScalable,
  driver: { scalableMode: true },
};
const kinds: readonly [string, VtdMachineOptions][] = [
  ['legacy', {}],
  ['legacy, caching mode', { capabilities: recordedVtdCapabilitiesCachingMode }],
  ['scalable, second stage, caching mode', scalable],
  ['scalable, first stage', firstStage],
];

describe.each(kinds)('%s', (_title, options) => {
  test('map, reach, unmap, out of reach, map again elsewhere', () => {
    const machine = vtdMachine(options);
    const domain = machine.iommu.allocPagingDomain(22);
    expect(deviceSees(machine, 0x42)).toBe(-1);
    expect(machine.iommu.attachDevice(domain, DEVICE)).toBe(0);
    expect(deviceSees(machine, 0x42)).toBe(-1);
    expect(mapPage(domain, 0x42, 0x1234)).toBe(0);
    expect(deviceSees(machine, 0x42)).toBe(0x1234);
    expect(deviceSees(machine, 0x43)).toBe(-1);
    expect(iommuUnmap(domain, pageAddress(0x42), PAGE)).toBe(PAGE);
    expect(deviceSees(machine, 0x42)).toBe(-1);
    expect(mapPage(domain, 0x42, 0x2345)).toBe(0);
    expect(deviceSees(machine, 0x42)).toBe(0x2345);
    expect(machine.iommu.counters.errors).toBe(0);
  });

  test('one skipped invalidation, and the device reaches the old page', () => {
    const machine = vtdMachine(options);
    const domain = machine.iommu.allocPagingDomain();
    machine.iommu.attachDevice(domain, DEVICE);
    mapPage(domain, 0x42, 0x1234);
    expect(deviceSees(machine, 0x42)).toBe(0x1234);
    machine.unit.dropNextInvalidations(1);
    iommuUnmap(domain, pageAddress(0x42), PAGE);
    expect(machine.unit.counters.droppedInvalidations).toBe(1);
    expect(deviceSees(machine, 0x42)).toBe(0x1234);
    mapPage(domain, 0x42, 0x2345);
    const second = machine.unit.capabilities.cachingMode ? 0x2345 : 0x1234;
    expect(deviceSees(machine, 0x42)).toBe(second);
  });

  test('unmapping two megabytes frees a table: what it led to is out of reach, its page can be used again', () => {
    const machine = vtdMachine(options);
    const domain = machine.iommu.allocPagingDomain();
    machine.iommu.attachDevice(domain, DEVICE);
    const before = machine.frames.liveFrames;
    for (let page = 0; page < 512; page += 1) mapPage(domain, 0x600 + page, 0x1000 + 2 * page);
    const mapped = machine.frames.liveFrames;
    expect(deviceSees(machine, 0x601)).toBe(0x1002);
    expect(iommuUnmap(domain, pageAddress(0x600), 512 * PAGE)).toBe(512 * PAGE);
    expect(machine.frames.liveFrames).toBe(mapped - 1);
    expect(mapped).toBeGreaterThan(before);
    // The freed table comes back for another address and holds another entry in the same slot.
    mapPage(domain, 0x40000 + 1, 0x3333);
    expect([deviceSees(machine, 0x601), deviceSees(machine, 0x40001)]).toEqual([-1, 0x3333]);
  });

  test('detached devices are blocked, the domain lives on for others', () => {
    const machine = vtdMachine(options);
    const { iommu } = machine;
    const domain = iommu.allocPagingDomain();
    iommu.attachDevice(domain, DEVICE);
    iommu.attachDevice(domain, OTHER);
    mapPage(domain, 0x42, 0x1234);
    expect([deviceSees(machine, 0x42), deviceSees(machine, 0x42, OTHER)]).toEqual([0x1234, 0x1234]);
    iommu.detachDevice(DEVICE);
    expect([deviceSees(machine, 0x42), deviceSees(machine, 0x42, OTHER)]).toEqual([-1, 0x1234]);
    iommuUnmap(domain, pageAddress(0x42), PAGE);
    expect(deviceSees(machine, 0x42, OTHER)).toBe(-1);
    expect(iommu.domainIdOf(domain)).toBe(2);
    iommu.detachDevice(OTHER);
    iommu.detachDevice(OTHER);
    expect([iommu.domainIdOf(domain), iommu.liveDomainIds]).toEqual([-1, 0]);
  });

  test('moving a device to another domain takes effect at once', () => {
    const machine = vtdMachine(options);
    const { iommu } = machine;
    const [one, other] = [iommu.allocPagingDomain(), iommu.allocPagingDomain()];
    mapPage(one, 0x42, 0x1111);
    mapPage(other, 0x42, 0x2222);
    for (const [domain, frame] of [
      [one, 0x1111],
      [other, 0x2222],
      [one, 0x1111],
    ] as const) {
      expect(iommu.attachDevice(domain, DEVICE)).toBe(0);
      expect(deviceSees(machine, 0x42)).toBe(frame);
    }
    expect(iommu.liveDomainIds).toBe(1);
  });

  test('identity: addresses pass as they are, until the device gets a domain', () => {
    const machine = vtdMachine(options);
    const { iommu } = machine;
    expect(iommu.attachIdentity(DEVICE)).toBe(0);
    expect(deviceSees(machine, 0x1357)).toBe(0x1357);
    const domain = iommu.allocPagingDomain();
    iommu.attachDevice(domain, DEVICE);
    expect(deviceSees(machine, 0x1357)).toBe(-1);
    iommu.attachIdentity(DEVICE);
    iommu.detachDevice(DEVICE);
    expect(deviceSees(machine, 0x1357)).toBe(-1);
  });

  test('no memory: attaching fails and leaves nothing behind, then works', () => {
    const machine = vtdMachine(options);
    const { frames, iommu } = machine;
    const domain = iommu.allocPagingDomain();
    let failures = 0;
    for (let allowed = 0; ; allowed += 1) {
      frames.failAfter = allowed;
      const errno = iommu.attachDevice(domain, DEVICE);
      frames.failAfter = -1;
      if (errno === 0) break;
      failures += 1;
      expect(errno).toBe(-Errno.ENOMEM);
      expect([iommu.liveDomainIds, iommu.domainIdOf(domain)]).toEqual([0, -1]);
      expect(deviceSees(machine, 0x42)).toBe(-1);
    }
    expect(failures).toBeGreaterThan(0);
    mapPage(domain, 0x42, 0x1234);
    expect(deviceSees(machine, 0x42)).toBe(0x1234);
  });
});

test('no memory for a domain is -ENOMEM', () => {
  const { frames, iommu } = vtdMachine();
  frames.failAfter = 0;
  expect(iommu.openPagingDomain()).toEqual({ ok: false, errno: Errno.ENOMEM });
  expect(() => iommu.allocPagingDomain()).toThrow('errno 12');
});

test('counters: one command and one wait for an unmap, none for a map', () => {
  const { iommu, unit } = vtdMachine();
  const domain = iommu.allocPagingDomain();
  iommu.attachDevice(domain, DEVICE);
  const start = { ...iommu.counters };
  mapPage(domain, 0x42, 0x1234);
  expect(iommu.counters).toEqual(start);
  iommuUnmap(domain, pageAddress(0x42), PAGE);
  expect(iommu.counters).toMatchObject({ commands: start.commands + 1, waits: start.waits + 1 });
  expect(unit.counters.iotlbPage).toBe(1);
  expect(unit.counters.waits).toBe(iommu.counters.waits);
});

test('beyond the largest mask the whole domain is flushed, and the hint is lost', () => {
  const { iommu, log } = vtdMachine();
  const domain = iommu.allocPagingDomain(7);
  iommu.attachDevice(domain, DEVICE);
  const gigabyte = 2 ** 30;
  expect(iommuMap(domain, pageAddress(2 ** 18), 0 as never, 2 * gigabyte, 3)).toBe(0);
  log.enabled = true;
  iommuUnmap(domain, pageAddress(2 ** 18), gigabyte);
  iommuUnmap(domain, pageAddress(2 ** 19), gigabyte);
  mapPage(domain, 2 ** 19 - 1, 1);
  mapPage(domain, 2 ** 19, 2);
  iommuUnmap(domain, pageAddress(2 ** 19 - 1), 2 * PAGE);
  iommuFlushIotlbAll(domain);
  expect(intelEventsOf(log)).toEqual(
    [
      'cache_tag_flush_range: dmar0 dmar0[0] type iotlb did 9 [0x40000000-0x7fffffff] addr 0x40000000 mask 0x12',
      'qi_submit: iotlb_inv dmar0: 0x900f2 0x40000052 0x0 0x0',
      'cache_tag_flush_range: dmar0 dmar0[0] type iotlb did 9 [0x80000000-0xbfffffff] addr 0x80000000 mask 0x12',
      'qi_submit: iotlb_inv dmar0: 0x900f2 0x80000052 0x0 0x0',
      'cache_tag_flush_range: dmar0 dmar0[0] type iotlb did 9 [0x7ffff000-0x80000fff] addr 0x0 mask 0x14',
      'qi_submit: iotlb_inv dmar0: 0x900e2 0x0 0x0 0x0',
      'cache_tag_flush_range: dmar0 dmar0[0] type iotlb did 9 [0x0-0xffffffffffffffff] addr 0x0 mask 0x34',
      'qi_submit: iotlb_inv dmar0: 0x900e2 0x0 0x0 0x0',
    ].map(intelEvent),
  );
});

test('first stage: flushes go by PASID, a whole flush takes the PASID, a map flushes nothing', () => {
  const { iommu, log } = vtdMachine(firstStage);
  const domain = iommu.allocPagingDomain();
  iommu.attachDevice(domain, DEVICE);
  log.enabled = true;
  mapPage(domain, 0x42, 0x1234);
  iommuUnmap(domain, pageAddress(0x42), PAGE);
  iommuFlushIotlbAll(domain);
  const commands = intelEventsOf(log).filter(({ kind }) => kind.endsWith('qi_submit'));
  expect(commands).toEqual(
    [
      'qi_submit: p_iotlb_inv dmar0: 0x20036 0x42040 0x0 0x0',
      'qi_submit: p_iotlb_inv dmar0: 0x20026 0x0 0x0 0x0',
    ].map(intelEvent),
  );
});

test('a unit with write buffers has them flushed after a map', () => {
  const machine = vtdMachine({ capabilities: { ...recordedVtdCapabilities, cap: [0x222f0616, 0x00d2008c] } });
  const domain = machine.iommu.allocPagingDomain();
  machine.iommu.attachDevice(domain, DEVICE);
  const { commands } = machine.iommu.counters;
  const flushes = machine.unit.counters.writeBufferFlushes;
  mapPage(domain, 0x42, 0x1234);
  expect(machine.unit.counters.writeBufferFlushes).toBe(flushes + 1);
  expect(machine.iommu.counters.commands).toBe(commands);
  expect(machine.unit.translationEnabled).toBe(true);
});

test('domain ids run out: -ENOSPC, and one that comes back is used', () => {
  const sixteenIds = { ...recordedVtdCapabilities, cap: [0x222f0600, 0x00d2008c] as [number, number] };
  const { iommu } = vtdMachine({ capabilities: sixteenIds });
  const domains = Array.from({ length: 15 }, () => iommu.allocPagingDomain());
  const errnos = domains.map((domain, at) => iommu.attachDevice(domain, at));
  expect(errnos).toEqual([...Array<number>(14).fill(0), -Errno.ENOSPC]);
  iommu.detachDevice(5);
  expect(iommu.attachDevice(domains[14] as never, 14)).toBe(0);
  expect(iommu.domainIdOf(domains[14] as never)).toBe(7);
});

test('a unit refuses domains it cannot walk, and identity without pass-through', () => {
  const legacy = vtdMachine();
  const modern = vtdMachine(firstStage);
  expect(legacy.iommu.attachDevice(modern.iommu.allocPagingDomain(), DEVICE)).toBe(-Errno.EINVAL);
  const narrow = vtdMachine({ capabilities: { ...recordedVtdCapabilities, cap: [0x22260206, 0x00d2008c] } });
  expect(narrow.iommu.attachDevice(legacy.iommu.allocPagingDomain(), DEVICE)).toBe(-Errno.EINVAL);
  const plain = vtdMachine({ capabilities: { ...recordedVtdCapabilities, ecap: [0xf02, 0] } });
  expect(plain.iommu.attachIdentity(DEVICE)).toBe(-Errno.EINVAL);
  expect(deviceSees(plain, 0x42)).toBe(-1);
});

test('39-bit tables: three levels, and the unit stops at their width', () => {
  const machine = vtdMachine({ capabilities: { ...recordedVtdCapabilities, cap: [0x22260206, 0x00d2008c] } });
  const domain = machine.iommu.allocPagingDomain();
  machine.iommu.attachDevice(domain, DEVICE);
  expect([domain.table.levels, domain.geometry.apertureLastFrame]).toEqual([3, 2 ** 27 - 1]);
  expect(mapPage(domain, 2 ** 27 - 1, 0x77)).toBe(0);
  expect(deviceSees(machine, 2 ** 27 - 1)).toBe(0x77);
  expect(mapPage(domain, 2 ** 27, 0x77)).toBe(-Errno.ERANGE);
  expect(deviceSees(machine, 2 ** 27)).toBe(-1);
  expect(machine.unit.readRegister32(VtdRegister.FSTS) & VtdFaultStatus.pending).not.toBe(0);
});

test.each<[string, VtdMachineOptions, string]>([
  ['legacy mode', {}, 'dma-fq'],
  ['legacy mode, caching mode', { capabilities: recordedVtdCapabilitiesCachingMode }, 'dma'],
  ['scalable mode, second stage, caching mode', scalable, 'dma'],
  ['scalable mode, first stage', firstStage, 'dma-fq'],
])('a lazy domain in %s', (_title, options, type) => {
  const { iommu } = vtdMachine(options);
  expect(iommu.allocPagingDomain(null, 'dma-fq').type).toBe(type);
  expect(iommu.allocPagingDomain(null, 'unmanaged').type).toBe('unmanaged');
});

// The driver on its unit: what it writes into the device table, and what devices reach because of it.
import { dmaAddr, physAddr, recordedAmdFeatures } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { describe, expect, test } from 'vitest';
import {
  type AmdMachineOptions,
  amdMachine,
  bareAmdUnit,
  DEVICE,
  deviceEntry,
  deviceSees,
  mapPage,
  PAGE,
  pageAddress,
} from '../../test/amd-machine.ts';
import { vtdMachine } from '../../test/vtd-machine.ts';
import {
  AMD_HT_REGION,
  AMD_MSI_REGION,
  AmdIommu,
  amdAddressBits,
  IOMMU_READ,
  iommuDomainFree,
  iommuFlushIotlbAll,
  iommuUnmap,
  ProtectionDomainIds,
} from '../index.ts';

const OTHER = 0x0208;
const hypervisor: AmdMachineOptions = { features: recordedAmdFeatures };
const kinds: readonly [string, AmdMachineOptions][] = [
  ['bare metal', {}],
  ['hypervisor', hypervisor],
];

describe.each(kinds)('%s', (_title, options) => {
  test('map, reach, unmap, out of reach, map again elsewhere', () => {
    const machine = amdMachine(options);
    const domain = machine.iommu.allocPagingDomain();
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
    const machine = amdMachine(options);
    const domain = machine.iommu.allocPagingDomain();
    machine.iommu.attachDevice(domain, DEVICE);
    mapPage(domain, 0x42, 0x1234);
    expect(deviceSees(machine, 0x42)).toBe(0x1234);
    machine.unit.dropNextInvalidations(1);
    iommuUnmap(domain, pageAddress(0x42), PAGE);
    expect(machine.unit.counters.droppedInvalidations).toBe(1);
    expect(deviceSees(machine, 0x42)).toBe(0x1234);
    mapPage(domain, 0x42, 0x2345);
    expect(deviceSees(machine, 0x42)).toBe(machine.iommu.notPresentCache ? 0x2345 : 0x1234);
  });

  test('unmapping two megabytes frees a table: what it led to is out of reach, its page can be used again', () => {
    const machine = amdMachine(options);
    const domain = machine.iommu.allocPagingDomain();
    machine.iommu.attachDevice(domain, DEVICE);
    for (let page = 0; page < 512; page += 1) mapPage(domain, 0x600 + page, 0x1001 + 2 * page);
    const mapped = machine.frames.liveFrames;
    expect(deviceSees(machine, 0x601)).toBe(0x1003);
    expect(iommuUnmap(domain, pageAddress(0x600), 512 * PAGE)).toBe(512 * PAGE);
    expect(machine.frames.liveFrames).toBe(mapped - 1);
    mapPage(domain, 0x40000 + 1, 0x3333);
    expect([deviceSees(machine, 0x601), deviceSees(machine, 0x40001)]).toEqual([-1, 0x3333]);
  });

  test('detached devices are blocked, the domain lives on for others', () => {
    const machine = amdMachine(options);
    const { iommu } = machine;
    const domain = iommu.allocPagingDomain();
    iommu.attachDevice(domain, DEVICE);
    iommu.attachDevice(domain, OTHER);
    mapPage(domain, 0x42, 0x1234);
    expect([deviceSees(machine, 0x42), deviceSees(machine, 0x42, OTHER)]).toEqual([0x1234, 0x1234]);
    iommu.detachDevice(DEVICE);
    expect([deviceSees(machine, 0x42), deviceSees(machine, 0x42, OTHER)]).toEqual([-1, 0x1234]);
    expect(deviceEntry(machine)).toEqual(['0000000000000001', ...Array<string>(3).fill('0000000000000000')]);
    iommuUnmap(domain, pageAddress(0x42), PAGE);
    expect(deviceSees(machine, 0x42, OTHER)).toBe(-1);
    iommu.detachDevice(OTHER);
    const { commands } = iommu.counters;
    iommu.detachDevice(OTHER);
    expect(iommu.counters.commands).toBe(commands);
  });

  test('moving a device to another domain takes effect at once', () => {
    const machine = amdMachine(options);
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
  });

  test('identity: addresses pass as they are, until the device gets a domain', () => {
    const machine = amdMachine(options);
    const { iommu } = machine;
    expect(iommu.attachIdentity(DEVICE)).toBe(0);
    expect(deviceEntry(machine).slice(0, 2)).toEqual(['6000000000000003', '0000000000000001']);
    expect(deviceSees(machine, 0x1357)).toBe(0x1357);
    const domain = iommu.allocPagingDomain();
    iommu.attachDevice(domain, DEVICE);
    expect(deviceSees(machine, 0x1357)).toBe(-1);
    iommu.attachIdentity(DEVICE);
    iommu.detachDevice(DEVICE);
    expect(deviceSees(machine, 0x1357)).toBe(-1);
  });

  test('a table grows under a live device: what was mapped stays, what is new is reached at once', () => {
    const machine = amdMachine(options);
    const { iommu } = machine;
    const domain = iommu.allocPagingDomain();
    iommu.attachDevice(domain, DEVICE);
    iommu.attachDevice(domain, OTHER);
    mapPage(domain, 0x42, 0x1234);
    expect([domain.table.levels, deviceSees(machine, 0x42), deviceSees(machine, 2 ** 27)]).toEqual([
      3, 0x1234, -1,
    ]);
    expect(mapPage(domain, 2 ** 27, 0x777)).toBe(0);
    const seen = [0x42, 2 ** 27].flatMap((page) => [
      deviceSees(machine, page),
      deviceSees(machine, page, OTHER),
    ]);
    expect(seen).toEqual([0x1234, 0x1234, 0x777, 0x777]);
    const root = domain.table.rootFrame * PAGE + 4 * 512 + 3;
    expect(domain.table.levels).toBe(4);
    expect(deviceEntry(machine)[0]).toBe(`60000000${root.toString(16).padStart(8, '0')}`);
    expect(mapPage(domain, 2 ** 36 + 1, 0x778)).toBe(0);
    expect([domain.table.levels, deviceSees(machine, 2 ** 36 + 1)]).toEqual([5, 0x778]);
    iommuUnmap(domain, pageAddress(2 ** 27), PAGE);
    expect([deviceSees(machine, 2 ** 27), deviceSees(machine, 0x42)]).toEqual([-1, 0x1234]);
  });
});

describe('bringing a unit up', () => {
  test('functions beyond the last of the machine are refused, also where the table has room for them', () => {
    const { iommu } = amdMachine({ driver: { lastDeviceId: 0x2ab } });
    const domain = iommu.allocPagingDomain();
    expect([0x2ab, 0x2ac, 0x3ff].map((id) => iommu.attachDevice(domain, id))).toEqual([0, -19, -19]);
    expect([0x2ab, 0x2ac].map((id) => iommu.attachIdentity(id))).toEqual([0, -19]);
  });

  test('every device is blocked until it is attached, and the unit has forgotten what it knew', () => {
    const machine = amdMachine();
    expect(deviceEntry(machine)[0]).toBe('0000000000000003');
    expect(machine.unit.translationEnabled).toBe(true);
    expect(deviceSees(machine, 0x42)).toBe(-1);
    expect(machine.unit.counters).toMatchObject({ invalidateAll: 1, waits: 1 });
    expect(machine.iommu.attachDevice(machine.iommu.allocPagingDomain(), 0x400)).toBe(-Errno.ENODEV);
  });

  test('a unit without INVALIDATE_IOMMU_ALL gets a command for every device and every domain', () => {
    const { iommu, unit } = amdMachine({
      features: { capabilityHeader: 0, extendedFeatures: [0x80, 0] },
      driver: { lastDeviceId: 0xff },
    });
    expect(unit.counters).toMatchObject({
      deviceEntry: 256,
      pages: 256,
      pagesAll: 256,
      waits: 257,
      invalidateAll: 0,
    });
    expect(iommu.counters).toMatchObject({ commands: 512, waits: 257, tailWrites: 769, errors: 0 });
  });

  test('no memory for table or rings is an error, and what is there is used whole', () => {
    const { frames, ...machine } = bareAmdUnit({ ramBytes: 40 * PAGE });
    expect(() => new AmdIommu({ ...machine, frames })).toThrow('device table');
    expect(frames.liveFrames).toBe(0);
    for (const [allowed, what] of [
      [8, 'commands'],
      [11, 'event log'],
    ] as const) {
      frames.failAfter = allowed;
      expect(() => new AmdIommu({ ...machine, frames, lastDeviceId: 0x3ff })).toThrow(what);
    }
    frames.failAfter = -1;
    expect(new AmdIommu({ ...machine, frames, lastDeviceId: 0x7f }).counters.errors).toBe(0);
  });
});

describe('domains', () => {
  test('ids are those of the machine: identity has 1, a domain keeps its own until it is freed', () => {
    const ids = new ProtectionDomainIds();
    const machine = amdMachine({ driver: { domainIds: ids } });
    const second = amdMachine({ driver: { domainIds: ids, index: 1 } });
    const one = machine.iommu.allocPagingDomain();
    const two = second.iommu.allocPagingDomain();
    expect([machine.iommu.domainIdOf(one), second.iommu.domainIdOf(two), ids.live]).toEqual([2, 3, 2]);
    iommuDomainFree(one);
    expect(ids.live).toBe(1);
    expect(machine.iommu.domainIdOf(second.iommu.allocPagingDomain())).toBe(2);
    expect(ids.identity).toBe(1);
  });

  test('a domain over two units is flushed in both, by index, and each is waited for', () => {
    const domainIds = new ProtectionDomainIds();
    const later = amdMachine({ driver: { domainIds, index: 1 } });
    // The second unit walks the same memory.
    const unit = bareAmdUnit().unit;
    const earlier = new AmdIommu({ ...later, unit, domainIds, lastDeviceId: 0x3ff });
    const domain = later.iommu.allocPagingDomain();
    later.iommu.attachDevice(domain, DEVICE);
    expect(earlier.attachDevice(domain, OTHER)).toBe(0);
    const order: string[] = [];
    const watch = (name: string, of: typeof unit): void => {
      const write = of.writeRegister32.bind(of);
      of.writeRegister32 = (offset, value) => {
        order.push(name);
        write(offset, value);
      };
    };
    watch('later', later.unit);
    watch('earlier', unit);
    iommuFlushIotlbAll(domain);
    expect(order).toEqual(['earlier', 'later', 'earlier', 'later']);
    earlier.detachDevice(OTHER);
    order.length = 0;
    iommuFlushIotlbAll(domain);
    expect(order).toEqual(['later', 'later']);
  });

  test('of another machine or another driver are refused', () => {
    const machine = amdMachine();
    expect(machine.iommu.attachDevice(amdMachine().iommu.allocPagingDomain(), DEVICE)).toBe(-Errno.EINVAL);
    const vtd = vtdMachine().iommu.allocPagingDomain();
    expect([machine.iommu.attachDevice(vtd, DEVICE), machine.iommu.domainIdOf(vtd)]).toEqual([
      -Errno.EINVAL,
      -1,
    ]);
  });

  test('no memory is -ENOMEM and keeps no id; so is a machine with all ids in use', () => {
    const ids = new ProtectionDomainIds();
    const { iommu, frames } = amdMachine({ driver: { domainIds: ids } });
    frames.failAfter = 0;
    expect(iommu.openPagingDomain()).toEqual({ ok: false, errno: Errno.ENOMEM });
    expect(() => iommu.allocPagingDomain()).toThrow('errno 12');
    expect(ids.live).toBe(0);
    frames.failAfter = -1;
    let last = 0;
    while (last >= 0) last = ids.take();
    expect(ids.live).toBe(65534);
    expect(iommu.openPagingDomain()).toEqual({ ok: false, errno: Errno.ENOMEM });
    ids.release(4711);
    expect(iommu.domainIdOf(iommu.allocPagingDomain())).toBe(4711);
  });

  test.each<[string, AmdMachineOptions, 'dma' | 'dma-fq', string]>([
    ['bare metal', {}, 'dma-fq', '{"dynamicTop":true,"forceCoherence":true,"flushRange":true}'],
    ['hypervisor', hypervisor, 'dma', '{"dynamicTop":true,"forceCoherence":true,"flushRangeNoGaps":true}'],
  ])('a lazy domain on %s, and what its table is made with', (_title, options, type, features) => {
    const { iommu } = amdMachine(options);
    const domain = iommu.allocPagingDomain('dma-fq');
    expect([domain.type, JSON.stringify(domain.table.format.features)]).toEqual([type, features]);
    expect(iommu.allocPagingDomain('unmanaged').type).toBe('unmanaged');
  });

  test('the width follows what firmware reports; the recorded machine, whose firmware reports nothing, has 48 bits', () => {
    expect([0, 0x400, 0x800, 0xc00].map((low) => amdAddressBits([low, 0]))).toEqual([48, 57, 64, 0]);
    const recorded = amdMachine({
      ...hypervisor,
      driver: { firmwareFeatures: [0, 0] },
    }).iommu.allocPagingDomain();
    expect([recorded.pgsizeBitmap, recorded.geometry.apertureLastFrame]).toEqual([
      0x7f7ffffff000,
      2 ** 36 - 1,
    ]);
    expect([mapPage(recorded, 2 ** 36 - 1, 1), mapPage(recorded, 2 ** 36, 1)]).toEqual([0, -Errno.ERANGE]);
    const { iommu } = amdMachine({ driver: { firmwareFeatures: [0xc00, 0] } });
    expect(iommu.openPagingDomain()).toEqual({ ok: false, errno: Errno.EOPNOTSUPP });
    expect([iommu.liveDomainIds, iommu.attachIdentity(DEVICE)]).toEqual([0, 0]);
  });

  test('a failed growth changes nothing, wherever memory ends', () => {
    const machine = amdMachine();
    const domain = machine.iommu.allocPagingDomain();
    machine.iommu.attachDevice(domain, DEVICE);
    mapPage(domain, 0x42, 0x1234);
    let failures = 0;
    for (let allowed = 0; ; allowed += 1) {
      const live = machine.frames.liveFrames;
      machine.frames.failAfter = allowed;
      const errno = mapPage(domain, 2 ** 36 + 5, 0x555);
      machine.frames.failAfter = -1;
      if (errno === 0) break;
      failures += 1;
      expect(errno).toBe(-Errno.ENOMEM);
      expect([deviceSees(machine, 0x42), deviceSees(machine, 2 ** 36 + 5)]).toEqual([0x1234, -1]);
      if (domain.table.levels === 3) expect(machine.frames.liveFrames).toBe(live);
    }
    expect(failures).toBeGreaterThan(2);
    expect([deviceSees(machine, 0x42), deviceSees(machine, 2 ** 36 + 5)]).toEqual([0x1234, 0x555]);
  });
});

test('reserved regions: those of firmware for its devices, interrupts, HyperTransport unless it is ignored', () => {
  const base = physAddr(0x7f000000);
  const unityRegions = [
    { base, bytes: 0x2000, firstDeviceId: 0x100, lastDeviceId: 0x107, prot: IOMMU_READ },
    { base, bytes: 0x1000, firstDeviceId: 0x107, lastDeviceId: 0x107, prot: 0, exclusion: true },
  ];
  const { iommu } = amdMachine({ driver: { unityRegions } });
  const start = dmaAddr(0x7f000000);
  const direct = { start, bytes: 0x2000, type: 'direct', prot: IOMMU_READ };
  const kept = { start, bytes: 0x1000, type: 'reserved', prot: 0 };
  expect(iommu.reservedRegions(0x100)).toEqual([direct, AMD_MSI_REGION, AMD_HT_REGION]);
  expect(iommu.reservedRegions(0x107)).toEqual([direct, kept, AMD_MSI_REGION, AMD_HT_REGION]);
  expect(iommu.reservedRegions(0x108)).toEqual([AMD_MSI_REGION, AMD_HT_REGION]);
  const ignoring = amdMachine({ driver: { ignoreHtRange: true } });
  expect(ignoring.iommu.reservedRegions(0)).toEqual([AMD_MSI_REGION]);
});

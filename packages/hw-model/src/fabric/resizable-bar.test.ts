// Resizable BAR: the sizes on offer, the register, and a BAR that really answers more once it is larger.
import { expect, it } from 'vitest';
import { addOffset, offsetWithin, pciBusAddr, physAddr } from '../addresses.ts';
import { Clock } from '../clock.ts';
import { EventLog } from '../event-log.ts';
import { InternalError } from '../internal-error.ts';
import { PhysicalMemory } from '../physical-memory.ts';
import { BarMemory } from './bar-memory.ts';
import { findExtendedCapability } from './capability-list.ts';
import type { PciBar } from './pci-bar.ts';
import { PciFabric } from './pci-fabric.ts';
import type { PciFunction } from './pci-function.ts';
import { PCI_EXT_CAP_ID_REBAR, pciRebarGetPossibleSizes, rebarSizeCode } from './resizable-bar.ts';

const MIB = 2 ** 20;

/** What answers 4 bytes at `offset` of the BAR. */
const claims = (device: PciFunction, bar: PciBar, offset: number) =>
  device.claim(addOffset(bar.address, offset), addOffset(bar.address, offset + 4));

function plugged(acsCapability: number): { fabric: PciFabric; device: PciFunction } {
  const fabric = new PciFabric({ memory: new PhysicalMemory(), clock: new Clock(), log: new EventLog() });
  const host = fabric.addHostBridge({
    name: 'host',
    memoryAperture: { base: physAddr(0xc0000000), bytes: 256 * MIB },
    prefetchAperture: { base: physAddr(2 ** 36), bytes: 2 ** 32 },
  });
  const port = fabric.addRootPort(host, { name: 'port' });
  const device = fabric.addEndpoint(port, {
    name: 'device',
    identity: { vendorId: 1, deviceId: 2, classCode: 0x030000 },
    acsCapability,
    bars: [
      {
        index: 0,
        bytes: 2 * MIB,
        prefetchable: true,
        resizable: [2 * MIB, 8 * MIB],
        target: new BarMemory(8 * MIB),
      },
    ],
  });
  fabric.enumerate();
  device.setCommand({ memory: true, busMaster: true });
  return { fabric, device };
}

it.each([0, 0x5f])('offers its sizes and takes one of them (ACS %i)', (acs) => {
  const { fabric, device } = plugged(acs);
  const bar = device.bar(0);
  if (bar === undefined) throw new Error('no BAR');
  expect(pciRebarGetPossibleSizes(device.config, 0)).toEqual([2 * MIB, 8 * MIB]);
  expect(pciRebarGetPossibleSizes(device.config, 2)).toEqual([]);
  const at = findExtendedCapability(device.config, PCI_EXT_CAP_ID_REBAR);
  expect(device.config.read(at + 8, 4)).toBe(0x120);
  expect(claims(device, bar, 2 * MIB)).toBeNull();
  expect(bar.resize(4 * MIB)).toBe(false);
  expect(bar.bytes).toBe(2 * MIB);
  device.setCommand({ memory: false, busMaster: false });
  expect(bar.resize(8 * MIB)).toBe(true);
  expect(bar.address).toBe(0);
  expect(device.config.read(at + 8, 4)).toBe(0x320);
  fabric.enumerate();
  device.setCommand({ memory: true, busMaster: true });
  expect(offsetWithin(bar.address, 8 * MIB)).toBe(0);
  expect(claims(device, bar, 8 * MIB - 4)).toBe(bar);
  bar.assign(pciBusAddr(2 ** 36 + 26 * MIB));
  expect(bar.address).toBe(2 ** 36 + 24 * MIB);
});

it('a BAR can become smaller again', () => {
  const { device } = plugged(0);
  const at = findExtendedCapability(device.config, PCI_EXT_CAP_ID_REBAR) + 8;
  const sizes = [8 * MIB, 2 * MIB].map((bytes) => [device.bar(0)?.resize(bytes), device.config.read(at, 4)]);
  expect(sizes).toEqual([
    [true, 0x320],
    [true, 0x120],
  ]);
});

it('software writes nothing of the control register but the size', () => {
  const { config } = plugged(0).device;
  const at = findExtendedCapability(config, PCI_EXT_CAP_ID_REBAR) + 8;
  config.write(at, 4, 0xffffffff);
  expect(config.read(at, 4)).toBe(0x3f20);
  config.write(at, 4, 0);
  expect(config.read(at, 4)).toBe(0x20);
});

it('knows the powers of two from 1 MiB to 128 TiB', () => {
  expect([rebarSizeCode(MIB), rebarSizeCode(2 ** 47)]).toEqual([0, 27]);
  for (const bytes of [0, MIB / 2, 3 * MIB, 2 ** 48])
    expect(() => rebarSizeCode(bytes)).toThrow(InternalError);
});

// Enumeration: bus numbers depth first, BARs aligned inside the windows of every bridge above, all in the bytes.
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { PeerMachine } from '../../test/peer-machine.ts';
import { addOffset, byteDistance, type PhysAddr, physAddr } from '../addresses.ts';
import { Clock } from '../clock.ts';
import { InternalError } from '../internal-error.ts';
import { PhysicalMemory } from '../physical-memory.ts';
import { BarMemory } from './bar-memory.ts';
import type { HostBridge } from './host-bridge.ts';
import type { BarSpec } from './pci-bar.ts';
import type { PciBridge } from './pci-bridge.ts';
import { PciFabric, type PlugPoint } from './pci-fabric.ts';
import type { PciFunction } from './pci-function.ts';

const MIB = 2 ** 20;

function emptyFabric(): { fabric: PciFabric; memory: PhysicalMemory; host: HostBridge } {
  const memory = new PhysicalMemory();
  const fabric = new PciFabric({ memory, clock: new Clock() });
  const host = fabric.addHostBridge({
    memoryAperture: { base: physAddr(0xc0000000), bytes: 512 * MIB },
    prefetchAperture: { base: physAddr(2 ** 40), bytes: 2 ** 36 },
  });
  return { fabric, memory, host };
}

function plug(fabric: PciFabric, under: PlugPoint, name: string, bars: readonly BarSpec[]): PciFunction {
  const identity = { vendorId: 1, deviceId: 2, classCode: 0x020000 };
  return fabric.addEndpoint(under, { name, identity, bars });
}

/** Primary, secondary, subordinate as the bytes have them. */
const busNumbers = ({ config }: PciFunction): number[] => [0x18, 0x19, 0x1a].map((at) => config.read(at, 1));

describe('bus numbers', () => {
  it('go depth first', () => {
    const { ports, tree, a, b, c, d, e } = new PeerMachine();
    expect([...ports, tree.upstream, ...tree.downstream].map(busNumbers)).toEqual([
      [0, 1, 5],
      [0, 6, 6],
      [1, 2, 5],
      [2, 3, 3],
      [2, 4, 4],
      [2, 5, 5],
    ]);
    expect([a, b, c, d, e].map(({ endpoint }) => endpoint.requesterId)).toEqual([
      0x300, 0x400, 0x500, 0x600, 0x18,
    ]);
  });

  it('go on at the next host bridge', () => {
    const { fabric, host } = emptyFabric();
    fabric.addRootPort(host);
    const other = fabric.addHostBridge({ memoryAperture: { base: physAddr(0xe0000000), bytes: 64 * MIB } });
    const port = fabric.addRootPort(other);
    fabric.enumerate();
    expect(busNumbers(port)).toEqual([2, 3, 3]);
  });
});

describe('windows', () => {
  it('hold 32-bit and far BARs apart, each in whole MiB of the aperture for it', () => {
    const { fabric, host } = emptyFabric();
    const port = fabric.addRootPort(host);
    plug(fabric, port, 'gpu', [
      { index: 0, bytes: 0x4000, width: 32, target: new BarMemory(0x4000) },
      { index: 2, bytes: 256 * MIB, prefetchable: true, target: new BarMemory(256 * MIB) },
    ]);
    fabric.enumerate();
    const { config } = port;
    expect([config.read(0x20, 2), config.read(0x22, 2)]).toEqual([0xc000, 0xc000]);
    expect([config.read(0x24, 2), config.read(0x26, 2)]).toEqual([0x0001, 0x0ff1]);
    expect([config.read(0x28, 4), config.read(0x2c, 4)]).toEqual([0x100, 0x100]);
    expect([port.covers(0xc0000000, 0xc0100000), port.covers(0xc0000000, 0xc0100001)]).toEqual([true, false]);
    expect([port.covers(2 ** 40, 2 ** 40 + 256 * MIB), port.covers(2 ** 40 - 1, 2 ** 40)]).toEqual([
      true,
      false,
    ]);
  });

  it('stay closed above nothing', () => {
    const { fabric, host } = emptyFabric();
    const port = fabric.addRootPort(host);
    fabric.enumerate();
    const { config } = port;
    expect(config.read(0x20, 2)).toBeGreaterThan(config.read(0x22, 2));
    expect(config.read(0x28, 4)).toBeGreaterThan(config.read(0x2c, 4));
    for (const address of [0, 0xc0000000, 0xfff00000, 2 ** 40])
      expect(port.covers(address, address + 1)).toBe(false);
  });

  it('do not decode while the bridge has memory off', () => {
    const { ports, d } = new PeerMachine();
    const address: number = d.endpoint.bar(0)?.address ?? 0;
    expect(ports[1].covers(address, address + 1)).toBe(true);
    ports[1].setCommand({ memory: false, busMaster: true });
    expect(ports[1].covers(address, address + 1)).toBe(false);
  });
});

it('refuses BARs that do not fit their aperture, and an aperture above 4 GiB for 32-bit BARs', () => {
  const { fabric, host } = emptyFabric();
  const bytes = 1024 * MIB;
  plug(fabric, fabric.addRootPort(host), 'big', [
    { index: 0, bytes, width: 32, target: new BarMemory(bytes) },
  ]);
  expect(() => fabric.enumerate()).toThrow(InternalError);
  const high = emptyFabric();
  high.fabric.addHostBridge({ memoryAperture: { base: physAddr(2 ** 33), bytes: MIB } });
  expect(() => high.fabric.enumerate()).toThrow(InternalError);
});

const barSize = fc.integer({ min: 12, max: 26 }).map((shift) => 2 ** shift);
const bar = fc.record({ bytes: barSize, prefetchable: fc.boolean() });
const devices = fc.array(fc.array(bar, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 6 });

test.prop([devices, fc.integer({ min: 0, max: 3 })])(
  'lets the CPU reach every byte of every BAR',
  (all, inSwitch) => {
    const { fabric, memory, host } = emptyFabric();
    const tree = fabric.addSwitch(fabric.addRootPort(host), { downstreamPorts: 4 });
    const places: [PciFunction, number, PhysAddr][] = [];
    for (const [i, bars] of all.entries()) {
      const under = i <= inSwitch ? (tree.downstream[i] as PciBridge) : fabric.addRootPort(host);
      const specs = bars.map((each, k) => ({ ...each, index: 2 * k, target: new BarMemory(each.bytes) }));
      const device = plug(fabric, under, `device${i}`, specs);
      device.setCommand({ memory: true, busMaster: false });
      places.push(...specs.map(({ index }): [PciFunction, number, PhysAddr] => [device, index, physAddr(0)]));
    }
    fabric.enumerate();
    const taken: { from: PhysAddr; bytes: number }[] = [];
    for (const [stamp, [device, index]] of places.entries()) {
      const bytes = device.bar(index)?.bytes ?? 0;
      const from = fabric.barPhys(device, index);
      for (const other of taken) {
        const apart =
          byteDistance(from, other.from) >= bytes || byteDistance(other.from, from) >= other.bytes;
        expect(apart).toBe(true);
      }
      taken.push({ from, bytes });
      const last = new Uint8Array(1);
      expect(memory.write(addOffset(from, bytes - 1), Uint8Array.of(stamp + 1))).toBe(true);
      expect(device.bar(index)?.target.mmioRead(bytes - 1, last)).toBe(true);
      expect(last[0]).toBe(stamp + 1);
    }
  },
);

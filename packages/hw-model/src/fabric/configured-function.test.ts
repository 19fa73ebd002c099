// A fabric whose registers were written by somebody else: bus numbers, BARs and windows stand where the bytes have them,
// host bridges have as many apertures as they need, and a conventional bus is shared.
import { describe, expect, it } from 'vitest';
import { dmaAddr, type PciBusAddr, type PhysAddr, pciBusAddr, physAddr } from '../addresses.ts';
import { Clock } from '../clock.ts';
import { PhysicalMemory } from '../physical-memory.ts';
import { ACS } from './access-control-services.ts';
import { BarMemory } from './bar-memory.ts';
import type { HostBridge } from './host-bridge.ts';
import type { PciBridge, PortKind } from './pci-bridge.ts';
import { PciFabric, type PlugPoint } from './pci-fabric.ts';
import type { PciFunction } from './pci-function.ts';

const COMMAND_ON = 0x6;

function bytesOf(fields: readonly (readonly [number, 1 | 2 | 4, number])[]): Uint8Array {
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  for (const [at, width, value] of fields) {
    if (width === 1) view.setUint8(at, value);
    else if (width === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
  }
  return bytes;
}

class LeftMachine {
  readonly memory: PhysicalMemory = new PhysicalMemory();
  readonly fabric: PciFabric = new PciFabric({ memory: this.memory, clock: new Clock() });
  readonly host: HostBridge = this.fabric.addHostBridge({
    memoryAperture: { base: physAddr(0), bytes: 0 },
    moreApertures: [
      { base: physAddr(0xc0000000), bytes: 0x1000000 },
      { base: physAddr(0x3800_0000_0000), bytes: 0x1000000 },
    ],
    identity: null,
    segment: 2,
  });

  constructor() {
    this.host.childBus.number = 0x40;
  }

  bridge(
    under: PlugPoint,
    kind: PortKind,
    buses: readonly [number, number, number],
    base: number,
  ): PciBridge {
    const port = this.fabric.addConfiguredBridge(under, {
      name: kind,
      device: 1,
      functionNumber: 0,
      kind,
      bytes: bytesOf([
        [0x04, 2, COMMAND_ON],
        [0x0e, 1, 1],
        ...buses.map((bus, i) => [0x18 + i, 1, bus] as const),
        [0x20, 2, (base / 0x100000) * 16],
        [0x22, 2, (base / 0x100000) * 16],
        [0x24, 2, 0xfff1],
        [0x26, 2, 1],
        [0x28, 4, 0xffffffff],
      ]),
    });
    return port;
  }

  device(under: PlugPoint, device: number, address: PciBusAddr, bytes = 0x1000): PciFunction {
    return this.fabric.addConfigured(under, {
      name: `device ${device}`,
      device,
      functionNumber: 3,
      bytes: bytesOf([
        [0x00, 4, 0x56781234],
        [0x04, 2, COMMAND_ON],
        [0x10, 4, 0xffffffff],
      ]),
      bars: [{ index: 0, bytes, address, width: 32, target: new BarMemory(bytes) }],
    });
  }

  send(from: PciFunction, address: number): string {
    return this.fabric.write(from, dmaAddr(address), Uint8Array.of(0x5a));
  }
}

describe('what was left', () => {
  it('is kept: bus numbers, command, ids, addresses', () => {
    const machine = new LeftMachine();
    const port = machine.bridge(machine.host, 'root-port', [0x40, 0x41, 0x43], 0xc0000000);
    const device = machine.device(port, 2, pciBusAddr(0xc0002000));
    expect([port.requesterId, device.requesterId]).toEqual([0x4008, 0x4113]);
    expect([device.busMaster, device.memoryEnabled, device.config.read(0, 4)]).toEqual([
      true,
      true,
      0x56781234,
    ]);
    expect([device.bar(0)?.address, machine.fabric.barPhys(device, 0)]).toEqual([0xc0002000, 0xc0002000]);
    expect(machine.host.segment).toBe(2);
    expect(machine.fabric.functions.map(({ name }) => name)).toEqual(['root-port', 'device 2']);
  });

  it('can be changed by software as far as hardware lets it', () => {
    const machine = new LeftMachine();
    const port = machine.bridge(machine.host, 'root-port', [0x40, 0x41, 0x43], 0xc0000000);
    port.config.write(0x00, 4, 0);
    port.setCommand({ memory: false, busMaster: false });
    port.openMemoryWindow(0xc0100000, 0xc0300000);
    expect([port.config.read(0x20, 4), port.busMaster]).toEqual([0xc020c010, false]);
    const device = machine.device(port, 2, pciBusAddr(0xc0002000));
    device.config.write(0x00, 4, 0);
    expect(device.config.read(0x00, 4)).toBe(0x56781234);
  });

  it('lets software set the ACS bits that its capability has', () => {
    const machine = new LeftMachine();
    const bits = ACS.requestRedirect + ACS.egressControl;
    const { config, acsAt } = machine.fabric.addConfigured(machine.host, {
      name: 'with ACS',
      device: 5,
      functionNumber: 0,
      bytes: bytesOf([
        [0x100, 4, 0x1480_0000],
        [0x148, 4, 0x0001_000d],
        [0x14c, 2, 0x2000 + bits],
        [0x14e, 2, ACS.egressControl],
      ]),
    });
    expect([acsAt, config.read(acsAt + 6, 2)]).toEqual([0x148, ACS.egressControl]);
    config.write(acsAt + 6, 2, 0x7f);
    config.write(acsAt + 8, 4, 0x12345678);
    expect([config.read(acsAt + 6, 2), config.read(acsAt + 8, 4)]).toEqual([bits, 0x12345678]);
  });

  it('is reached by the CPU through every aperture', () => {
    const machine = new LeftMachine();
    const device = machine.device(machine.host, 2, pciBusAddr(0xc0ff_f000), 0x1000);
    const far = machine.fabric.addConfigured(machine.host, {
      name: 'far',
      device: 3,
      functionNumber: 0,
      bytes: bytesOf([[0x04, 2, COMMAND_ON]]),
      bars: [{ index: 2, bytes: 64, address: pciBusAddr(0x3800_0000_0040), target: new BarMemory(64) }],
    });
    const holds = (address: PhysAddr): boolean => machine.memory.write(address, Uint8Array.of(9));
    expect([holds(machine.fabric.barPhys(device, 0)), holds(machine.fabric.barPhys(far, 2))]).toEqual([
      true,
      true,
    ]);
    expect([holds(physAddr(0x3800_0000_0080)), holds(physAddr(0xc1000000))]).toEqual([false, false]);
    const found = new Uint8Array(1);
    expect(far.bar(2)?.target.mmioRead(0, found)).toBe(true);
    expect(found[0]).toBe(9);
  });
});

describe('a conventional bus', () => {
  it('is shared: a device answers another without the bridge', () => {
    const machine = new LeftMachine();
    const bridge = machine.bridge(machine.host, 'to-pci', [0x40, 0x41, 0x41], 0xc0000000);
    const one = machine.device(bridge, 2, pciBusAddr(0xc0002000));
    machine.device(bridge, 3, pciBusAddr(0xc0003000));
    bridge.setCommand({ memory: false, busMaster: false });
    expect(machine.send(one, 0xc0003000)).toBe('success');
    expect(machine.fabric.counters.switchLocal.requests).toBe(1);
    // Its own address is no one else's, and the bridge forwards nothing.
    expect(machine.send(one, 0xc0002000)).toBe('unsupported-request');
  });

  it('sends on what nobody there answers, past each bridge in turn', () => {
    const machine = new LeftMachine();
    const upper = machine.bridge(machine.host, 'to-pci', [0x40, 0x41, 0x42], 0xc0000000);
    const lower = machine.bridge(upper, 'to-pci', [0x41, 0x42, 0x42], 0xc0000000);
    const low = machine.device(lower, 2, pciBusAddr(0xc0002000));
    const beside = machine.device(upper, 3, pciBusAddr(0xc0080000));
    machine.device(machine.host, 4, pciBusAddr(0xc0200000));
    machine.memory.addRam(physAddr(0), 0x1000);
    lower.openMemoryWindow(0xc0000000, 0xc0000000);
    expect(machine.send(low, 0xc0080000)).toBe('success');
    expect(machine.send(low, 0xc0200000)).toBe('success');
    expect(machine.send(low, 0x10)).toBe('success');
    expect(machine.send(beside, 0xc0002000)).toBe('unsupported-request');
    const { switchLocal, hostBridge, memory, refused } = machine.fabric.counters;
    expect([switchLocal, hostBridge, memory, refused].map(({ requests }) => requests)).toEqual([1, 1, 1, 1]);
  });
});

it('routes to and from a function inside a switch without the root complex', () => {
  const machine = new LeftMachine();
  const root = machine.bridge(machine.host, 'root-port', [0x40, 0x41, 0x43], 0xc0000000);
  const up = machine.bridge(root, 'upstream', [0x41, 0x42, 0x43], 0xc0000000);
  const down = machine.bridge(up, 'downstream', [0x42, 0x43, 0x43], 0xc0000000);
  down.openMemoryWindow(0xc0000000, 0xc0100000);
  const inside = machine.device(up, 9, pciBusAddr(0xc0100000));
  up.openMemoryWindow(0xc0000000, 0xc0200000);
  root.openMemoryWindow(0xc0000000, 0xc0200000);
  const below = machine.device(down, 0, pciBusAddr(0xc0002000));
  expect([machine.send(inside, 0xc0002000), machine.send(below, 0xc0100000)]).toEqual(['success', 'success']);
  expect(machine.fabric.counters.switchLocal.requests).toBe(2);
});

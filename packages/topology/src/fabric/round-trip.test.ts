// A random machine is enumerated, dumped as `lspci -vvvxxxx` prints it, read, and built again: every pair of its devices
// must be connected as before, with whatever ACS bits its ports have.
import { fc, test } from '@fast-check/vitest';
import {
  acsOffset,
  addOffset,
  BarMemory,
  Clock,
  dmaAddr,
  type PciBridge,
  PciFabric,
  type PciFunction,
  PhysicalMemory,
  type PlugPoint,
  physAddr,
} from '@sgfree/hw-model';
import { expect } from 'vitest';
import { type DumpedFabric, fabricOfDump, functionAt, readTopologyText } from '../index.ts';

const MIB = 2 ** 20;

/** What hangs below a port: a device with BARs of these sizes (as shifts), or a switch with such ports. */
type Below = { readonly shifts: readonly number[]; readonly ports: readonly Below[] };

const leaf: fc.Arbitrary<Below> = fc
  .array(fc.integer({ min: 12, max: 24 }), { minLength: 1, maxLength: 2 })
  .map((shifts) => ({ shifts, ports: [] }));
const tree = fc.letrec<{ below: Below }>((tie) => ({
  below: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.array(tie('below'), { minLength: 1, maxLength: 3 }).map((ports) => ({ shifts: [], ports })),
  ),
})).below;
const machines = fc.array(fc.array(tree, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 2 });

const identity = { vendorId: 0x1234, deviceId: 0x5678, classCode: 0x120000 };

function plug(fabric: PciFabric, under: PlugPoint & PciBridge, { shifts, ports }: Below): void {
  if (ports.length === 0) {
    const bars = shifts.map((shift, i) => {
      const bytes = 2 ** shift;
      return { index: 2 * i, bytes, prefetchable: i === 1, target: new BarMemory(bytes) };
    });
    fabric.addEndpoint(under, { name: 'device', identity, bars });
    return;
  }
  const { downstream } = fabric.addSwitch(under, { downstreamPorts: ports.length });
  for (const [i, below] of ports.entries()) plug(fabric, downstream[i] as PciBridge, below);
}

function enumerated(roots: readonly (readonly Below[])[], bits: Iterator<number>): PciFabric {
  const fabric = new PciFabric({ memory: new PhysicalMemory(), clock: new Clock() });
  for (const [i, below] of roots.entries()) {
    const host = fabric.addHostBridge({
      memoryAperture: { base: physAddr(0x80000000 + i * 0x20000000), bytes: 512 * MIB },
      prefetchAperture: { base: physAddr(2 ** 40 * (i + 1)), bytes: 2 ** 32 },
    });
    for (const one of below) plug(fabric, fabric.addRootPort(host), one);
  }
  fabric.enumerate();
  for (const fn of fabric.functions) {
    fn.setCommand({ memory: true, busMaster: true });
    const at = acsOffset(fn.config);
    if (at !== 0) fn.config.write(at + 6, 2, bits.next().value as number);
  }
  return fabric;
}

const digits = (value: number, count: number): string => value.toString(16).padStart(count, '0');
const nameOf = ({ bus, device, functionNumber }: PciFunction): string =>
  `${digits(bus.number, 2)}:${digits(device, 2)}.${functionNumber}`;

/** A function as `lspci -vvvxxxx` prints it. */
function listed(fn: PciFunction): string {
  const bytes = fn.config.dump();
  const regions = fn.bars.map(({ index, address, bytes: size, prefetchable }) => {
    const kind = `64-bit, ${prefetchable ? '' : 'non-'}prefetchable`;
    return `\tRegion ${index}: Memory at ${digits(address, 8)} (${kind}) [size=${size}]`;
  });
  const rows = Array.from({ length: 256 }, (_, row) => {
    const line = [...bytes.subarray(row * 16, row * 16 + 16)].map((byte) => digits(byte, 2)).join(' ');
    return `${digits(row * 16, 2)}: ${line}`;
  });
  const what = fn.secondaryBus === null ? 'Processing accelerators' : 'PCI bridge';
  return [`${nameOf(fn)} ${what}: Device 1234:5678`, ...regions, ...rows, '', ''].join('\n');
}

/** How each device reaches each BAR of each other device. */
function ways(fabric: PciFabric, functions: readonly PciFunction[]): string[] {
  const found: string[] = [];
  for (const from of functions) {
    for (const to of functions) {
      for (const { address, bytes } of from === to ? [] : to.bars) {
        const { switchLocal, hostBridge } = fabric.counters;
        const before = [switchLocal.requests, hostBridge.requests];
        const status = fabric.write(from, dmaAddr(addOffset(address, bytes - 1)), Uint8Array.of(1));
        const inside = switchLocal.requests - (before[0] ?? 0);
        const across = hostBridge.requests - (before[1] ?? 0);
        found.push(`${nameOf(from)} ${nameOf(to)} ${status} ${inside} ${across}`);
      }
    }
  }
  return found;
}

test.prop([machines, fc.infiniteStream(fc.constantFrom(0, 0, 0x1, 0x4, 0x10, 0x1d, 0x5f))], { numRuns: 25 })(
  'connects every pair as the machine did that was dumped',
  (roots, bits) => {
    const before = enumerated(roots, bits);
    const dump = readTopologyText(before.functions.map(listed).join(''));
    const ground = { memory: new PhysicalMemory(), clock: new Clock() };
    const outcome = fabricOfDump(dump, { ...ground, assume: { busOffset: 0 } });
    if (!outcome.ok) throw new Error(outcome.missing.map(({ fact, fn }) => `${fact} ${fn.name}`).join());
    const built: DumpedFabric = outcome.value;
    const devices = before.functions.filter(({ bars }) => bars.length > 0);
    const again = devices.map((fn) => {
      const dumped = functionAt(dump, nameOf(fn));
      const live = dumped === undefined ? undefined : built.functionOf(dumped);
      if (live === undefined) throw new RangeError(nameOf(fn));
      return live;
    });
    expect(again.map(({ requesterId }) => requesterId)).toEqual(
      devices.map(({ requesterId }) => requesterId),
    );
    expect(ways(built.fabric, again)).toEqual(ways(before, devices));
    for (const fn of before.functions) {
      const dumped = functionAt(dump, nameOf(fn));
      const live = dumped === undefined ? undefined : built.functionOf(dumped);
      expect(live?.config.dump()).toEqual(fn.config.dump());
    }
  },
);

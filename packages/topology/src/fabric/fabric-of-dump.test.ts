// fabricOfDump: every register stands where the dump has it, and requests go the way they would go there.
import { acsOffset, type PciFunction } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { at, builtOf, live, outcomeOf, partOf, problems, read, send } from '../../test/fabric-trial.ts';
import { folderTree } from '../../test/folder-tree.ts';
import { bridgeBlock, deviceBlock, hostBlock, switchMachine } from '../../test/invented-listing.ts';
import { recordedMachines, recordedRoot } from '../../test/known-inputs.ts';
import { readTopologyTree } from '../index.ts';

describe('a whole machine', () => {
  const dump = read(switchMachine());

  it('has buses, BARs, windows and ACS where the dump has them', () => {
    const built = builtOf(dump);
    expect(built.leftOut).toEqual([]);
    expect(built.fabric.functions.map(({ name, requesterId }) => [name.slice(5), requesterId])).toEqual([
      ['00:00.0', 0x000],
      ['00:01.0', 0x008],
      ['01:00.0', 0x100],
      ['02:00.0', 0x200],
      ['03:00.0', 0x300],
      ['02:01.0', 0x208],
      ['04:00.0', 0x400],
      ['00:02.0', 0x010],
      ['05:00.0', 0x500],
    ]);
    const gpu = live(built, dump, '03:00.0');
    expect(gpu.bars.map(({ index, address, bytes, width }) => [index, address, bytes, width])).toEqual([
      [0, 0xc0000000, 0x10000, 32],
      [2, 0x380000000000, 2 ** 34, 64],
    ]);
    const { config } = live(built, dump, '00:01.0');
    const at = acsOffset(config);
    expect([at, config.read(at + 4, 1), config.read(0x18, 4) % 2 ** 24]).toEqual([0x148, 0x7f, 0x040100]);
    expect([config.read(0x20, 4), config.read(0x24, 4)]).toEqual([0xc020c000, 0xfff10001]);
    expect([config.read(0x28, 4), config.read(0x2c, 4)]).toEqual([0x3800, 0x380f]);
  });

  it('routes as the machine would', () => {
    const built = builtOf(dump);
    const [gpu, nic, far] = ['03:00.0', '04:00.0', '05:00.0'].map((name) => live(built, dump, name)) as [
      PciFunction,
      PciFunction,
      PciFunction,
    ];
    expect(send(built, nic, 0x380000000000)).toBe('success');
    expect(send(built, far, 0x380000000000)).toBe('success');
    expect(send(built, gpu, 0xc0400000)).toBe('success');
    const { switchLocal, hostBridge, refused } = built.fabric.counters;
    expect([switchLocal.requests, hostBridge.requests, refused.requests]).toEqual([1, 2, 0]);
    expect(gpu.bar(2)?.target.mmioRead(0, new Uint8Array(1))).toBe(true);
  });

  it('takes ACS registers as given instead', () => {
    const acs = new Map([[at(dump, '02:01.0'), 0x1d]]);
    const built = builtOf(dump, { acs });
    // Redirected upwards, and the root port has not been told to let it come back.
    expect(send(built, live(built, dump, '04:00.0'), 0x380000000000)).toBe('unsupported-request');
    acs.set(at(dump, '00:01.0'), 0x10);
    const forwarding = builtOf(dump, { acs });
    expect(send(forwarding, live(forwarding, dump, '04:00.0'), 0x380000000000)).toBe('success');
    expect(forwarding.fabric.counters.hostBridge.requests).toBe(1);
  });

  it('reads the same registers as a recorded machine had', () => {
    const folder = recordedMachines().find((name) => name.includes('p2p/')) ?? '';
    const recorded = readTopologyTree(folderTree(`${recordedRoot}/${folder}`));
    const built = builtOf(recorded);
    for (const fn of recorded.functions) {
      const bytes = built.functionOf(fn)?.config.dump() ?? new Uint8Array();
      // Everything but base address registers, of which those for I/O ports answer nothing.
      expect(bytes.subarray(0x40, fn.known.length)).toEqual(fn.config.subarray(0x40));
      expect(bytes.subarray(0, 0x10)).toEqual(fn.config.subarray(0, 0x10));
    }
  });
});

it('leaves the place of a vacant function empty, and says where it is', () => {
  const dump = read(switchMachine());
  const nic = at(dump, '04:00.0');
  const built = builtOf(dump, { part: partOf(dump, '04:00.0', '03:00.0'), vacant: [nic] });
  expect(built.functionOf(nic)).toBeUndefined();
  expect(built.placeOf(nic)).toBe(live(built, dump, '02:01.0'));
  expect(built.fabric.functions.map(({ name }) => name.slice(5)).sort()).toEqual([
    '00:00.0',
    '00:01.0',
    '01:00.0',
    '02:00.0',
    '02:01.0',
    '03:00.0',
  ]);
});

it('lets drivers enable functions and the bridges above them', () => {
  const text = switchMachine().replaceAll('Mem+ BusMaster+', 'Mem- BusMaster-');
  const dump = read(text);
  const part = partOf(dump, '04:00.0', '03:00.0');
  const off = builtOf(dump, { part });
  expect(send(off, live(off, dump, '04:00.0'), 0x380000000000)).toBe('unsupported-request');
  const on = builtOf(dump, { part, enabled: [part.initiator, part.target] });
  expect(send(on, live(on, dump, '04:00.0'), 0x380000000000)).toBe('success');
});

it('keeps segments and root buses apart', () => {
  const root = (domain: string, bus: string, memory: string, bar: string): string => {
    const below = (Number.parseInt(bus, 16) + 1).toString(16).padStart(2, '0');
    return [
      hostBlock(`${domain}:${bus}:00.0`),
      bridgeBlock(`${domain}:${bus}:01.0`, {
        type: 'Root Port (Slot-)',
        buses: [bus, below, below],
        memory,
        acs: 0,
      }),
      deviceBlock(`${domain}:${below}:00.0`, [`0: Memory at ${bar} (32-bit, non-prefetchable) [size=1M]`]),
    ].join('');
  };
  const dump = read(
    root('0000', '00', 'c0000000-c00fffff', 'c0000000') +
      root('0000', '80', 'd0000000-d00fffff', 'd0000000') +
      root('12345678', '00', 'e0000000-e00fffff', 'e0000000'),
  );
  const built = builtOf(dump);
  const hosts = built.fabric.hosts.map(({ name, segment, childBus }) => [name, segment, childBus.number]);
  expect(hosts).toEqual([
    ['pci0000:00', 0, 0],
    ['pci0000:80', 0, 0x80],
    ['pci12345678:00', 0x12345678, 0],
  ]);
  expect(send(built, live(built, dump, '0000:01:00.0'), 0xe0000000)).toBe('success');
  expect(built.fabric.counters.hostBridge.requests).toBe(1);
});

it('passes requests along a conventional bus, past its bridge only for others', () => {
  const dump = read(
    [
      hostBlock('00:00.0'),
      bridgeBlock('00:1e.0', { type: '', buses: ['00', '01', '01'], memory: 'c0000000-c01fffff' }),
      deviceBlock('00:04.0', ['0: Memory at c1000000 (32-bit, non-prefetchable) [size=4K]'], ''),
      deviceBlock('01:00.0', ['0: Memory at c0000000 (32-bit, non-prefetchable) [size=256]'], ''),
      deviceBlock('01:01.0', ['0: Memory at c0100000 (32-bit, non-prefetchable) [size=4K]'], ''),
    ].join(''),
  );
  const built = builtOf(dump);
  expect(built.isOnConventionalBus(at(dump, '01:01.0'))).toBe(true);
  expect(send(built, live(built, dump, '01:01.0'), 0xc0000080)).toBe('success');
  expect(built.fabric.counters.switchLocal.requests).toBe(1);
  expect(send(built, live(built, dump, '01:01.0'), 0xc1000000)).toBe('success');
  expect(send(built, live(built, dump, '00:04.0'), 0xc0000000)).toBe('success');
  expect(built.fabric.counters.hostBridge.requests).toBe(2);
  expect(send(built, live(built, dump, '01:01.0'), 0xc0000100)).toBe('unsupported-request');
});

it('keeps bus and CPU addresses apart where the dump shows both', () => {
  const registers = (base: number): string => {
    const byte = (value: number): string => value.toString(16).padStart(2, '0');
    const bar = [0, 8, 16, 24].map((shift) => byte((base >>> shift) & 0xff)).join(' ');
    const rest = Array.from({ length: 12 }, () => '00').join(' ');
    return [
      '00: 34 12 78 56 06 00 00 00 00 00 00 12 00 00 00 00',
      `10: ${bar} ${rest}`,
      ...['20', '30'].map((row) => `${row}: 00 00 00 00 ${rest}`),
      '',
      '',
    ].join('\n');
  };
  const device = (address: string, cpu: string, bus: number): string =>
    deviceBlock(address, [`0: Memory at ${cpu} (32-bit, non-prefetchable) [size=1M]`], '').trimEnd() +
    `\n${registers(bus)}`;
  const text =
    hostBlock('00:00.0') +
    device('00:04.0', '9c0000000', 0xc0000000) +
    device('00:05.0', '9c0100000', 0xc0100000);
  const dump = read(text);
  const built = builtOf(dump, { assume: {} });
  expect(built.assumed).toEqual([]);
  const target = live(built, dump, '00:05.0');
  expect([target.bar(0)?.address, built.fabric.barPhys(target, 0)]).toEqual([0xc0100000, 0x9c0100000]);
  expect(send(built, live(built, dump, '00:04.0'), 0xc0100000)).toBe('success');
  expect(send(built, live(built, dump, '00:04.0'), 0x9c0100000)).toBe('unsupported-request');
  const shifted = read(text.replace('9c0100000', '8c0100000'));
  expect(problems(outcomeOf(shifted, { assume: {} }))).toEqual(['bus-offset-mixed! 00:00.0']);
});

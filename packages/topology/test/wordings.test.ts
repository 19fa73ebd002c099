// What versions of lspci print differently, and what other sources write in ways of their own. Each line is invented; the
// forms are those of pciutils 2.2 to 3.13, of /sys, of NCCL.

import { describe, expect, test } from 'vitest';
import {
  type DumpedFunction,
  type DumpedResource,
  type MachineDump,
  readTopologyText,
  readTopologyTree,
} from '../src/index.ts';
import { at } from './asking.ts';
import { configBytes, configText } from './config-machine.ts';

const block = (lines: readonly string[], first = '01:00.0 3D controller [0302]: A B [1234:5678]'): string =>
  `${first}\n${lines.map((line) => `\t${line}\n`).join('')}\n`;
const only = (lines: readonly string[], first?: string): DumpedFunction => {
  const [fn] = readTopologyText(block(lines, first)).functions;
  if (fn === undefined) throw new RangeError('no function');
  return fn;
};
const place = ({ kind, index, base, bytes, width, enabled }: DumpedResource): unknown[] => [
  kind,
  index,
  base === 'unknown' ? base : `0x${base.toString(16)}`,
  bytes,
  width,
  enabled,
];

describe('regions', () => {
  const cases: readonly (readonly [string, readonly unknown[]])[] = [
    [
      'Region 0: Memory at 2000000000 (64-bit, prefetchable) [size=16G]',
      ['bar', 0, '0x2000000000', 2 ** 34, 64, true],
    ],
    [
      'Region 2: Memory at fe000000 (32-bit, non-prefetchable) [disabled] [size=4K]',
      ['bar', 2, '0xfe000000', 4096, 32, false],
    ],
    [
      'Region 2: Memory at fe000000 (32-bit, non-prefetchable) [disabled by cmd] [size=4K]',
      ['bar', 2, '0xfe000000', 4096, 32, false],
    ],
    [
      'Region 0: [virtual] Memory at fe000000 (64-bit, prefetchable) [size=1M]',
      ['bar', 0, '0xfe000000', 2 ** 20, 64, true],
    ],
    [
      'Region 0: Memory at fe000000 (64-bit, prefetchable) [virtual] [size=1M]',
      ['bar', 0, '0xfe000000', 2 ** 20, 64, true],
    ],
    [
      'Region 0: [enhanced] Memory at fe000000 (32-bit, non-prefetchable) [size=1M]',
      ['bar', 0, '0xfe000000', 2 ** 20, 32, true],
    ],
    [
      'Region 1: Memory at <unassigned> (32-bit, non-prefetchable) [disabled] [size=1M]',
      ['bar', 1, '0x0', 2 ** 20, 32, false],
    ],
    [
      'Region 1: Memory at <ignored> (64-bit, non-prefetchable) [size=1M]',
      ['bar', 1, '0x0', 2 ** 20, 64, false],
    ],
    ['Region 4: I/O ports at e000 [size=32]', ['bar', 4, '0xe000', 32, 32, true]],
    ['Region 4: I/O ports at <unassigned> [disabled]', ['bar', 4, '0x0', 'unknown', 32, false]],
    [
      'Expansion ROM at fd000000 [virtual] [disabled] [size=512K]',
      ['rom', 0, '0xfd000000', 2 ** 19, 32, false],
    ],
    [
      '[virtual] Expansion ROM at fd000000 [disabled] [size=512K]',
      ['rom', 0, '0xfd000000', 2 ** 19, 32, false],
    ],
    ['Memory at fe000000 (32-bit, non-prefetchable) [size=4K]', ['bar', 0, '0xfe000000', 4096, 32, true]],
  ];

  test.each(cases)('%s', (line, expected) => {
    expect(only([line]).resources.map(place)).toEqual([expected]);
  });

  test('without numbers a 64-bit region takes two registers, one without an address its own', () => {
    const { resources } = only([
      'Memory at fd000000 (64-bit, prefetchable) [size=4K]',
      'Memory at <unassigned> (32-bit, non-prefetchable)',
      'I/O ports at e000 [size=32]',
      'Memory at fe000000 (64-bit, non-prefetchable) [size=4K]',
    ]);
    expect(resources.map(({ index }) => index)).toEqual([0, 2, 3, 4]);
  });

  test.each(['Expansion ROM at <ignored> [disabled by cmd]', 'Memory at <broken> (type 3, prefetchable)'])(
    '%s is no region',
    (line) => {
      expect(only([line]).resources).toEqual([]);
    },
  );
});

describe('windows', () => {
  const bridge = '00:01.0 PCI bridge [0604]: A B [1234:5678]';
  const cases: readonly (readonly [string, readonly unknown[]])[] = [
    ['Memory behind bridge: fe000000-fe0fffff', ['window', 1, '0xfe000000', 2 ** 20, 32, true]],
    ['Memory behind bridge: fe000000-fe0fffff [size=1M]', ['window', 1, '0xfe000000', 2 ** 20, 32, true]],
    [
      'Memory behind bridge: fe000000-fe0fffff [size=1M] [32-bit]',
      ['window', 1, '0xfe000000', 2 ** 20, 32, true],
    ],
    [
      'Prefetchable memory behind bridge: 0000002000000000-00000027ffffffff',
      ['window', 2, '0x2000000000', 2 ** 35, 64, true],
    ],
    [
      'Prefetchable memory behind bridge: 2000000000-27ffffffff [size=32G] [64-bit]',
      ['window', 2, '0x2000000000', 2 ** 35, 64, true],
    ],
    ['I/O behind bridge: 0000e000-0000efff [size=4K] [16-bit]', ['window', 0, '0xe000', 4096, 32, true]],
    ['I/O behind bridge: 0000f000-00000fff [disabled]', ['window', 0, '0xf000', 0, 32, false]],
    [
      'Memory behind bridge: fff00000-000fffff [disabled] [32-bit]',
      ['window', 1, '0xfff00000', 0, 32, false],
    ],
    ['Memory behind bridge: [disabled] [32-bit]', ['window', 1, '0x0', 0, 32, false]],
    ['Memory behind bridge: None', ['window', 1, '0x0', 0, 32, false]],
  ];

  test.each(cases)('%s', (line, expected) => {
    expect(only([line], bridge).resources.map(place)).toEqual([expected]);
  });

  test('a CardBus bridge has bus numbers and another header', () => {
    const { headerType, buses } = only(
      [
        'Bus: primary=02, secondary=03, subordinate=06, sec-latency=176',
        'Memory window 0: 50000000-53fff000 (prefetchable)',
      ],
      '02:04.0 CardBus bridge [0607]: A B [1234:5678]',
    );
    expect([headerType, buses]).toEqual([2, { primary: 2, secondary: 3, subordinate: 6 }]);
  });
});

describe('port types', () => {
  const cases: readonly (readonly [string, DumpedFunction['portType']])[] = [
    ['[40] Express (v2) Endpoint, MSI 00', 0],
    ['[40] Express (v2) Endpoint, IntMsgNum 0', 0],
    ['[40] Express Legacy Endpoint, MSI 00', 1],
    ['[40] Express Legacy Endpoint IRQ 0', 1],
    ['[40] Express (v2) Root Port (Slot-), IntMsgNum 0', 4],
    ['[40] Express Root Port (Slot+) IRQ 0', 4],
    ['[40] Express (v2) Upstream Port, MSI 00', 5],
    ['[40] Express (v1) Downstream Port (Slot+), MSI 00', 6],
    ['[40] Express (v1) PCI-Express to PCI/PCI-X Bridge, MSI 00', 7],
    ['[40] Express (v2) PCI/PCI-X to PCI-Express Bridge (Slot-), MSI 00', 8],
    ['[40] Express (v2) Root Complex Integrated Endpoint, IntMsgNum 0', 9],
    ['[40] Express (v2) Root Complex Event Collector, MSI 00', 10],
    ['[40] Express (v2) Unknown type 3, MSI 00', 3],
    ['[40] Express (v2) Something Else, MSI 00', 'unknown'],
    ['[40] Power Management version 3', 'absent'],
    ['<access denied>', 'unknown'],
  ];

  test.each(cases)('Capabilities: %s', (line, portType) => {
    const isPort = typeof portType === 'number' && portType >= 4 && portType <= 8;
    const first = isPort ? '00:01.0 PCI bridge [0604]: A B [1234:5678]' : undefined;
    expect(
      only(['Control: I/O+ Mem+ BusMaster+', `Capabilities: ${line}`, 'Kernel driver in use: x'], first)
        .portType,
    ).toBe(portType);
  });
});

describe('functions that do not answer', () => {
  test.each([
    [
      '!!! Unknown header type 7f',
      '01:00.0 VGA compatible controller [0300]: A B [1234:5678] (rev ff) (prog-if ff)',
    ],
    [
      '00: ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff',
      '01:00.0 VGA compatible controller [0300]: A B [1234:5678] (rev ff)',
    ],
  ])('%s', (line, first) => {
    const { portType, acs, headerType, buses } = only([line, 'Kernel driver in use: x'], first);
    expect([
      portType,
      acs.control,
      acs.offset,
      headerType === 1,
      buses === 'absent' || buses === 'unknown',
    ]).toEqual(['unknown', 'unknown', 'unknown', false, true]);
  });
});

describe('bytes', () => {
  const text = configText({ '00:01.0': { type: 4, buses: [1, 1], acs: [0x1f, 0x1d] } });
  const upTo = (rows: number): DumpedFunction =>
    at(
      readTopologyText(
        text
          .split('\n')
          .slice(0, rows + 1)
          .join('\n'),
      ),
      '00:01.0',
    );

  test('above what is shown everything is unknown', () => {
    const shown = [4, 16, 20, 256]
      .map((rows) => upTo(rows))
      .map(({ portType, acs }) => [portType, acs.offset, acs.control]);
    expect(shown).toEqual([
      ['unknown', 'unknown', 'unknown'],
      [4, 'unknown', 'unknown'],
      // The list leads on to a row that is not there.
      [4, 'unknown', 'unknown'],
      [4, 0x140, 0x1d],
    ]);
  });

  test('a byte that could not be read is printed as question marks', () => {
    const marked = text.replace(/^140: (?:[0-9a-f]{2} ){6}/m, (row) => row.replace(/[0-9a-f]{2} $/, '?? '));
    expect(at(readTopologyText(marked), '00:01.0').acs).toEqual({
      offset: 0x140,
      capability: 0x1f,
      control: 0x1d,
    });
    const hidden = text.replace(/^(140: (?:[0-9a-f]{2} ){6})[0-9a-f]{2}/m, '$1??');
    const dump = readTopologyText(hidden);
    expect(at(dump, '00:01.0').acs).toEqual({ offset: 0x140, capability: 0x1f, control: 'unknown' });
    expect(dump.remarks.map(({ code }) => code)).not.toContain('line-not-understood');
    const none = text.replace(/^140: .*$/m, `140:${' ??'.repeat(16)}`);
    expect(at(readTopologyText(none), '00:01.0').acs.control).toBe('unknown');
  });
});

describe('drawings', () => {
  const parents = (text: string): string[] =>
    readTopologyText(text).functions.map(
      ({ name, upstream }) => `${name} ${typeof upstream === 'string' ? upstream : upstream.name.slice(-7)}`,
    );

  test('without domains, as old versions draw', () => {
    expect(
      parents(
        '-[00]-+-00.0\n      +-1c.0-[01]----00.0\n      \\-1e.0-[02-03]--+-00.0\n                      \\-01.0-[03]--\n',
      ),
    ).toEqual([
      '0000:00:00.0 root',
      '0000:00:1c.0 root',
      '0000:00:1e.0 root',
      '0000:01:00.0 00:1c.0',
      '0000:02:00.0 00:1e.0',
      '0000:02:01.0 00:1e.0',
    ]);
  });

  test('with a domain at every bus', () => {
    expect(
      parents(
        '-[0001:00]---00.0-[0001:01-02]----00.0-[0001:02]--+-00.0\n                                                  \\-00.1\n',
      ),
    ).toEqual(['0001:00:00.0 root', '0001:01:00.0 00:00.0', '0001:02:00.0 01:00.0', '0001:02:00.1 01:00.0']);
  });
});

describe('processors of topology files', () => {
  const family = (vendor: string, id: number): unknown =>
    readTopologyText(
      `<system version="1"><cpu numaid="0" vendor="${vendor}" familyid="${id}" modelid="1"/></system>`,
    ).cpu;

  test.each([
    // NCCL shifts the extended family instead of adding it.
    ['AuthenticAMD', 143, 23],
    ['AuthenticAMD', 175, 25],
    ['AuthenticAMD', 0x6f, 21],
    ['AuthenticAMD', 23, 23],
    ['AuthenticAMD', 15, 15],
    ['GenuineIntel', 6, 6],
  ])('%s %i', (vendor, printed, real) => {
    expect(family(vendor, printed)).toMatchObject({ vendor, family: real });
  });
});

describe('tables of ranges', () => {
  const table = (rows: readonly string[], type = 4): MachineDump =>
    readTopologyTree({
      list: (path) => (path === 'sys/bus/pci/devices' ? ['0000:00:01.0'] : undefined),
      read: (path) => {
        if (path.endsWith('/resource')) return new TextEncoder().encode(`${rows.join('\n')}\n`);
        return path.endsWith('/config') ? configBytes({ type, buses: [1, 1] }) : undefined;
      },
      link: () => undefined,
    });
  const none = '0x0000000000000000 0x0000000000000000 0x0000000000000000';
  const bar = '0x00000000fe000000 0x00000000fe003fff 0x0000000000040200';
  const window = '0x00000000fd000000 0x00000000fdffffff 0x0000000000000200';
  const kinds = (rows: readonly string[]): unknown[] =>
    at(table(rows), '00:01.0').resources.map(({ kind, index }) => `${kind} ${index}`);
  const rows = (count: number, filled: Readonly<Record<number, string>>): string[] =>
    Array.from({ length: count }, (_, i) => filled[i] ?? none);

  test('with and without SR-IOV, with and without windows', () => {
    expect(kinds(rows(7, { 0: bar }))).toEqual(['bar 0']);
    expect(kinds(rows(13, { 0: bar, 8: bar }))).toEqual(['bar 0', 'sriov 1']);
    expect(kinds(rows(11, { 0: bar, 8: window }))).toEqual(['bar 0', 'window 1']);
    expect(kinds(rows(17, { 0: bar, 14: window }))).toEqual(['bar 0', 'window 1']);
  });

  test('a table that was cut off tells BARs only', () => {
    const dump = table(rows(15, { 0: bar, 8: bar, 14: window }));
    expect(at(dump, '00:01.0').resources.map(({ kind }) => kind)).toEqual(['bar']);
    expect(dump.remarks.map(({ code }) => code)).toContain('line-not-understood');
  });

  test('a range that was never assigned has a size and no address', () => {
    const unset = '0x0000000000001000 0x0000000000004fff 0x0000000020040200';
    expect(at(table(rows(13, { 1: unset })), '00:01.0').resources.map(place)).toEqual([
      ['bar', 1, '0x0', 0x4000, 32, false],
    ]);
  });
});

// Texts that nobody printed: numbers without end, lines of a megabyte, rings, two owners of one bus, other encodings.
// Each is refused with a line, or read with what it does not tell left unknown; none of them takes long.

import { describe, expect, test } from 'vitest';
import { type FileTree, functionAt, readTopologyText, readTopologyTree } from '../src/index.ts';
import { at, refusal, upName } from './asking.ts';

const MANY = 300_000;
const bridge = (at: string, buses: string, rest = ''): string =>
  `${at} PCI bridge: Intel Corporation Device 1234 (rev 01)\n\tControl: I/O+ Mem+ BusMaster+\n\tStatus: Cap+ 66MHz-\n\tBus: ${buses}, sec-latency=0\n${rest}\tCapabilities: [40] Express (v2) Root Port (Slot+), MSI 00\n\tCapabilities: [100 v1] Advanced Error Reporting\n\n`;
const head = bridge('00:01.0', 'primary=00, secondary=01, subordinate=01').trimEnd();
const acs = (sign: string): string =>
  `\tCapabilities: [148 v1] Access Control Services\n\t\tACSCtl:\tSrcValid+ TransBlk- ReqRedir${sign} CmpltRedir- UpstreamFwd- EgressCtrl- DirectTrans-\n`;

const filesOf = (files: Readonly<Record<string, string | Uint8Array>>): FileTree => {
  const inside = (folder: string): string[] =>
    Object.keys(files)
      .filter((path) => folder === '' || path.startsWith(`${folder}/`))
      .map((path) => path.slice(folder === '' ? 0 : folder.length + 1).split('/')[0] ?? '');
  return {
    list: (path) => (inside(path).length === 0 ? undefined : [...new Set(inside(path))]),
    read: (path) => {
      const file = files[path];
      return typeof file === 'string' ? new TextEncoder().encode(file) : file;
    },
    link: () => undefined,
  };
};

describe('size', () => {
  const texts: readonly (readonly [string, string])[] = [
    [
      'ranges of one function',
      `${head}\n${'\tMemory at 90000000 (32-bit, non-prefetchable) [size=4K]\n'.repeat(MANY)}`,
    ],
    [
      'ranges that move',
      `${head}\n${'\tRegion 0: Memory at 90000000 (32-bit)\n\tRegion 0: Memory at a0000000 (32-bit, prefetchable)\n'.repeat(MANY / 2)}`,
    ],
    [
      'capabilities of one function',
      `${head}\n${'\tCapabilities: [148 v1] Access Control Services\n'.repeat(MANY)}`,
    ],
    ['bytes that contradict each other', `${head}\n${'40: 01 02\n40: 03 04\n'.repeat(MANY / 2)}`],
    ['bytes of nobody', `${head}\n\n${'40: 01 02\n'.repeat(MANY)}`],
    ['the same function', `${head}\n`.repeat(MANY / 8)],
    ['ranges without addresses', '00000000-00000000 : x\n'.repeat(MANY)],
    ['branches', `-[0000:00]-+-00.0  Intel\n${'           +-01.0-[01]----00.0  Intel\n'.repeat(MANY)}`],
    ['branches in one line', `-[0000:00]-${'+-01.0-[01]--'.repeat(MANY / 4)}`],
    [
      'elements in one line',
      `<system><cpu numaid="0">${'<nvlink target="0000:01:00.0" count="2"/>'.repeat(MANY)}</cpu></system>`,
    ],
    ['spaces', `${head}\n\tSubsystem: a [1234:5678]${' '.repeat(2 ** 20)}b\n\t${' '.repeat(2 ** 20)}z`],
    [
      'digits',
      `${head}\n\tRegion 0: Memory at ${'9'.repeat(2 ** 20)} (64-bit, prefetchable) [size=${'9'.repeat(2 ** 20)}P]`,
    ],
    ['brackets', `00:01.0 PCI bridge: ${'[1234:5678] ('.repeat(2 ** 16)}`],
    [
      'an attribute',
      `<system><pci busid="00:01.0" ${'a'.repeat(2 ** 20)} ${'b= '.repeat(2 ** 18)}/></system>`,
    ],
  ];

  // Anything that grows with the square of these sizes takes minutes.
  test.each(texts)('%s', { timeout: 20_000 }, (_, text) => {
    const dump = readTopologyText(text);
    expect(dump.functions.length).toBeLessThan(300);
    expect(dump.remarks.length).toBeLessThanOrEqual(1100);
    for (const { acs: registers } of dump.functions) expect(registers.control).not.toBeTypeOf('number');
  });
});

describe('encoding', () => {
  test('a mark at the beginning, and line ends of another system', () => {
    const text = `\ufeff${bridge('00:01.0', 'primary=00, secondary=01, subordinate=01', acs('+'))}`;
    expect(at(readTopologyText(text.replaceAll('\n', '\r\n')), '00:01.0').acs.control).toBe(0x05);
  });

  test('two bytes per character are refused', () => {
    const text = Buffer.from(head, 'utf16le').toString('latin1');
    expect(refusal(() => readTopologyText(text))).toMatchObject({ code: 'unknown-format', line: 1 });
  });

  test('zeros inside lines hide what the lines say', () => {
    const text = bridge('00:01.0', 'primary=00, secondary=01, subordinate=01', acs('+'));
    const { acs: registers, buses } = at(readTopologyText(text.replaceAll('\t', '\0\t')), '00:01.0');
    expect([registers.control, buses]).toEqual(['unknown', 'unknown']);
  });
});

describe('buses', () => {
  const device = (name: string): string => `${name} 3D controller: NVIDIA Corporation Device 2330\n\n`;

  test('a bridge that leads to a bus above itself', () => {
    const ring =
      bridge('01:00.0', 'primary=01, secondary=02, subordinate=02') +
      bridge('02:00.0', 'primary=02, secondary=01, subordinate=02') +
      device('02:01.0');
    const dump = readTopologyText(ring);
    expect(upName(at(dump, '02:01.0'))).toBe('0000:01:00.0');
    expect(upName(at(dump, '01:00.0'))).not.toBe('0000:02:00.0');
  });

  test('a bridge that leads to its own bus, and one that ends before it begins', () => {
    const dump = readTopologyText(
      bridge('05:00.0', 'primary=05, secondary=05, subordinate=05') +
        bridge('06:00.0', 'primary=06, secondary=09, subordinate=07') +
        device('09:00.0'),
    );
    expect(dump.remarks.filter(({ code }) => code === 'bus-numbers-invalid').map(({ line }) => line)).toEqual(
      [1, 8],
    );
    expect(at(dump, '09:00.0').upstream).toBe('unknown');
  });

  test('domains of 32 bits do not run into each other', () => {
    const dump = readTopologyText(
      bridge('ffffffff:00:01.0', 'primary=00, secondary=01, subordinate=01') +
        bridge('00:01.0', 'primary=00, secondary=02, subordinate=02') +
        device('ffffffff:01:00.0') +
        device('02:00.0') +
        device('10000:01:00.0'),
    );
    expect(upName(at(dump, 'ffffffff:01:00.0'))).toBe('ffffffff:00:01.0');
    expect(upName(at(dump, '02:00.0'))).toBe('0000:00:01.0');
    expect(upName(at(dump, '10000:01:00.0'))).toBe('unknown');
    expect(at(dump, 'ffffffff:01:00.0').rootBus).toEqual({ domain: 0xffffffff, bus: 0 });
  });

  test('a missing bridge inside two ranges that are not nested', () => {
    const far = bridge('40:01.0', 'primary=40, secondary=41, subordinate=45');
    const nested = readTopologyText(far + device('43:00.0'));
    expect(at(nested, '43:00.0')).toMatchObject({ upstream: 'unknown', rootBus: { domain: 0, bus: 0x40 } });
    const wide = bridge('00:01.0', 'primary=00, secondary=01, subordinate=44');
    const crossed = readTopologyText(wide + far + device('43:00.0'));
    expect(at(crossed, '43:00.0')).toMatchObject({ upstream: 'unknown', rootBus: 'unknown' });
  });

  test('the same function with other bus numbers', () => {
    const dump = readTopologyText(
      bridge('00:01.0', 'primary=00, secondary=01, subordinate=01') +
        bridge('00:01.0', 'primary=00, secondary=02, subordinate=02') +
        device('01:00.0'),
    );
    expect([at(dump, '00:01.0').buses, at(dump, '01:00.0').upstream]).toEqual(['unknown', 'unknown']);
  });
});

describe('lines of two functions', () => {
  const port = bridge('00:02.0', 'primary=00, secondary=02, subordinate=02', acs('+'));
  const lines = port.split('\n');

  test('below one first line: what they say of registers is not believed', () => {
    const lost = readTopologyText(`${head}\n${lines.slice(1).join('\n')}`);
    expect(at(lost, '00:01.0')).toMatchObject({
      buses: 'unknown',
      portType: 'unknown',
      acs: { control: 'unknown' },
    });
    expect(lost.remarks.map(({ code, line }) => [code, line])).toContainEqual(['line-not-understood', 7]);
  });

  test('that do not fit together', () => {
    const nvme =
      '00:01.0 Non-Volatile memory controller: Intel Corporation Device 0953\n\tStatus: Cap+ 66MHz-\n';
    const dump = readTopologyText(nvme + lines.slice(3).join('\n'));
    expect(at(dump, '00:01.0')).toMatchObject({ buses: 'unknown', acs: { control: 'unknown' } });
  });

  test('capabilities under a status that denies them', () => {
    const dump = readTopologyText(port.replace('Cap+', 'Cap-'));
    expect(at(dump, '00:02.0')).toMatchObject({ portType: 4, acs: { control: 0x05 } });
    const silent = readTopologyText(
      port
        .replace('Cap+', 'Cap-')
        .replace(/^.*(?:ACS|Express|Access|Advanced).*\n/gm, '\tCapabilities: [80] Power\n'),
    );
    expect(at(silent, '00:02.0')).toMatchObject({ portType: 'unknown', acs: { control: 'unknown' } });
  });

  test('joined to one', () => {
    const joined = port
      .replace('Reporting\n', 'Reporting')
      .replace('\n\tCapabilities: [148', '\tCapabilities: [148')
      .replace(/^.*ACSCtl.*\n/m, '');
    expect(at(readTopologyText(joined), '00:02.0').acs.control).toBe('unknown');
  });

  test('of a drawing: a branch whose first line is lost hangs on nothing', () => {
    const drawing = [
      '-+-[0000:00]-+-00.0  A',
      ' |           +-02.0-[01-02]--+-00.0  B',
      ' |           |               \\-01.0  C',
      ' |           \\-03.0-[03-04]--+-00.0  D',
      ' |                           \\-01.0  E',
      ' \\-[0000:60]-+-00.0  F',
      '             \\-01.0-[61]----00.0  G',
    ];
    const whole = readTopologyText(drawing.join('\n'));
    expect(whole.functions.map(({ name }) => name)).toContain('0000:03:01.0');
    const lost = readTopologyText(drawing.toSpliced(3, 1).join('\n'));
    expect(lost.functions.map(({ name }) => name)).toEqual(
      whole.functions.map(({ name }) => name).filter((name) => !/03:0|:03[.]/.test(name)),
    );
    expect(lost.remarks.map(({ code, line }) => [code, line])).toContainEqual(['line-not-understood', 4]);
    const mixed = readTopologyText(
      ['-[0000:00]-+-00.0  A', '           +-05.0  B', '           +-02.0  C'].join('\n'),
    );
    expect(mixed.functions.map(({ name }) => name)).toEqual(['0000:00:00.0', '0000:00:05.0']);
    const headless = readTopologyText(drawing.toSpliced(5, 1).join('\n'));
    expect(headless.functions.map(({ name }) => name)).not.toContain('0000:60:01.0');
    expect(functionAt(headless, '61:00.0')).toBeUndefined();
  });
});

describe('files', () => {
  test('numbers that are none leave their facts open', () => {
    for (const row of [
      '',
      'vendor= device=x class=',
      'vendor=0x99999999999 device=-1 class=1e400 group=-1',
    ]) {
      const dump = readTopologyTree(
        filesOf({
          'pci.txt': `0000:00:00.0 ${row}\n`,
          cpuinfo: 'vendor_id\t: AuthenticAMD\ncpu family\t: \n',
        }),
      );
      const { vendorId, deviceId, classId, iommuGroup } = at(dump, '00:00.0');
      expect([vendorId, deviceId, classId, iommuGroup, dump.cpu]).toEqual([
        'unknown',
        'unknown',
        'unknown',
        undefined,
        'unknown',
      ]);
    }
    const sys = 'sys/bus/pci/devices/0000:00:00.0/';
    const dump = readTopologyTree(
      filesOf({ [`${sys}vendor`]: '\n', [`${sys}class`]: '-1', [`${sys}numa_node`]: '' }),
    );
    expect(at(dump, '00:00.0')).toMatchObject({
      vendorId: 'unknown',
      classId: 'unknown',
      numaNode: undefined,
    });
  });

  test.each(['-5 10 0x200', '0.5 3 0x200', '1e999 1e999 0x200', '0x1 0xffffffffffffffffff 0x200', 'a b c'])(
    'a range of %s',
    (row) => {
      const dump = readTopologyTree(
        filesOf({ 'pci.txt': '0000:00:00.0 vendor=0x8086\n', 'pci_resources.txt': `0000:00:00.0 ${row}\n` }),
      );
      expect(at(dump, '00:00.0').resources).toEqual([]);
      expect(dump.remarks.map(({ code }) => code)).toContain('line-not-understood');
    },
  );

  test('bytes of a device that does not answer tell nothing', () => {
    const sys = 'sys/bus/pci/devices/0000:00:01.0/';
    const dump = readTopologyTree(
      filesOf({ [`${sys}config`]: new Uint8Array(4096).fill(0xff), [`${sys}class`]: '0x060400\n' }),
    );
    const { portType, acs: registers, buses, resources } = at(dump, '00:01.0');
    expect([portType, registers.control, buses, resources]).toEqual(['unknown', 'unknown', 'unknown', []]);
    expect(dump.remarks.map(({ code }) => code)).toContain('function-gone');
  });

  test('bus numbers that bytes and text tell differently lead nowhere', () => {
    const bytes = `00: 86 80 34 12 06 00 10 00 01 00 04 06 00 00 01 00\n10: 00 00 00 00 00 00 00 00 00 02 02 00 00 00 00 00\n\n`;
    const dump = readTopologyText(
      `${head.replace(/\n\tCap.*/g, '')}\n${bytes}01:00.0 3D controller: a b\n\n02:00.0 3D controller: a b\n`,
    );
    expect([at(dump, '00:01.0').buses, at(dump, '01:00.0').upstream, at(dump, '02:00.0').upstream]).toEqual([
      'unknown',
      'unknown',
      'unknown',
    ]);
    expect(dump.remarks.map(({ code }) => code)).toContain('bytes-and-text-differ');
  });
});

import { join } from 'node:path';
import { renderLspci, sampleNcclXml, sampleShortListing, sampleTree } from '@sgfree/machine-texts';
import { describe, expect, test } from 'vitest';
import { type MachineDump, readTopologyText, readTopologyTree } from '../src/index.ts';
import { at, refusal, upName } from './asking.ts';
import { folderTree } from './folder-tree.ts';
import { recordedRoot } from './known-inputs.ts';

const bridge = (at: string, buses: string, extra = ''): string =>
  `${at} PCI bridge: Intel Corporation Device 1234 (rev 01)\n\tControl: I/O+ Mem+ BusMaster+\n\tStatus: Cap+ 66MHz-\n\tBus: ${buses}, sec-latency=0\n${extra}\tCapabilities: [40] Express (v2) Root Port (Slot+), MSI 00\n\tCapabilities: [100 v1] Advanced Error Reporting\n\n`;

const codes = (dump: MachineDump): string[] => dump.remarks.map(({ code }) => code);
describe('what is refused', () => {
  test('nothing, and text of no known format', () => {
    expect(refusal(() => readTopologyText(' \n'))).toMatchObject({ code: 'empty' });
    expect(refusal(() => readTopologyText('\n\nHello there'))).toMatchObject({
      code: 'unknown-format',
      line: 3,
      found: '"Hello there"',
    });
    expect(
      refusal(() =>
        readTopologyTree({
          list: (path) => (path === '' ? ['a'] : undefined),
          read: () => undefined,
          link: () => undefined,
        }),
      ),
    ).toMatchObject({ code: 'unknown-format' });
  });

  test('two machines in one text, at the line where the second shows', () => {
    const one = renderLspci(readTopologyTree(folderTree(join(recordedRoot, 'p2p/A_zen/topo'))), true);
    const other = renderLspci(readTopologyTree(folderTree(join(recordedRoot, 'p2p/C_zen/topo'))), true);
    const error = refusal(() => readTopologyText(one + other));
    expect(error.code).toBe('two-machines');
    expect(error.line).toBeGreaterThan(one.split('\n').length);
    expect(error.message).toMatch(/^line [0-9]+: found 0000:[0-9a-f:.]+ with .*; expected .* two machines/);
  });

  test('XML that ends early or nests wrongly', () => {
    expect(refusal(() => readTopologyText(sampleNcclXml.slice(0, 300)))).toMatchObject({ code: 'malformed' });
    expect(refusal(() => readTopologyText('<system>\n<cpu>\n</system>'))).toMatchObject({
      line: 3,
      found: '</system>',
      expected: '</cpu>',
    });
    expect(refusal(() => readTopologyText('<system><pci busid="x"/></system>'))).toMatchObject({
      found: 'busid "x"',
    });
  });
});

describe('what is read with remarks', () => {
  test('the same machine twice, a register changed in between', () => {
    const acs = (bit: string): string =>
      `\tCapabilities: [148 v1] Access Control Services\n\t\tACSCtl:\tSrcValid+ TransBlk- ReqRedir${bit} CmpltRedir- UpstreamFwd- EgressCtrl- DirectTrans-\n`;
    const buses = 'primary=00, secondary=01, subordinate=01';
    const dump = readTopologyText(bridge('00:01.0', buses, acs('+')) + bridge('00:01.0', buses, acs('-')));
    expect(at(dump, '00:01.0').acs.control).toBe('unknown');
    expect(codes(dump)).toContain('state-changed');
  });

  test('capabilities hidden from a user who is not root', () => {
    const dump = readTopologyText(
      '00:01.0 PCI bridge: Intel Corporation Device 1234\n\tBus: primary=00, secondary=01, subordinate=01\n\tCapabilities: <access denied>\n\n',
    );
    expect(at(dump, '00:01.0')).toMatchObject({ portType: 'unknown', acs: { control: 'unknown' } });
    expect(codes(dump)).toEqual(['capabilities-hidden']);
  });

  test('64 bytes of configuration space', () => {
    const whole = renderLspci(readTopologyTree(folderTree(join(recordedRoot, 'p2p/A_zen/topo'))), true);
    const dump = readTopologyText(
      whole.replace(/^\t.*\n/gm, '').replace(/^[4-9a-f][0-9a-f]: .*\n|^[0-9a-f]{3}: .*\n/gm, ''),
    );
    expect(at(dump, '00:02.0')).toMatchObject({
      portType: 'unknown',
      buses: { secondary: 1 },
      acs: { control: 'unknown' },
    });
    expect(upName(at(dump, '01:00.0'))).toBe('0000:00:02.0');
    expect(codes(dump)).toContain('config-truncated');
  });

  test('a bridge that is missing', () => {
    const dump = readTopologyText(
      `${bridge('00:01.0', 'primary=00, secondary=01, subordinate=04')}03:00.0 3D controller: NVIDIA Corporation Device 2330\n\n`,
    );
    expect(at(dump, '03:00.0').upstream).toBe('unknown');
    expect(at(dump, '03:00.0').rootBus).toEqual({ domain: 0, bus: 0 });
    expect(codes(dump)).toContain('bus-without-bridge');
  });

  test('two bridges that claim one bus, and a bus below itself', () => {
    const dump = readTopologyText(
      bridge('00:01.0', 'primary=00, secondary=03, subordinate=03') +
        bridge('00:02.0', 'primary=00, secondary=03, subordinate=03') +
        bridge('05:00.0', 'primary=05, secondary=05, subordinate=05') +
        '03:00.0 3D controller: NVIDIA Corporation Device 2330\n',
    );
    expect(at(dump, '03:00.0').upstream).toBe('unknown');
    expect(codes(dump)).toEqual(expect.arrayContaining(['bus-claimed-twice', 'bus-numbers-invalid']));
  });

  test('windows that overlap', () => {
    const window = (range: string): string => `\tMemory behind bridge: ${range}\n`;
    const dump = readTopologyText(
      bridge('00:01.0', 'primary=00, secondary=01, subordinate=01', window('90000000-901fffff')) +
        bridge('00:02.0', 'primary=00, secondary=02, subordinate=02', window('90100000-902fffff')) +
        bridge('00:03.0', 'primary=00, secondary=03, subordinate=03', window('90300000-903fffff')),
    );
    expect(
      dump.remarks.filter(({ code }) => code === 'windows-overlap').map(({ device, line }) => [device, line]),
    ).toEqual([['0000:00:02.0', 9]]);
  });

  test('a listing that lost its indentation, with line ends of another system', () => {
    const text = bridge('00:01.0', 'primary=00, secondary=01, subordinate=01')
      .replaceAll('\t', '')
      .replaceAll('\n', '\r\n');
    expect(at(readTopologyText(text), '00:01.0')).toMatchObject({ portType: 4, buses: { secondary: 1 } });
  });
});

describe('other sources', () => {
  test('a drawing shows nesting, bus numbers and root buses', () => {
    const dump = readTopologyText(sampleTree);
    expect(dump.functions.map((fn) => [fn.name, upName(fn)])).toEqual([
      ['0000:00:00.0', 'root'],
      ['0000:00:02.0', 'root'],
      ['0000:00:1f.0', 'root'],
      ['0000:01:00.0', '0000:00:02.0'],
      ['0000:02:00.0', '0000:01:00.0'],
      ['0000:02:01.0', '0000:01:00.0'],
      ['0000:02:02.0', '0000:01:00.0'],
      ['0000:03:00.0', '0000:02:00.0'],
      ['0000:04:00.0', '0000:02:01.0'],
      ['0000:04:00.1', '0000:02:01.0'],
      ['10000:e0:00.0', 'root'],
      ['10000:e0:02.0', 'root'],
      ['10000:e1:00.0', '10000:e0:02.0'],
    ]);
    expect(at(dump, '04:00.1')).toMatchObject({
      vendorId: 0x15b3,
      deviceId: 0x1021,
      portType: 'unknown',
      acs: { control: 'unknown' },
    });
  });

  test('a topology file of NCCL is partial: nothing about ACS, nothing above its first bridge', () => {
    const dump = readTopologyText(sampleNcclXml);
    expect(dump).toMatchObject({ partial: true, cpu: { vendor: 'AuthenticAMD', family: 25, model: 17 } });
    expect(dump.functions.map((fn) => [fn.name, upName(fn), fn.numaNode])).toEqual([
      ['0000:10:1b.0', 'ffff:ff:01.0', 1],
      ['0000:10:1c.0', 'ffff:ff:01.0', 1],
      ['ffff:ff:01.0', 'unknown', 1],
    ]);
    expect(at(dump, 'ffff:ff:01.0').vendorId).toBe('unknown');
  });

  test('/proc/iomem, with and without privileges', () => {
    const dump = readTopologyText(
      '00001000-0009fbff : System RAM\nc0000000-febfffff : PCI Bus 0000:00\n  f4000000-f7ffffff : 0000:02:00.0\n',
    );
    expect(dump.iomem).toEqual([
      { base: 0x1000, bytes: 0x9ec00, name: 'System RAM', depth: 0 },
      { base: 0xc0000000, bytes: 0x3ec00000, name: 'PCI Bus 0000:00', depth: 0 },
      { base: 0xf4000000, bytes: 0x4000000, name: '0000:02:00.0', depth: 1 },
    ]);
    expect(codes(readTopologyText('00000000-00000000 : System RAM\n00000000-00000000 : Reserved\n'))).toEqual(
      ['capabilities-hidden'],
    );
  });

  test('numbers, with and without names', () => {
    const dump = readTopologyText(
      '0001:00:00.0 3D controller [0302]: NVIDIA Corporation GA100 [A100 SXM4] [10de:20b2] (rev a1)\n01:00.0 0200: 15b3:1021 (rev 01)\n\tKernel driver in use: mlx5_core\n',
    );
    expect(at(dump, '0001:00:00.0')).toMatchObject({
      classId: 0x0302,
      vendorId: 0x10de,
      deviceId: 0x20b2,
      title: 'NVIDIA Corporation GA100 [A100 SXM4]',
    });
    expect(at(dump, '01:00.0')).toMatchObject({ classId: 0x0200, vendorId: 0x15b3, driver: 'mlx5_core' });
  });

  test('a lookup tells numbers for names', () => {
    const lookup = (title: string) =>
      title.endsWith('DMI3 Registers') ? { vendorId: 0x8086, deviceId: 0x2020 } : undefined;
    const dump = readTopologyText(
      '00:00.0 Host bridge: Intel Corporation Sky Lake-E DMI3 Registers (rev 04)\n',
      { lookup },
    );
    expect(at(dump, '00:00.0')).toMatchObject({ vendorId: 0x8086, deviceId: 0x2020 });
  });

  test('verdicts of -v: short lines, no control registers', () => {
    const fn = at(readTopologyText(sampleShortListing), '02:01.0');
    expect(fn).toMatchObject({
      busMaster: true,
      numaNode: 1,
      iommuGroup: 7,
      portType: 6,
      acs: { offset: 0xf24, control: 'unknown' },
    });
    expect(fn.resources[0]).toMatchObject({ kind: 'bar', index: 0, base: 0xc7100000, bytes: 2 ** 18 });
  });
});

// ACS registers after a boot with parameters, on every kernel whose way is known; worked out from the rules, not from the
// code. The port of most cases implements 0x5f; firmware left nothing in it and the kernel programmed 0x1d.

import { describe, expect, test } from 'vitest';
import {
  type AcsBoot,
  type AcsKernel,
  acsWithParameters,
  explainAcsParameters,
  type MachineDump,
  parseAcsParameters,
  readTopologyText,
} from '../src/index.ts';
import { configText, type MachinePlan } from './config-machine.ts';

const port = (control: number): MachinePlan => ({
  '00:01.0': { ids: '8086:352a', type: 4, buses: [1, 3], acs: [0x5f, control] },
  '01:00.0': { ids: '10b5:8796', type: 5, buses: [2, 3] },
  '02:08.0': { ids: '10b5:8796', type: 6, buses: [3, 3], acs: [0x5f, control] },
  '03:00.0': { ids: '15b3:1021', type: 0, subsystem: '15b3:0041', acs: [0x7f, control] },
  '0001:02:08.0': { ids: '10b5:8797', type: 6, buses: [3, 3], acs: [0x5f, control] },
});

const machine = (control = 0x1d): MachineDump => readTopologyText(configText(port(control)));
type Firmware = AcsBoot['firmware'];

function after(
  text: string,
  kernel: AcsKernel = '7.3',
  firmware: Firmware = 'zero',
  dump: MachineDump = machine(),
): string[] {
  return acsWithParameters(dump, parseAcsParameters(text), { kernel, firmware }).map(
    ({ fn, after: { value, unknownBits } }) =>
      `${fn.name.replace(/^0000:/, '')} ${value.toString(16)}${unknownBits === 0 ? '' : `?${unknownBits.toString(16)}`}`,
  );
}

const newer = ['6.12', '7.2', '7.3'] as const;

describe('which bits', () => {
  test.each(newer)('%s computes from what firmware left', (kernel) => {
    expect(after('disable_acs_redir=00:01.0', kernel)).toEqual(['00:01.0 0']);
    expect(after('disable_acs_redir=00:01.0', kernel, 'unknown')).toEqual(['00:01.0 0?11']);
    expect(after('config_acs=x@00:01.0', kernel)).toEqual(['00:01.0 0']);
    expect(after('config_acs=@00:01.0', kernel)).toEqual(['00:01.0 0']);
    expect(after('config_acs=1@00:01.0', kernel)).toEqual(['00:01.0 1']);
    expect(after('config_acs=1000000@00:01.0', kernel)).toEqual(['00:01.0 40']);
    expect(after('config_acs=1100000@00:01.0', kernel)).toEqual(['00:01.0 40']);
    expect(after('config_acs=XX1x1Xx@00:01.0', kernel, 'unknown')).toEqual(['00:01.0 14?9']);
  });

  test('6.1 clears three bits of what the kernel programmed, and knows no config_acs', () => {
    expect(after('disable_acs_redir=00:01.0', '6.1')).toEqual(['00:01.0 11']);
    expect(after('disable_acs_redir=00:01.0', '6.1', 'unknown')).toEqual(['00:01.0 11']);
    expect(after('config_acs=0@00:01.0', '6.1')).toEqual([]);
  });

  test('both options: the second one starts from firmware again', () => {
    const both = 'pci=disable_acs_redir=00:01.0,config_acs=x1xx@00:01.0';
    expect(after(both)).toEqual(['00:01.0 4']);
    expect(after(both, '6.1')).toEqual(['00:01.0 11']);
    expect(after('pci=config_acs=x1xx@00:01.0,disable_acs_redir=00:01.0')).toEqual(['00:01.0 4']);
  });

  test('bits that the kernel does not add are those of firmware', () => {
    const dump = machine(0x7d & 0x5f);
    expect(after('disable_acs_redir=00:01.0', '7.3', 'zero', dump)).toEqual(['00:01.0 40']);
    expect(after('disable_acs_redir=00:01.0', '7.3', 'unknown', dump)).toEqual(['00:01.0 40?11']);
  });
});

describe('which devices', () => {
  const all = ['00:01.0 0', '02:08.0 0', '03:00.0 0', '0001:02:08.0 0'];
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    ['place', '02:08.0', ['02:08.0 0']],
    ['place-with-domain', '0001:02:08.0', ['0001:02:08.0 0']],
    ['place-with-prefix', '0x1:0x2:0x8.0x0', ['0001:02:08.0 0']],
    ['place-without-zeros', '2:8.0', ['02:08.0 0']],
    ['place-cut-to-five-bits', '02:28.8', ['02:08.0 0']],
    ['path', '00:01.0/00.0/08.0/00.0', ['03:00.0 0']],
    ['path-from-the-middle', '02:08.0/00.0', ['03:00.0 0']],
    ['path-that-does-not-start-there', '01:08.0/00.0', []],
    ['path-longer-than-the-tree', '00:01.0/01.0/00.0/08.0', []],
    ['ids', 'pci:10b5:8796', ['02:08.0 0']],
    ['ids-any-device', 'pci:10b5:0', ['02:08.0 0', '0001:02:08.0 0']],
    ['ids-any', 'pci:0:0', all],
    ['ids-with-subsystem', 'pci:15b3:0:15b3:41', ['03:00.0 0']],
    ['ids-with-another-subsystem', 'pci:15b3:1021:15b3:42', []],
    ['ids-cut-to-sixteen-bits', 'pci:110b5:8796', ['02:08.0 0']],
    ['ids-in-capitals', 'pci:10B5:8796', ['02:08.0 0']],
    ['first-of-two', '02:08.0;pci:10b5:8796', ['02:08.0 0']],
    ['semicolon-at-the-end', '02:08.0;', ['02:08.0 0']],
    ['broken-last-part', '00:01.0;02:08.0/zz', ['00:01.0 0']],
    ['broken-first-part', 'zz/00.0;02:08.0;03:00.0', ['02:08.0 0']],
    ['broken-middle-part', '00:01.0/zz/08.0/00.0;02:08.0;03:00.0', ['02:08.0 0']],
    ['three-ids', 'pci:10b5:8796:0;00:01.0', ['02:08.0 0']],
    ['place-as-ids', 'pci:2:8.0;00:01.0', []],
    ['empty-entry', ';00:01.0', []],
    ['two-semicolons', '02:08.0;;00:01.0', ['02:08.0 0']],
    ['no-function-number', '00:01', []],
    ['a-name', 'eth0;00:01.0', []],
  ];

  test.each(cases)('%s', (_, devices, expected) => {
    expect(after(`disable_acs_redir=${devices}`)).toEqual(expected);
    expect(after(`disable_acs_redir=${devices}`, '6.1')).toEqual(
      expected.map((text) => text.replace(/0$/, '11')),
    );
    expect(after(`config_acs=${devices.replaceAll(/(^|;)(?=.)/g, '$10000000@')}`)).toEqual(
      // An empty entry has no flags either.
      expected,
    );
  });

  test('the first entry that means a function counts', () => {
    expect(after('config_acs=1@02:08.0;1xx@pci:10b5:0')).toEqual(['02:08.0 1', '0001:02:08.0 4']);
    expect(after('config_acs=1@02:08.0;y@pci:10b5:0;1@00:01.0')).toEqual(['02:08.0 1']);
  });

  test('an entry that may mean a function leaves open which one counts', () => {
    // The subsystem of a bridge is not in its header.
    const text = 'config_acs=0000000@pci:10b5:8796:10b5:1;0000100@02:08.0';
    expect(after(text)).toEqual(['02:08.0 0?4']);
    expect(after('config_acs=0000000@pci:10b5:8796:10b5:1')).toEqual(['02:08.0 0?1d']);
  });
});

describe('mistakes', () => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    ['comma', 'pci=disable_acs_redir=00:01.0,02:08.0', ['comma']],
    ['comma-before-ids', 'pci=disable_acs_redir=00:01.0,pci:10b5:8796', ['comma']],
    ['another-option', 'pci=disable_acs_redir=00:01.0,noaer', []],
    ['space-after-semicolon', 'pci=disable_acs_redir=00:01.0; 02:08.0', ['space']],
    ['space-instead', 'pci=disable_acs_redir=00:01.0 02:08.0 quiet', ['space']],
    ['another-argument', 'pci=disable_acs_redir=00:01.0 quiet ro root=/dev/sda1', []],
    ['quoted', '"pci=disable_acs_redir=00:01.0;02:08.0"', []],
    ['no-flags', 'pci=config_acs=00:01.0', ['flags-missing']],
    ['eighth-flag', 'pci=config_acs=10000000@00:01.0', ['flags-reserved']],
    ['eighth-flag-left-open', 'pci=config_acs=x0000000@00:01.0', []],
    ['letter', 'pci=config_acs=2@00:01.0', ['flags-invalid']],
    ['empty-entry', 'pci=disable_acs_redir=00:01.0;;02:08.0', ['device-invalid']],
    ['broken-path', 'pci=disable_acs_redir=zz/08.0', ['device-invalid']],
    ['place-as-ids', 'pci=disable_acs_redir=pci:0:8.0', ['text-left-over', 'matches-nothing']],
    ['nobody', 'pci=disable_acs_redir=00:1f.0', ['matches-nothing']],
    ['no-acs', 'pci=disable_acs_redir=01:00.0', ['no-acs']],
    ['nothing', 'pci=config_acs=', ['no-device']],
  ];

  test.each(cases)('%s', (_, text, codes) => {
    const mistakes = explainAcsParameters(parseAcsParameters(text), machine(), '7.3');
    expect(mistakes.map(({ code }) => code)).toEqual(codes);
  });
});

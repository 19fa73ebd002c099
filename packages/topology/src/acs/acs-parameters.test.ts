import { expect, test } from 'vitest';
import { parseAcsParameters } from './acs-parameters.ts';

test('flags are read from the right, x leaves a bit alone', () => {
  const { configure, mistakes } = parseAcsParameters('pci=config_acs=xx11x0x@0000:01:00.0');
  expect(mistakes).toEqual([]);
  expect(configure).toEqual([
    {
      text: 'xx11x0x@0000:01:00.0',
      mask: 0x1a,
      flags: 0x18,
      device: { kind: 'path', domain: 0, bus: 1, slots: [0] },
    },
  ]);
});

test('devices are separated by semicolons, each with flags of its own', () => {
  const { configure } = parseAcsParameters('quiet pci=noaer,config_acs=1@02:00.0;0@10000:e1:1f.7/02.1 rw');
  expect(configure.map(({ mask, flags, device }) => [mask, flags, device])).toEqual([
    [1, 1, { kind: 'path', domain: 0, bus: 2, slots: [0] }],
    [1, 0, { kind: 'path', domain: 0x10000, bus: 0xe1, slots: [0xff, 0x11] }],
  ]);
});

test('disable_acs_redir decides the three redirecting bits', () => {
  const { disableRedirect } = parseAcsParameters('disable_acs_redir=pci:1b36:000c;pci:10b5:8796:1:2');
  expect(disableRedirect.map(({ mask, flags, device }) => [mask, flags, device])).toEqual([
    [0x2c, 0, { kind: 'ids', ids: [0x1b36, 0x000c, 0, 0] }],
    [0x2c, 0, { kind: 'ids', ids: [0x10b5, 0x8796, 1, 2] }],
  ]);
});

const mistaken: readonly (readonly [string, string, number])[] = [
  ['pci=disable_acs_redir=0000:01:00.0,0000:02:00.0', 'comma', 1],
  ['pci=config_acs=1@01:00.0,0@02:00.0', 'comma', 1],
  ['pci=config_acs=1@01:00.0;02:00.0;1@03:00.0', 'flags-missing', 1],
  ['pci=config_acs=1y0@01:00.0', 'flags-invalid', 0],
  ['pci=config_acs=10000000@01:00.0', 'flags-reserved', 0],
  ['pci=config_acs=1@eth0', 'device-invalid', 0],
  ['pci=disable_acs_redir=01:00.0;eth0;02:00.0', 'device-invalid', 1],
  ['pci=config_acs=xx11xxx@pci:0:4.0', 'text-left-over', 1],
  ['pci=disable_acs_redir=', 'no-device', 0],
  ['pci=disable_acs_redir=01:00.0 pci=disable_acs_redir=02:00.0', 'given-twice', 1],
];

test.each(mistaken)('%s: %s', (text, code, entries) => {
  const parsed = parseAcsParameters(text);
  expect(parsed.mistakes.map((mistake) => mistake.code)).toEqual([code]);
  expect(parsed.disableRedirect.length + parsed.configure.length).toBe(entries);
});

test('a zero bit above the seventh is reserved too', () => {
  expect(parseAcsParameters('config_acs=0xxxxxxx@01:00.0').mistakes.map(({ code }) => code)).toEqual([
    'flags-reserved',
  ]);
  expect(parseAcsParameters('config_acs=xxxxxxxx@01:00.0').mistakes).toEqual([]);
});

import { expect, test } from 'vitest';
import {
  acsWithParameters,
  clearedRedirect,
  DumpRoutes,
  defaultAcsControl,
  explainAcsParameters,
  functionAt,
  parseAcsParameters,
  readTopologyText,
  redirects,
} from '../src/index.ts';

const acs = (control: string): string =>
  `\tCapabilities: [148 v1] Access Control Services\n\t\tACSCap:\tSrcValid+ TransBlk+ ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans+\n\t\tACSCtl:\t${control}`;
const on = 'SrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans-';
const port = (at: string, kind: string, buses: string, control: string): string =>
  `${at} PCI bridge [0604]: Some Port [1b36:000c]\n\tControl: I/O+ Mem+ BusMaster+\n\tStatus: Cap+ 66MHz-\n\tBus: ${buses}\n\tCapabilities: [54] Express (v2) ${kind}, MSI 00\n${acs(control)}\n\n`;
const dump = readTopologyText(
  port('00:02.0', 'Root Port (Slot+)', 'primary=00, secondary=01, subordinate=02, sec-latency=0', on) +
    port('01:00.0', 'Upstream Port', 'primary=01, secondary=02, subordinate=02, sec-latency=0', on),
);

const after = (
  text: string,
  firmware: 'zero' | 'unknown',
  kernel: '6.1' | '6.12' | '7.3' = '7.3',
): unknown[] =>
  acsWithParameters(dump, parseAcsParameters(text), { kernel, firmware }).map(({ fn, after: control }) => [
    fn.name,
    control.value,
    control.unknownBits,
  ]);

test('since 6.12 a matching function goes back to what firmware left', () => {
  expect(after('disable_acs_redir=00:02.0', 'zero')).toEqual([['0000:00:02.0', 0, 0]]);
  expect(after('disable_acs_redir=00:02.0', 'unknown')).toEqual([['0000:00:02.0', 0, 0x11]]);
  expect(after('disable_acs_redir=00:02.0', 'zero', '6.1')).toEqual([['0000:00:02.0', 0x11, 0]]);
});

test('config_acs sets what the port implements', () => {
  expect(after('config_acs=1111111@00:02.0', 'zero')).toEqual([['0000:00:02.0', 0x5f, 0]]);
  expect(after('config_acs=xxx0xxx@00:02.0', 'unknown')).toEqual([['0000:00:02.0', 0, 0x15]]);
  expect(after('config_acs=0@00:02.0', 'zero', '6.1')).toEqual([]);
});

test('a path means the device at its end', () => {
  expect(after('disable_acs_redir=00:02.0/00.0', 'zero')).toEqual([['0000:01:00.0', 0, 0]]);
});

test('config_acs comes after disable_acs_redir and starts from firmware again', () => {
  expect(after('pci=disable_acs_redir=00:02.0,config_acs=x1xx@00:02.0', 'zero')).toEqual([
    ['0000:00:02.0', 4, 0],
  ]);
});

test('mistakes that the machine shows', () => {
  const codes = (text: string): string[] =>
    explainAcsParameters(parseAcsParameters(text), dump, '6.1').map(({ code }) => code);
  expect(codes('disable_acs_redir=00:03.0')).toEqual(['matches-nothing']);
  expect(codes('config_acs=0@00:02.0')).toEqual(['not-in-kernel']);
});

test('the default adds the four isolation bits that the port has', () => {
  expect(defaultAcsControl(0x5f, 0, false)).toBe(0x1d);
  expect(defaultAcsControl(0x5f, 0x40, true)).toBe(0x5f);
  expect(defaultAcsControl(0x04, 0x20, false)).toBe(0x24);
});

test('redirection is one of three bits', () => {
  expect([
    redirects('absent'),
    redirects({ value: 0x11, unknownBits: 0 }),
    redirects({ value: 0x11, unknownBits: 8 }),
  ]).toEqual([false, false, 'unknown']);
  expect(redirects({ value: 0x20, unknownBits: 0x0c })).toBe(true);
  expect(clearedRedirect({ value: 0x1d, unknownBits: 0x20 })).toEqual({ value: 0x11, unknownBits: 0 });
  expect(functionAt(dump, '00:02.0')?.acs.control).toBe(0x1d);
});

test('routes are asked with the registers of the what-if', () => {
  const port = functionAt(dump, '00:02.0');
  const below = functionAt(dump, '01:00.0');
  if (port === undefined || below === undefined) throw new Error('the functions are gone');
  const routes = new DumpRoutes(dump, new Map([[port, { value: 0x11, unknownBits: 0x40 }]]));
  expect([routes.acsControl(port), routes.acsControl(below)]).toEqual([0x11, 0x1d]);
  expect(new DumpRoutes(dump, new Map([[port, { value: 0, unknownBits: 4 }]])).acsControl(port)).toBe(
    'unknown',
  );
  expect([routes.upstream(below), routes.upstream(port)]).toEqual([port, null]);
  expect(routes.sameHost(port, below)).toBe(true);
  // 00:00.0 is not in this text: whoever stands first may not be the first.
  expect(routes.rootDevice(below)).toBe('unknown');
});

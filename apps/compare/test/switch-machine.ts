// An invented machine as `lspci -vvv` prints it, with BARs and bridge windows: a drive, an accelerator and a device with
// ports only below one switch, another accelerator below a second root port.
// Source followed: the output of pciutils.
// Simplified: for tests only; no such machine exists.

/** What can be different. */
export interface SwitchMachineOptions {
  /** ACS control of the drive's port: SrcValid, ReqRedir, CmpltRedir, UpstreamFwd set or clear. */
  readonly redirect?: boolean;
  /** True: the drive's port has CmpltRedir alone. */
  readonly completionRedirect?: boolean;
  /** True: capabilities of the drive's port are not shown. */
  readonly hidden?: boolean;
  /** Device id of the host bridge: 2020 is on the list of Linux, 29c0 is not. */
  readonly host?: string;
}

const CONTROL =
  '\tControl: I/O- Mem+ BusMaster+ SpecCycle- MemWINV- VGASnoop- ParErr- Stepping- SERR- FastB2B- DisINTx-';
const AER = '\tCapabilities: [100 v2] Advanced Error Reporting';
const express = (type: string): string => `\tCapabilities: [80] Express (v2) ${type}, IntMsgNum 0`;
const window = (from: string, to: string): string =>
  `\tMemory behind bridge: ${from}-${to} [size=1M] [32-bit]`;
const far = (from: string, to: string): string =>
  `\tPrefetchable memory behind bridge: ${from}-${to} [size=1G] [64-bit]`;

function acs(on: boolean): string[] {
  const sign = on ? '+' : '-';
  const bits = ['SrcValid', 'ReqRedir', 'CmpltRedir', 'UpstreamFwd'];
  const all = ['SrcValid', 'TransBlk', 'ReqRedir', 'CmpltRedir', 'UpstreamFwd', 'EgressCtrl', 'DirectTrans'];
  const control = all.map((name) => `${name}${bits.includes(name) ? sign : '-'}`).join(' ');
  return [
    '\tCapabilities: [148 v1] Access Control Services',
    '\t\tACSCap:\tSrcValid+ TransBlk+ ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans+',
    `\t\tACSCtl:\t${control}`,
  ];
}

const buses = (primary: string, secondary: string, last: string): string =>
  `\tBus: primary=${primary}, secondary=${secondary}, subordinate=${last}, sec-latency=0`;

const block = (head: string, ...lines: readonly string[]): string =>
  [head, CONTROL, ...lines, '', ''].join('\n');

/** The text. */
export function switchMachine({
  redirect = false,
  completionRedirect = false,
  hidden = false,
  host = '2020',
}: SwitchMachineOptions = {}): string {
  const region = '\tRegion 0: Memory at';
  const ofDrivePort = hidden
    ? ['\tCapabilities: <access denied>']
    : [
        express('Downstream Port (Slot+)'),
        AER,
        ...acs(redirect).map((line) =>
          completionRedirect ? line.replace(/(ACSCtl.*)CmpltRedir-/, '$1CmpltRedir+') : line,
        ),
      ];
  return [
    block(
      `00:00.0 Host bridge: Intel Corporation Device ${host}`,
      express('Root Complex Integrated Endpoint'),
      AER,
    ),
    block(
      '00:01.0 PCI bridge: Intel Corporation Device 2030',
      buses('00', '01', '05'),
      window('c0000000', 'c02fffff'),
      far('0000380000000000', '000038003fffffff'),
      express('Root Port (Slot+)'),
      AER,
      ...acs(redirect),
    ),
    block(
      '00:02.0 PCI bridge: Intel Corporation Device 2031',
      buses('00', '06', '06'),
      window('c0400000', 'c04fffff'),
      express('Root Port (Slot+)'),
      AER,
      ...acs(redirect),
    ),
    block(
      '01:00.0 PCI bridge: Example Inc Switch',
      buses('01', '02', '05'),
      window('c0000000', 'c02fffff'),
      far('0000380000000000', '000038003fffffff'),
      express('Upstream Port'),
      AER,
    ),
    block(
      '02:00.0 PCI bridge: Example Inc Switch',
      buses('02', '03', '03'),
      window('c0000000', 'c00fffff'),
      ...ofDrivePort,
    ),
    block(
      '02:01.0 PCI bridge: Example Inc Switch',
      buses('02', '04', '04'),
      window('c0100000', 'c01fffff'),
      far('0000380000000000', '000038003fffffff'),
      express('Downstream Port (Slot+)'),
      AER,
      ...acs(redirect),
    ),
    block(
      '02:02.0 PCI bridge: Example Inc Switch',
      buses('02', '05', '05'),
      window('c0200000', 'c02fffff'),
      express('Downstream Port (Slot+)'),
      AER,
      ...acs(redirect),
    ),
    block(
      '03:00.0 Non-Volatile memory controller: Example Inc Drive',
      `${region} c0000000 (64-bit, non-prefetchable) [size=16K]`,
      express('Endpoint'),
      AER,
    ),
    block(
      '04:00.0 3D controller: Example Inc Accelerator',
      `${region} c0100000 (32-bit, non-prefetchable) [size=4K]`,
      '\tRegion 2: Memory at 380000000000 (64-bit, prefetchable) [size=1G]',
      express('Endpoint'),
      AER,
    ),
    block(
      '05:00.0 Serial controller: Example Inc Ports',
      '\tRegion 0: I/O ports at e000 [size=32]',
      express('Endpoint'),
      AER,
    ),
    block(
      '06:00.0 3D controller: Example Inc Accelerator',
      `${region} c0400000 (64-bit, non-prefetchable) [size=1M]`,
      express('Endpoint'),
      AER,
    ),
  ].join('');
}

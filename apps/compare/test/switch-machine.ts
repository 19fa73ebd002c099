// An invented machine as `lspci -vvv` prints it, with BARs and bridge windows: a drive, an accelerator and a device with
// ports only below one switch, another accelerator below a second root port.
// Source followed: the output of pciutils.
// Simplified: for tests only; no such machine exists.

import { AER_LINE, acsLines, expressLine, listingBlock } from '@sgfree/machine-texts';

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

const window = (from: string, to: string): string => `Memory behind bridge: ${from}-${to} [size=1M] [32-bit]`;
const far = (from: string, to: string): string =>
  `Prefetchable memory behind bridge: ${from}-${to} [size=1G] [64-bit]`;

/** SrcValid, ReqRedir, CmpltRedir and UpstreamFwd on or off. */
const acs = (on: boolean): string[] => acsLines(0x5f, on ? 0x1d : 0);

const buses = (primary: string, secondary: string, last: string): string =>
  `Bus: primary=${primary}, secondary=${secondary}, subordinate=${last}, sec-latency=0`;

const block = (head: string, ...lines: readonly string[]): string => listingBlock(head, lines);

/** The text. */
export function switchMachine({
  redirect = false,
  completionRedirect = false,
  hidden = false,
  host = '2020',
}: SwitchMachineOptions = {}): string {
  const region = 'Region 0: Memory at';
  const ofDrivePort = hidden
    ? ['Capabilities: <access denied>']
    : [
        expressLine('Downstream Port (Slot+)'),
        AER_LINE,
        ...acsLines(0x5f, (redirect ? 0x1d : 0) | (completionRedirect ? 0x08 : 0)),
      ];
  return [
    block(
      `00:00.0 Host bridge: Intel Corporation Device ${host}`,
      expressLine('Root Complex Integrated Endpoint'),
      AER_LINE,
    ),
    block(
      '00:01.0 PCI bridge: Intel Corporation Device 2030',
      buses('00', '01', '05'),
      window('c0000000', 'c02fffff'),
      far('0000380000000000', '000038003fffffff'),
      expressLine('Root Port (Slot+)'),
      AER_LINE,
      ...acs(redirect),
    ),
    block(
      '00:02.0 PCI bridge: Intel Corporation Device 2031',
      buses('00', '06', '06'),
      window('c0400000', 'c04fffff'),
      expressLine('Root Port (Slot+)'),
      AER_LINE,
      ...acs(redirect),
    ),
    block(
      '01:00.0 PCI bridge: Example Inc Switch',
      buses('01', '02', '05'),
      window('c0000000', 'c02fffff'),
      far('0000380000000000', '000038003fffffff'),
      expressLine('Upstream Port'),
      AER_LINE,
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
      expressLine('Downstream Port (Slot+)'),
      AER_LINE,
      ...acs(redirect),
    ),
    block(
      '02:02.0 PCI bridge: Example Inc Switch',
      buses('02', '05', '05'),
      window('c0200000', 'c02fffff'),
      expressLine('Downstream Port (Slot+)'),
      AER_LINE,
      ...acs(redirect),
    ),
    block(
      '03:00.0 Non-Volatile memory controller: Example Inc Drive',
      `${region} c0000000 (64-bit, non-prefetchable) [size=16K]`,
      expressLine('Endpoint'),
      AER_LINE,
    ),
    block(
      '04:00.0 3D controller: Example Inc Accelerator',
      `${region} c0100000 (32-bit, non-prefetchable) [size=4K]`,
      'Region 2: Memory at 380000000000 (64-bit, prefetchable) [size=1G]',
      expressLine('Endpoint'),
      AER_LINE,
    ),
    block(
      '05:00.0 Serial controller: Example Inc Ports',
      'Region 0: I/O ports at e000 [size=32]',
      expressLine('Endpoint'),
      AER_LINE,
    ),
    block(
      '06:00.0 3D controller: Example Inc Accelerator',
      `${region} c0400000 (64-bit, non-prefetchable) [size=1M]`,
      expressLine('Endpoint'),
      AER_LINE,
    ),
  ].join('');
}

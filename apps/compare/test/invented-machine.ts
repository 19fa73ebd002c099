// An invented machine as `lspci -vvv` prints it: two sockets, a switch below the first, ACS as asked for.
// Source followed: the output of pciutils.
// Simplified: for tests only; no such machine exists.

import { AER_LINE, acsLines, expressLine, listingBlock } from '@sgfree/machine-texts';

/** ACS control of the ports, bits 6:0; undefined hides all capabilities of the port. */
export interface InventedAcs {
  readonly portOfGpu?: number | undefined;
  readonly portOfNic?: number;
  readonly portOfDrive?: number;
  readonly rootPort?: number;
}

const acs = (control: number | undefined): string[] => acsLines(0x5f, control);

/** A bridge `bus` = primary, secondary, subordinate. */
function port(
  head: string,
  type: string,
  bus: readonly [string, string, string],
  control: number | undefined,
  hidden = false,
): string {
  const buses = `Bus: primary=${bus[0]}, secondary=${bus[1]}, subordinate=${bus[2]}, sec-latency=0`;
  const capabilities = hidden
    ? ['Capabilities: <access denied>']
    : [expressLine(type), AER_LINE, ...acs(control)];
  return listingBlock(head, [buses, ...capabilities]);
}

const device = (head: string, node: number, bar: string, size: string): string =>
  listingBlock(head, [
    `NUMA node: ${node}`,
    `Region 0: Memory at ${bar} (64-bit, prefetchable) [size=${size}]`,
    expressLine('Endpoint'),
    AER_LINE,
  ]);

const SWITCH = 'PCI bridge: Broadcom / LSI PEX890xx PCIe Gen 5 Switch';

/** The text. The host bridge of the first socket is on the list of Linux, that of the second is not. */
export function inventedMachine(control: InventedAcs = {}): string {
  const { portOfGpu = 0, portOfNic = 0, portOfDrive = 0, rootPort = 0 } = control;
  const hidden = 'portOfGpu' in control && control.portOfGpu === undefined;
  return [
    listingBlock('0000:00:00.0 Host bridge: Intel Corporation Device 2020', [
      expressLine('Root Complex Integrated Endpoint'),
      AER_LINE,
    ]),
    port(
      '0000:00:01.0 PCI bridge: Intel Corporation Device 2030',
      'Root Port (Slot+)',
      ['00', '01', '05'],
      rootPort,
    ),
    port(`0000:01:00.0 ${SWITCH}`, 'Upstream Port', ['01', '02', '05'], undefined),
    port(`0000:02:00.0 ${SWITCH}`, 'Downstream Port (Slot+)', ['02', '03', '03'], portOfGpu, hidden),
    port(`0000:02:01.0 ${SWITCH}`, 'Downstream Port (Slot+)', ['02', '04', '04'], portOfNic),
    port(`0000:02:02.0 ${SWITCH}`, 'Downstream Port (Slot+)', ['02', '05', '05'], portOfDrive),
    device('0000:03:00.0 3D controller: NVIDIA Corporation Device 2330', 0, '380000000000', '64G'),
    device(
      '0000:04:00.0 Infiniband controller: Mellanox Technologies MT2910 Family [ConnectX-7]',
      0,
      '381000000000',
      '32M',
    ),
    device(
      '0000:05:00.0 Non-Volatile memory controller: Example Inc "Fast" <SSD> \\ 1',
      0,
      '381100000000',
      '16K',
    ),
    listingBlock('0000:80:00.0 Host bridge: Intel Corporation Device 1234', [
      expressLine('Root Complex Integrated Endpoint'),
      AER_LINE,
    ]),
    port(
      '0000:80:01.0 PCI bridge: Intel Corporation Device 2030',
      'Root Port (Slot+)',
      ['80', '81', '81'],
      rootPort,
    ),
    device('0000:81:00.0 3D controller: NVIDIA Corporation Device 2330', 1, '390000000000', '64G'),
  ].join('');
}

// An invented machine as `lspci -vvv` prints it, function by function, for tests of the fabric that is built from it.
// Source followed: the output of pciutils.
// Simplified: only lines that the readers look at; no such machine exists.

import { AER_LINE, acsLines, expressLine, listingBlock } from '@sgfree/machine-texts';

const acsOf = (control: number | undefined): string[] => acsLines(0x7f, control);

/** A host bridge function. */
export const hostBlock = (address: string): string =>
  listingBlock(`${address} Host bridge: Intel Corporation Device 2020`, [
    expressLine('Root Complex Integrated Endpoint'),
    AER_LINE,
  ]);

/** How a bridge of a listing is. */
export interface ListedBridge {
  /** `Root Port (Slot+)`, ...; '' for a bridge outside PCI Express. */
  readonly type: string;
  /** Primary, secondary, subordinate bus. */
  readonly buses: readonly [string, string, string];
  /** `c0000000-c0ffffff`. */
  readonly memory?: string;
  readonly prefetch?: string;
  readonly acs?: number;
}

/** A bridge. */
export function bridgeBlock(address: string, { type, buses, memory, prefetch, acs }: ListedBridge): string {
  const [primary, secondary, subordinate] = buses;
  return listingBlock(`${address} PCI bridge: Example Device 1234`, [
    `Bus: primary=${primary}, secondary=${secondary}, subordinate=${subordinate}, sec-latency=0`,
    ...(memory === undefined ? [] : [`Memory behind bridge: ${memory} [size=1M] [32-bit]`]),
    ...(prefetch === undefined ? [] : [`Prefetchable memory behind bridge: ${prefetch} [size=1M] [64-bit]`]),
    ...(type === '' ? ['Capabilities: [40] Subsystem: Device 0000:0000'] : [expressLine(type), AER_LINE]),
    ...acsOf(acs),
  ]);
}

/** A device; `bars` are the rests of its region lines: `0: Memory at c0000000 (32-bit, non-prefetchable) [size=1M]`. */
export function deviceBlock(
  address: string,
  bars: readonly string[],
  type = 'Endpoint',
  acs?: number,
): string {
  return listingBlock(`${address} 3D controller: Example Device 5678`, [
    ...bars.map((bar) => `Region ${bar}`),
    ...(type === '' ? ['Capabilities: [40] Power Management version 3'] : [expressLine(type), AER_LINE]),
    ...acsOf(acs),
  ]);
}

/** A root port with a switch of two ports, a device below each, and a device behind a second root port. */
export function switchMachine(): string {
  return [
    hostBlock('00:00.0'),
    bridgeBlock('00:01.0', {
      type: 'Root Port (Slot+)',
      buses: ['00', '01', '04'],
      memory: 'c0000000-c02fffff',
      prefetch: '0000380000000000-0000380fffffffff',
      acs: 0,
    }),
    bridgeBlock('00:02.0', {
      type: 'Root Port (Slot+)',
      buses: ['00', '05', '05'],
      memory: 'c0400000-c04fffff',
      acs: 0,
    }),
    bridgeBlock('01:00.0', {
      type: 'Upstream Port',
      buses: ['01', '02', '04'],
      memory: 'c0000000-c02fffff',
      prefetch: '0000380000000000-0000380fffffffff',
    }),
    bridgeBlock('02:00.0', {
      type: 'Downstream Port (Slot+)',
      buses: ['02', '03', '03'],
      memory: 'c0000000-c00fffff',
      prefetch: '0000380000000000-00003807ffffffff',
      acs: 0,
    }),
    bridgeBlock('02:01.0', {
      type: 'Downstream Port (Slot+)',
      buses: ['02', '04', '04'],
      memory: 'c0100000-c01fffff',
      acs: 0,
    }),
    deviceBlock('03:00.0', [
      '0: Memory at c0000000 (32-bit, non-prefetchable) [size=64K]',
      '2: Memory at 380000000000 (64-bit, prefetchable) [size=16G]',
    ]),
    deviceBlock('04:00.0', ['0: Memory at c0100000 (64-bit, non-prefetchable) [size=64K]']),
    deviceBlock('05:00.0', ['0: Memory at c0400000 (64-bit, non-prefetchable) [size=32K]']),
  ].join('');
}

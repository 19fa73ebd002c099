// DescribedMachine: small invented machines, printed as `lspci -vvv -nn` prints them, and read back.
// Of the bytes the header is printed, since only they show that a device has one function.
// Simplified: only what routes and groups rest on.

import { type DumpedFunction, functionAt, type MachineDump, readTopologyText } from '@sgfree/topology';

/** One function to be printed. */
export interface DescribedFunction {
  /** `02:01.0`, in domain 0. */
  readonly at: string;
  /** As lspci calls it; '' for a function that is not PCI Express. */
  readonly kind: string;
  readonly ids?: string;
  /** Secondary and subordinate bus of a bridge. */
  readonly buses?: readonly [number, number];
  /** Capability and control register; left out: no ACS. */
  readonly acs?: readonly [number, number];
  /** Printed without capabilities, as for whoever is not root. */
  readonly hidden?: boolean;
  /** An SR-IOV virtual function: its identity reads as ones. */
  readonly virtual?: boolean;
}

const WORDS = ['SrcValid', 'TransBlk', 'ReqRedir', 'CmpltRedir', 'UpstreamFwd', 'EgressCtrl', 'DirectTrans'];

const words = (value: number): string =>
  WORDS.map((word, bit) => `${word}${(value & (2 ** bit)) === 0 ? '-' : '+'}`).join(' ');

const bus = (number: number): string => number.toString(16).padStart(2, '0');

/** An identity of its own: of equal devices that differ in their capabilities a reader would doubt the shorter list. */
function identityAt(address: string): string {
  const devfn = Number.parseInt(address.slice(3, 5), 16) * 8 + Number(address.slice(6));
  return `1234:${address.slice(0, 2)}${bus(devfn)}`;
}

function lines({ at, kind, ids = identityAt(at), buses, acs, hidden }: DescribedFunction): string[] {
  const device = buses === undefined ? '3D controller [0302]' : 'PCI bridge [0604]';
  const numbers = buses?.map(bus) ?? [];
  return [
    `${at} ${kind === '' ? 'Host bridge [0600]' : device}: A Device [${ids}]`,
    '\tControl: I/O+ Mem+ BusMaster+',
    `\tStatus: Cap${kind === '' ? '-' : '+'} 66MHz-`,
    ...(buses === undefined
      ? []
      : [
          `\tBus: primary=${at.slice(0, 2)}, secondary=${numbers[0]}, subordinate=${numbers[1]}, sec-latency=0`,
        ]),
    ...(hidden === true ? ['\tCapabilities: <access denied>'] : capabilities(kind, acs)),
  ];
}

function capabilities(kind: string, acs: DescribedFunction['acs']): string[] {
  if (kind === '') return [];
  const listed = [
    `\tCapabilities: [40] Express (v2) ${kind}, MSI 00`,
    '\tCapabilities: [100 v1] Advanced Error Reporting',
  ];
  if (acs === undefined) return listed;
  return [
    ...listed,
    '\tCapabilities: [148 v1] Access Control Services',
    `\t\tACSCap:\t${words(acs[0])}`,
    `\t\tACSCtl:\t${words(acs[1])}`,
  ];
}

/** The first 64 bytes, as `lspci -x` prints them. */
function header(
  { at, kind, ids = identityAt(at), buses, virtual }: DescribedFunction,
  multifunction: boolean,
): string[] {
  const bytes = new Uint8Array(64);
  const view = new DataView(bytes.buffer);
  const [vendor, device] = (virtual === true ? 'ffff:ffff' : ids)
    .split(':')
    .map((id) => Number.parseInt(id, 16));
  view.setUint16(0, vendor ?? 0, true);
  view.setUint16(2, device ?? 0, true);
  view.setUint16(4, 6, true);
  view.setUint16(6, kind === '' ? 0 : 0x10, true);
  view.setUint16(0x0a, kind === '' ? 0x0600 : buses === undefined ? 0x0302 : 0x0604, true);
  bytes[0x0e] = (buses === undefined ? 0 : 1) + (multifunction ? 0x80 : 0);
  if (buses !== undefined) bytes.set([Number.parseInt(at, 16), ...buses], 0x18);
  bytes[0x34] = kind === '' ? 0 : 0x40;
  return [0, 1, 2, 3].map((row) => {
    const digits = [...bytes.subarray(row * 16, row * 16 + 16)].map(bus);
    return `${row}0: ${digits.join(' ')}`;
  });
}

/** The text of a machine. */
export const textOf = (functions: readonly DescribedFunction[]): string =>
  functions
    .map((fn) => {
      const mates = functions.filter((other) => other.at.slice(0, 5) === fn.at.slice(0, 5));
      return `${[...lines(fn), ...header(fn, mates.length > 1 && fn.virtual !== true)].join('\n')}\n\n`;
    })
    .join('');

/** The dump of a machine. */
export const dumpOf = (functions: readonly DescribedFunction[]): MachineDump =>
  readTopologyText(textOf(functions));

/** The function at an address of a dump that has it. */
export function at(dump: MachineDump, address: string): DumpedFunction {
  const found = functionAt(dump, address);
  if (found === undefined) throw new RangeError(address);
  return found;
}

/** Registers by address. */
export type AcsByAddress = Readonly<Record<string, readonly [number, number] | 'hidden'>>;

/**
 * Two host bridges. Below 00:01.0 a switch with ports to A (03:00.0, 03:00.1), to B (04:00.0) and to nothing (02:02.0);
 * C (06:00.0) below 00:02.0; 00:03.0 free; E (83:00.0) below a switch of the second one.
 */
export function switchMachine(acs: AcsByAddress, identity = '8086:ffff'): MachineDump {
  const bridge = (address: string, kind: string, buses: readonly [number, number]): DescribedFunction => ({
    at: address,
    kind,
    buses,
  });
  const plan: DescribedFunction[] = [
    { at: '00:00.0', kind: '', ids: identity },
    bridge('00:01.0', 'Root Port (Slot+)', [1, 5]),
    bridge('00:02.0', 'Root Port (Slot+)', [6, 6]),
    bridge('00:03.0', 'Root Port (Slot+)', [7, 7]),
    bridge('01:00.0', 'Upstream Port', [2, 5]),
    bridge('02:00.0', 'Downstream Port (Slot+)', [3, 3]),
    bridge('02:01.0', 'Downstream Port (Slot+)', [4, 4]),
    bridge('02:02.0', 'Downstream Port (Slot+)', [5, 5]),
    { at: '03:00.0', kind: 'Endpoint' },
    { at: '03:00.1', kind: 'Endpoint' },
    { at: '04:00.0', kind: 'Endpoint' },
    { at: '06:00.0', kind: 'Endpoint' },
    { at: '80:00.0', kind: '', ids: identity },
    bridge('80:01.0', 'Root Port (Slot+)', [0x81, 0x84]),
    bridge('81:00.0', 'Upstream Port', [0x82, 0x84]),
    bridge('82:00.0', 'Downstream Port (Slot+)', [0x83, 0x83]),
    bridge('82:01.0', 'Downstream Port (Slot+)', [0x84, 0x84]),
    { at: '83:00.0', kind: 'Endpoint' },
  ];
  return dumpOf(
    plan.map((fn) => {
      const register = acs[fn.at];
      if (register === undefined) return fn;
      return register === 'hidden' ? { ...fn, hidden: true } : { ...fn, acs: register };
    }),
  );
}

// DrawnMachine: random machines of one or two host bridges with switches, devices of one or two functions and ACS anywhere,
// each with what firmware left and whether an IOMMU made the kernel add its bits. Printed, they are dumps; the registers
// after another boot are computed here once more, from firmware, in the plainest way.
// Simplified: switches are nested once; no virtual functions.

import { fc } from '@fast-check/vitest';
import type { DescribedFunction } from './described-machine.ts';

const REDIRECT = 0x2c;
const KERNEL_ADDS = 0x1d;

interface DrawnAcs {
  /** Null: no ACS. */
  readonly capability: number | null;
  readonly firmware: number;
  readonly hidden: boolean;
}

interface DrawnPort {
  readonly acs: DrawnAcs;
  readonly below: DrawnBelow;
}

type DrawnBelow =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'device'; readonly functions: readonly DrawnAcs[] }
  | { readonly kind: 'switch'; readonly acs: DrawnAcs; readonly ports: readonly DrawnPort[] };

interface DrawnHost {
  readonly identity: string;
  readonly ports: readonly DrawnPort[];
}

/** A function of a drawn machine. */
export interface PlacedFunction {
  readonly described: DescribedFunction;
  readonly name: string;
  readonly acs: DrawnAcs;
  /** The bridge above. */
  readonly above: PlacedFunction | null;
  readonly host: number;
  /** The register now. */
  readonly control: number;
}

/** A drawn machine, laid out. */
export interface DrawnMachine {
  readonly functions: readonly PlacedFunction[];
  readonly firmwareIsZero: boolean;
  readonly isIommuOn: boolean;
  readonly anyHidden: boolean;
}

const capability = fc.constantFrom(null, null, 0x5f, 0x5f, 0x7f, 0x0c, 0x24, 0x20, 0x11, 0x2c);

const acsOf = (hides: boolean, firmware: fc.Arbitrary<number>): fc.Arbitrary<DrawnAcs> =>
  fc
    .record({
      capability,
      firmware,
      hidden: hides ? fc.nat(7).map((drawn) => drawn === 0) : fc.constant(false),
    })
    .map((drawn) => ({ ...drawn, firmware: drawn.firmware & (drawn.capability ?? 0) }));

function portsOf(acs: fc.Arbitrary<DrawnAcs>, depth: number): fc.Arbitrary<DrawnPort[]> {
  const device = fc.record({
    kind: fc.constant('device' as const),
    functions: fc.array(acs, { minLength: 1, maxLength: 2 }),
  });
  const nothing = fc.constant({ kind: 'nothing' as const });
  const below: fc.Arbitrary<DrawnBelow> =
    depth === 0
      ? fc.oneof({ weight: 4, arbitrary: device }, { weight: 1, arbitrary: nothing })
      : fc.oneof(
          { weight: 2, arbitrary: device },
          { weight: 1, arbitrary: nothing },
          {
            weight: 3,
            arbitrary: fc.record({
              kind: fc.constant('switch' as const),
              acs,
              ports: portsOf(acs, depth - 1),
            }),
          },
        );
  return fc.array(fc.record({ acs, below }), { minLength: 1, maxLength: 3 });
}

/** Machines with at most `depth` switches on a way; `hides`: some functions are printed without capabilities. */
export function drawnMachines(depth: number, hides: boolean): fc.Arbitrary<DrawnMachine> {
  const identity = fc.constantFrom(
    '8086:ffff',
    '8086:2030',
    '8086:3c00',
    '8086:4940',
    '1ae0:0001',
    '10de:2f95',
  );
  const somewhere = fc.constantFrom(0, 0, 0x01, 0x04, 0x08, 0x20, 0x2c, 0x40, 0x53);
  return fc
    .record({ isIommuOn: fc.boolean(), firmwareIsZero: fc.boolean() })
    .chain(({ isIommuOn, firmwareIsZero }) => {
      const acs = acsOf(hides, firmwareIsZero ? fc.constant(0) : somewhere);
      const host = fc.record({ identity, ports: portsOf(acs, depth) });
      return fc
        .array(host, { minLength: 1, maxLength: 2 })
        .map((hosts) => laidOut(hosts, isIommuOn, firmwareIsZero));
    });
}

function laidOut(hosts: readonly DrawnHost[], isIommuOn: boolean, firmwareIsZero: boolean): DrawnMachine {
  const layout = new Layout(isIommuOn);
  hosts.forEach((host, index) => {
    layout.host(host, index);
  });
  const anyHidden = layout.functions.some(({ acs }) => acs.hidden);
  return { functions: layout.functions, firmwareIsZero, isIommuOn, anyHidden };
}

const none: DrawnAcs = { capability: null, firmware: 0, hidden: false };
const hex = (value: number): string => value.toString(16).padStart(2, '0');

class Layout {
  readonly functions: PlacedFunction[] = [];
  readonly #isIommuOn: boolean;
  #nextBus = 0;
  #host = 0;

  constructor(isIommuOn: boolean) {
    this.#isIommuOn = isIommuOn;
  }

  host({ identity, ports }: DrawnHost, index: number): void {
    this.#host = index;
    this.#nextBus = index * 0x80 + 1;
    this.#add({ at: `${hex(index * 0x80)}:00.0`, kind: '', ids: identity }, none, null);
    this.#ports(ports, index * 0x80, 1, 'Root Port (Slot+)', null);
  }

  #ports(
    ports: readonly DrawnPort[],
    bus: number,
    firstDevice: number,
    kind: string,
    above: PlacedFunction | null,
  ): void {
    ports.forEach(({ acs, below }, index) => {
      const at = `${hex(bus)}:${hex(firstDevice + index)}.0`;
      this.#bridge(at, kind, acs, above, (secondary, self) => {
        this.#below(below, secondary, self);
      });
    });
  }

  #bridge(
    at: string,
    kind: string,
    acs: DrawnAcs,
    above: PlacedFunction | null,
    fill: (secondary: number, self: PlacedFunction) => void,
  ): void {
    const secondary = this.#nextBus;
    this.#nextBus += 1;
    const buses: [number, number] = [secondary, secondary];
    const self = this.#add({ at, kind, buses }, acs, above);
    fill(secondary, self);
    buses[1] = this.#nextBus - 1;
  }

  #below(below: DrawnBelow, bus: number, above: PlacedFunction): void {
    if (below.kind === 'device') {
      below.functions.forEach((acs, index) => {
        this.#add({ at: `${hex(bus)}:00.${index}`, kind: 'Endpoint' }, acs, above);
      });
    }
    if (below.kind !== 'switch') return;
    this.#bridge(`${hex(bus)}:00.0`, 'Upstream Port', below.acs, above, (secondary, self) => {
      this.#ports(below.ports, secondary, 0, 'Downstream Port (Slot+)', self);
    });
  }

  #add(described: DescribedFunction, acs: DrawnAcs, above: PlacedFunction | null): PlacedFunction {
    const added = this.#isIommuOn ? (acs.capability ?? 0) & KERNEL_ADDS : 0;
    const placed = {
      described,
      name: `0000:${described.at}`,
      acs,
      above,
      host: this.#host,
      control: acs.firmware | added,
    };
    this.functions.push(placed);
    return placed;
  }
}

/** The machine as it is printed; `controls` are registers that differ, by name; `reveals`: nothing is hidden. */
export function printed(
  { functions }: DrawnMachine,
  controls: ReadonlyMap<string, number> = new Map(),
  reveals = false,
): DescribedFunction[] {
  return inOrder(functions).map(({ described, acs, control, name }) => ({
    ...described,
    ...(acs.capability === null ? {} : { acs: [acs.capability, controls.get(name) ?? control] as const }),
    ...(acs.hidden && !reveals ? { hidden: true } : {}),
  }));
}

const inOrder = (functions: readonly PlacedFunction[]): PlacedFunction[] =>
  [...functions].sort((one, other) => (one.name < other.name ? -1 : 1));

/** The register of a function after a way to clear: on the running machine, or by a parameter of a kernel. */
export function clearedBy(
  { acs, control }: PlacedFunction,
  method: 'running' | 'disable_acs_redir' | 'config_acs',
  kernel: string,
  flags = '',
): number {
  if (method === 'running' || kernel === '6.1') return control & ~REDIRECT;
  if (method === 'disable_acs_redir') return acs.firmware & ~REDIRECT;
  let value = acs.firmware;
  for (let bit = 0; bit < flags.length; bit += 1) {
    const flag = flags.at(-1 - bit);
    if (flag === '0') value &= ~(2 ** bit);
    if (flag === '1') value |= 2 ** bit;
  }
  return value & (acs.capability ?? 0);
}

/** The functions between two, both included, up to the common one and not above it; undefined without a common one. */
export function between(from: PlacedFunction, to: PlacedFunction): PlacedFunction[] | undefined {
  const chain = (fn: PlacedFunction | null): PlacedFunction[] =>
    fn === null ? [] : [fn, ...chain(fn.above)];
  const [up, down] = [chain(from), chain(to)];
  const common = up.find((fn) => down.includes(fn));
  if (common === undefined) return undefined;
  return [...up.slice(0, up.indexOf(common) + 1), ...down.slice(0, down.indexOf(common))];
}

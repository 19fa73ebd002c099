// Every verdict that some completion of a dumped machine has: the oracle that fuzzed dumps are judged by.
// Source followed: the steps of drivers/pci/p2pdma.c, written down once more without unknowns and without the product's
// code: a fact that a dump leaves open is tried with each of its values.
// Simplified: above an open place stands a root bus, one bridge nobody has seen, or a known bridge of the other side.

import type { DumpedFunction, MachineDump } from '@sgfree/topology';

const REDIRECTING = 0x2c;
const INTEL = 0x8086;
const sameHostOnly: ReadonlySet<number> = new Set([0x3c00, 0x3c01, 0x2f00, 0x2f01]);
const anyHost: ReadonlySet<number> = new Set(
  [0x2030, 0x2031, 0x2032, 0x2033, 0x2020, 0x09a2, 0x0b25, 0x0cfe, 0x11fb, 0x1212, 0x1216].concat([
    0x4940, 0x4942, 0x4944, 0x4946, 0x4948,
  ]),
);

/** A step of a way up: a function of the dump, or 'hidden' for a bridge nobody has seen. */
type Step = DumpedFunction | 'hidden';

/** How two functions reach each other in one completion: what is passed, or that only root complexes connect them. */
interface Way {
  readonly passed: readonly Step[];
  readonly meets: boolean;
  readonly distance: number;
}

/** What a completion says of a host bridge: for peers below it, and for peers below another one. */
type Listed = readonly [within: boolean, across: boolean];
const nowhere: Listed = [false, false];
const within: Listed = [true, false];
const everywhere: Listed = [true, true];

/** Map types and distances of all completions. */
export interface PossibleVerdicts {
  readonly mapTypes: ReadonlySet<string>;
  readonly distances: ReadonlySet<number>;
}

/** All verdicts that are possible for requests of `client` to `provider` under Linux 7.3.4. */
export function possibleVerdicts(
  dump: MachineDump,
  provider: DumpedFunction,
  client: DumpedFunction,
  cpus: readonly boolean[],
): PossibleVerdicts {
  const mapTypes = new Set<string>();
  const distances = new Set<number>();
  for (const way of possibleWays(dump, provider, client)) {
    distances.add(way.distance);
    const [direct, redirected] = way.meets ? redirection(way.passed) : [false, true];
    if (direct) mapTypes.add('bus-addr');
    if (redirected)
      for (const allowed of hostAnswers(dump, provider, client, way.meets, cpus)) mapTypes.add(allowed);
  }
  return { mapTypes, distances };
}

/** Whether the passed functions can all leave requests alone, and whether one can redirect them. */
function redirection(passed: readonly Step[]): [boolean, boolean] {
  const certain = passed.some((step) => step !== 'hidden' && redirects(step) === true);
  const maybe = passed.some((step) => step === 'hidden' || redirects(step) === 'unknown');
  return [!certain, certain || maybe];
}

function redirects({ acs: { control } }: DumpedFunction): boolean | 'unknown' {
  if (control === 'unknown') return 'unknown';
  return control !== 'absent' && (control & REDIRECTING) !== 0;
}

/** A way up as far as it is known, and whether it ends on a root bus. */
function climb(dump: MachineDump, from: DumpedFunction): { known: DumpedFunction[]; ends: boolean } {
  const known: DumpedFunction[] = [];
  for (let at: DumpedFunction['upstream'] = from; ; at = at.upstream) {
    if (at === 'root') return { known, ends: true };
    // A source that leaves bridges out may have one between any two.
    if (at === 'unknown' || (dump.partial && known.length > 0)) return { known, ends: false };
    known.push(at);
  }
}

function possibleWays(dump: MachineDump, provider: DumpedFunction, client: DumpedFunction): Way[] {
  const [up, down] = [climb(dump, provider), climb(dump, client)];
  const [above, below] = [up.known, down.known];
  const meeting = above.findIndex((fn) => below.includes(fn));
  if (meeting >= 0) return [joined(above, below, above[meeting] as DumpedFunction)];
  const apart: Way = { passed: [], meets: false, distance: above.length + below.length };
  if (up.ends && down.ends) return [apart];
  const ways: Way[] = [apart, { ...apart, distance: apart.distance + 1 }];
  if (differentHosts(provider, client)) return ways;
  // Below a bridge of the other side, or below one nobody has seen that the other side hangs below too.
  if (!down.ends) for (const bridge of places(above)) ways.push(joined(above, [...below, bridge], bridge));
  if (!up.ends) for (const bridge of places(below)) ways.push(joined([...above, bridge], below, bridge));
  if (!up.ends && !down.ends) {
    const hidden = joined([...above, 'hidden'], [...below, 'hidden'], 'hidden');
    ways.push(hidden, { ...hidden, distance: hidden.distance + 1 });
  }
  return ways;
}

/** Bridges of a way under which something else can hang. */
const places = (way: readonly DumpedFunction[]): DumpedFunction[] =>
  way.filter(({ headerType }, at) => at > 0 || headerType !== 0);

function joined(above: readonly Step[], below: readonly Step[], at: Step): Way {
  const [a, b] = [above.indexOf(at), below.indexOf(at)];
  return { passed: [...above.slice(0, a + 1), ...below.slice(0, b)], meets: true, distance: a + b };
}

const busOf = ({ rootBus }: DumpedFunction): string =>
  rootBus === 'unknown' ? 'unknown' : `${rootBus.domain}:${rootBus.bus}`;

function differentHosts(one: DumpedFunction, other: DumpedFunction): boolean {
  const [a, b] = [busOf(one), busOf(other)];
  return a !== 'unknown' && b !== 'unknown' && a !== b;
}

function hostAnswers(
  dump: MachineDump,
  provider: DumpedFunction,
  client: DumpedFunction,
  meets: boolean,
  cpus: readonly boolean[],
): Set<string> {
  const answers = new Set<boolean>();
  const isKnown = busOf(provider) !== 'unknown' && busOf(client) !== 'unknown';
  for (const cpu of cpus) {
    if (cpu) answers.add(true);
    else {
      if (meets || provider === client || !differentHosts(provider, client))
        for (const [inside] of listedIn(dump, provider)) answers.add(inside);
      if (!meets && provider !== client && (!isKnown || differentHosts(provider, client)))
        for (const [, a] of listedIn(dump, provider))
          for (const [, b] of listedIn(dump, client)) answers.add(a && b);
    }
  }
  return new Set([...answers].map((allowed) => (allowed ? 'thru-host-bridge' : 'not-supported')));
}

/** What completions say of the host bridge above a function. */
function listedIn(dump: MachineDump, fn: DumpedFunction): readonly Listed[] {
  const bus = busOf(fn);
  const first = dump.functions.find(
    ({ upstream, address }) => upstream === 'root' && `${address.domain}:${address.bus}` === bus,
  );
  if (bus === 'unknown' || first === undefined || first.address.device + first.address.fn > 0)
    return [nowhere, within, everywhere];
  const { vendorId, deviceId } = first;
  if (vendorId === 0x1ae0) return [everywhere];
  if (vendorId === 'unknown' || (vendorId === INTEL && deviceId === 'unknown'))
    return [nowhere, within, everywhere];
  if (vendorId === 0x10de && deviceId === 'unknown') return [nowhere, everywhere];
  if (vendorId === 0x10de)
    return [Number(deviceId) >= 0x2f95 && Number(deviceId) <= 0x2f98 ? everywhere : nowhere];
  if (vendorId !== INTEL) return [nowhere];
  if (sameHostOnly.has(Number(deviceId))) return [within];
  return [anyHost.has(Number(deviceId)) ? everywhere : nowhere];
}

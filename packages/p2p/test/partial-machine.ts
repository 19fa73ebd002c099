// PartialMachine: a small machine of which some facts are hidden, and every machine that it could be.
// The oracle of the route algorithm: each completion is judged by rules written down once more, without unknowns.
// Simplified: at most two host bridges; a bridge that no one has seen has no ACS.

import type { RootDevice, RouteView } from '../src/index.ts';

const RR = 0x04;

/** Function 0 is the provider, 1 the client, all others are bridges. */
export interface PartialMachine {
  /** The bridge above each function, null on a root bus. */
  readonly parent: readonly (number | null)[];
  readonly parentHidden: readonly boolean[];
  readonly redirects: readonly boolean[];
  readonly acsHidden: readonly boolean[];
  readonly isSameHost: boolean;
  readonly sameHostHidden: boolean;
  /** What the host bridges of provider and client are known by; equal ones below the same. */
  readonly roots: readonly [RootDevice | null, RootDevice | null];
  readonly rootHidden: readonly [boolean, boolean];
  /** Provider and client are one function. */
  readonly isSelf: boolean;
}

/** A function of a partial machine. */
export interface PartialFunction {
  readonly index: number;
}

/** What can be seen of a machine. */
export function partialView(machine: PartialMachine): {
  readonly view: RouteView<PartialFunction>;
  readonly functions: readonly PartialFunction[];
} {
  const functions = machine.parent.map((_, index) => ({ index }));
  const view: RouteView<PartialFunction> = {
    upstream: ({ index }) => {
      const above = machine.parent[index] ?? null;
      if (machine.parentHidden[index] === true) return 'unknown';
      return above === null ? null : (functions[above] as PartialFunction);
    },
    acsControl: ({ index }) => {
      if (machine.acsHidden[index] === true) return 'unknown';
      return machine.redirects[index] === true ? RR : 'absent';
    },
    sameHost: (a, b) => a === b || (machine.sameHostHidden ? 'unknown' : machine.isSameHost),
    rootDevice: ({ index }) => {
      const side = index === 1 ? 1 : 0;
      return machine.rootHidden[side] ? 'unknown' : machine.roots[side];
    },
  };
  return { view, functions };
}

const ROOT_CHOICES: readonly (RootDevice | null)[] = [
  null,
  ...[0x2030, 0x3c00, 0xffff].map((deviceId) => ({
    vendorId: 0x8086,
    deviceId,
    devfn: 0,
    isRootPort: false,
  })),
];

interface Completion {
  readonly parent: readonly (number | null)[];
  readonly redirects: readonly boolean[];
  readonly isSameHost: boolean;
  readonly roots: readonly (RootDevice | null)[];
  readonly cpuAllows: boolean;
}

/** Every verdict that some completion of the machine has. */
export function possibleVerdicts(
  machine: PartialMachine,
  cpus: readonly boolean[],
): { readonly mapTypes: Set<string>; readonly distances: Set<number> } {
  const mapTypes = new Set<string>();
  const distances = new Set<number>();
  for (const completion of completions(machine, cpus)) {
    const found = judged(completion, machine.isSelf ? 0 : 1);
    if (found.met && !completion.isSameHost) continue;
    mapTypes.add(found.mapType);
    distances.add(found.distance);
  }
  return { mapTypes, distances };
}

function* completions(machine: PartialMachine, cpus: readonly boolean[]): Generator<Completion> {
  const sames =
    machine.isSelf || !machine.sameHostHidden ? [machine.isSelf || machine.isSameHost] : [true, false];
  for (const parent of parents(machine)) {
    for (const redirects of choices(machine.redirects, machine.acsHidden, [true, false])) {
      for (const isSameHost of sames) {
        for (const roots of choices(machine.roots, machine.rootHidden, ROOT_CHOICES)) {
          if (isSameHost && roots[0] !== roots[1]) continue;
          for (const cpuAllows of cpus) yield { parent, redirects, isSameHost, roots, cpuAllows };
        }
      }
    }
  }
}

/** All ways to hang the functions with a hidden parent: on a root bus, below a bridge, or below one nobody has seen. */
function* parents(machine: PartialMachine): Generator<(number | null)[]> {
  const unseen = machine.parent.length;
  const bridges = machine.parent.map((_, index) => index).slice(2);
  for (const above of choices(machine.parent, machine.parentHidden, [null, ...bridges, unseen])) {
    const completed = [...above, null];
    if (completed.every((_, index) => reachesRoot(completed, index))) yield completed;
  }
}

function reachesRoot(parent: readonly (number | null)[], from: number): boolean {
  let at: number | null = from;
  for (let steps = 0; steps <= parent.length && at !== null; steps += 1) at = parent[at] ?? null;
  return at === null;
}

function* choices<T>(known: readonly T[], hidden: readonly boolean[], options: readonly T[]): Generator<T[]> {
  if (known.length === 0) {
    yield [];
    return;
  }
  for (const first of hidden[0] === true ? options : [known[0] as T]) {
    for (const rest of choices(known.slice(1), hidden.slice(1), options)) yield [first, ...rest];
  }
}

function judged(
  { parent, redirects, isSameHost, roots, cpuAllows }: Completion,
  client: number,
): { readonly mapType: string; readonly distance: number; readonly met: boolean } {
  const chain = (from: number): number[] => {
    const above = parent[from] ?? null;
    return above === null ? [from] : [from, ...chain(above)];
  };
  const [up, down] = [chain(0), chain(client)];
  const common = up.find((at) => down.includes(at));
  const passed =
    common === undefined
      ? []
      : [...up.slice(0, up.indexOf(common) + 1), ...down.slice(0, down.indexOf(common))];
  const met = common !== undefined;
  const distance = met ? passed.length - 1 : up.length + down.length;
  if (met && !passed.some((at) => redirects[at] === true)) return { mapType: 'bus-addr', distance, met };
  const listed = roots.slice(0, isSameHost ? 1 : 2).every((root) => isListed(root, isSameHost));
  return { mapType: cpuAllows || listed ? 'thru-host-bridge' : 'not-supported', distance, met };
}

const isListed = (root: RootDevice | null, isSameHost: boolean): boolean =>
  root !== null &&
  (root.devfn === 0 || root.isRootPort === true) &&
  (root.deviceId === 0x2030 || (root.deviceId === 0x3c00 && isSameHost));

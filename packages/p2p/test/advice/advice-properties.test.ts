// Advice on random machines: what it promises is what a machine has that was changed and dumped again; it never touches
// a function off the way; and trying every set of functions finds no smaller one.

import { fc, test } from '@fast-check/vitest';
import {
  type AcsControl,
  type AcsKernel,
  type DumpedFunction,
  deriveIommuGroups,
  type MachineDump,
} from '@sgfree/topology';
import { describe, expect } from 'vitest';
import {
  type Advice,
  adviceFor,
  type ClearRedirectChange,
  type ClearWay,
  calcMapTypeAndDist,
  dumpRouteView,
  HostRules,
  type MoveDeviceChange,
} from '../../src/index.ts';
import { intel, zen } from '../peer-tree.ts';
import { at, dumpOf } from './described-machine.ts';
import {
  between,
  clearedBy,
  type DrawnMachine,
  drawnMachines,
  type PlacedFunction,
  printed,
} from './drawn-machine.ts';

const REDIRECT = 0x2c;
const kernels = { '6.1': '6.1.192', '6.12': '6.12.117', '7.2': '7.2.13', '7.3': '7.3.4' } as const;
const someKernel = fc.constantFrom<AcsKernel>('6.1', '6.12', '7.2', '7.3');
const someCpu = fc.constantFrom(intel, intel, zen, 'unknown' as const);
const draw = fc.nat(10_000);

interface Drawn {
  readonly machine: DrawnMachine;
  readonly dump: MachineDump;
  readonly provider: PlacedFunction;
  readonly client: PlacedFunction;
  readonly advice: Advice;
  readonly rules: HostRules;
  readonly kernel: AcsKernel;
}

function adviseOn(
  machine: DrawnMachine,
  [first, second]: readonly [number, number],
  kernel: AcsKernel,
  cpu: HostRules['cpu'],
): Drawn | undefined {
  const ends = machine.functions.filter(({ described }) => described.kind === 'Endpoint');
  const [provider, client] = [ends[first % ends.length], ends[second % ends.length]];
  if (provider === undefined || client === undefined) return undefined;
  const dump = dumpOf(printed(machine));
  const rules = new HostRules(kernels[kernel], cpu);
  const firmware = machine.firmwareIsZero ? 'zero' : 'unknown';
  const advice = adviceFor(dump, at(dump, provider.name), at(dump, client.name), rules, { firmware });
  return { machine, dump, provider, client, advice, rules, kernel };
}

const clearing = ({ changes }: Advice): ClearRedirectChange | undefined =>
  changes.find((change) => change.kind === 'clear-redirect');

/** Flags that an argument names for a function. */
const flagsIn = (argument: string, name: string): string =>
  new RegExp(`([01x]+)@${name}`).exec(argument)?.[1] ?? '';

/** The machine dumped again after a way was gone, with nothing hidden any more. */
function changedBy({ machine, kernel }: Drawn, targets: ReadonlySet<string>, way: ClearWay): MachineDump {
  const controls = new Map(
    machine.functions
      .filter(({ name }) => targets.has(name))
      .map((fn) => [fn.name, clearedBy(fn, way.method, kernel, flagsIn(way.argument, fn.name))]),
  );
  return dumpOf(printed(machine, controls, true));
}

/** Names of functions of the groups that both sides know: every pair is together on both sides or on neither. */
function expectSamePartition(
  promised: ClearWay['groups']['after'],
  after: MachineDump,
  kernel: AcsKernel,
): void {
  const real = deriveIommuGroups(after, { kernel });
  const decided = new Map<unknown, unknown>();
  const backwards = new Map<unknown, unknown>();
  for (const { members } of promised.groups) {
    for (const fn of members) {
      const promise = promised.groupOf(fn);
      const truth = real.groupOf(at(after, fn.name));
      expect(decided.get(promise) ?? truth).toBe(truth);
      expect(backwards.get(truth) ?? promise).toBe(promise);
      decided.set(promise, truth);
      backwards.set(truth, promise);
    }
  }
}

const machines = fc.oneof(drawnMachines(2, false), drawnMachines(2, true));

describe('a machine that was changed as advised', () => {
  test.prop([machines, fc.tuple(draw, draw), someKernel, someCpu], { numRuns: 150 })(
    'has the verdict and the groups that were promised',
    (machine, ends, kernel, cpu) => {
      const drawn = adviseOn(machine, ends, kernel, cpu);
      const change = drawn === undefined ? undefined : clearing(drawn.advice);
      if (drawn === undefined || change === undefined) return;
      const targets = new Set(change.targets.map(({ fn }) => fn.name));
      expect(change.ways).toHaveLength(kernel === '6.1' ? 2 : 3);
      for (const way of change.ways) {
        const after = changedBy(drawn, targets, way);
        const route = calcMapTypeAndDist(
          dumpRouteView(after),
          at(after, drawn.provider.name),
          at(after, drawn.client.name),
          drawn.rules,
        );
        expect(route.mapType).toBe('bus-addr');
        expect(change.route).toMatchObject({ mapType: route.mapType, distance: route.distance });
        expectSamePartition(way.groups.after, after, kernel);
        if (!machine.anyHidden && machine.firmwareIsZero) expect(way.groups.undecided).toEqual([]);
        expectLosses(drawn, way, after);
      }
    },
  );
});

/** Bits that are gone were announced, and bits announced as gone for certain are gone. */
function expectLosses({ dump, machine }: Drawn, { effect }: ClearWay, after: MachineDump): void {
  for (const { name, acs, control } of machine.functions) {
    const loss = effect.losses.find(({ fn }) => fn.name === name);
    const left = at(after, name).acs.control;
    if (typeof left !== 'number' || acs.hidden) continue;
    expect(at(dump, name).acs.control).toBe(control);
    const gone = control & ~left & ~REDIRECT;
    expect(gone & ~((loss?.lost ?? 0) | (loss?.maybeLost ?? 0))).toBe(0);
    expect((loss?.lost ?? 0) & ~gone).toBe(0);
  }
}

describe('the functions advised', () => {
  test.prop([machines, fc.tuple(draw, draw), someKernel, someCpu], { numRuns: 150 })(
    'are on the way, and nothing else changes',
    (machine, ends, kernel, cpu) => {
      const drawn = adviseOn(machine, ends, kernel, cpu);
      if (drawn === undefined) return;
      const way = between(drawn.provider, drawn.client);
      const change = clearing(drawn.advice);
      const mayRedirect = (way ?? []).filter(
        ({ acs, control }) => acs.hidden || (acs.capability !== null && (control & REDIRECT) !== 0),
      );
      const isOpen = drawn.advice.today.mapType !== 'bus-addr' && mayRedirect.length > 0;
      expect(change !== undefined).toBe(isOpen);
      expect(drawn.advice.busAddress === 'no-common-switch').toBe(way === undefined);
      if (change === undefined) return;
      const names = mayRedirect.map(({ name }) => name).sort();
      expect(change.targets.map(({ fn }) => fn.name).sort()).toEqual(names);
      for (const { fn, bits, certain } of change.targets) {
        const { acs, control } = mayRedirect.find(({ name }) => name === fn.name) as PlacedFunction;
        expect([bits, certain]).toEqual(acs.hidden ? [REDIRECT, false] : [control & REDIRECT, true]);
      }
      for (const { effect } of change.ways) {
        expect(effect.mistakes).toEqual([]);
        expect([...effect.controls.keys()].filter(({ name }) => !names.includes(name))).toEqual([]);
      }
    },
  );

  test.prop([drawnMachines(1, false), fc.tuple(draw, draw), someCpu], { numRuns: 40 })(
    'are the only smallest set that does it, bit by bit',
    (machine, ends, cpu) => {
      const drawn = adviseOn(machine, ends, '7.3', cpu);
      if (drawn === undefined || drawn.advice.busAddress === 'today') return;
      const able = drawn.dump.functions.filter(
        ({ acs }) => typeof acs.control === 'number' && acs.control !== 0,
      );
      if (able.length > 9) return;
      const targets = (clearing(drawn.advice)?.targets ?? []).map(({ fn }) => fn);
      for (let set = 0; set < 2 ** able.length; set += 1) {
        const chosen = able.filter((_, index) => (set & (2 ** index)) !== 0);
        const works = reachesByBus(drawn, new Map(chosen.map((fn) => [fn, cleared(fn, REDIRECT)])));
        expect(works).toBe(targets.length > 0 && targets.every((fn) => chosen.includes(fn)));
      }
      for (const { fn, bits } of clearing(drawn.advice)?.targets ?? []) {
        const all = new Map(targets.map((each) => [each, cleared(each, REDIRECT)]));
        for (const left of [0x04, 0x08, 0x20].filter((bit) => (bits & bit) !== 0)) {
          expect(reachesByBus(drawn, all.set(fn, cleared(fn, bits & ~left)))).toBe(false);
        }
      }
    },
  );
});

const cleared = ({ acs }: DumpedFunction, bits: number): AcsControl => ({
  value: Number(acs.control) & ~bits,
  unknownBits: 0,
});

function reachesByBus(
  { dump, advice, rules }: Drawn,
  controls: ReadonlyMap<DumpedFunction, AcsControl>,
): boolean {
  const { provider, client } = advice;
  return calcMapTypeAndDist(dumpRouteView(dump, controls), provider, client, rules).mapType === 'bus-addr';
}

describe('the other changes', () => {
  test.prop([machines, fc.tuple(draw, draw), someKernel, fc.constantFrom(intel, zen)], { numRuns: 150 })(
    'have the verdict that was promised, and are better',
    (machine, ends, kernel, cpu) => {
      const drawn = adviseOn(machine, ends, kernel, cpu);
      if (drawn === undefined) return;
      const { dump, advice, rules } = drawn;
      const run = (under: HostRules): string =>
        calcMapTypeAndDist(dumpRouteView(dump), advice.provider, advice.client, under).mapType;
      for (const change of advice.changes) {
        if (change.kind === 'kernel-version') {
          const listing = Object.values(kernels).filter(
            (each) => run(new HostRules(each, cpu)) === 'thru-host-bridge',
          );
          expect(change.kernels).toEqual(listing);
          expect(listing).not.toContain(rules.kernel);
        }
        if (change.kind === 'cpu')
          expect(run(new HostRules(rules.kernel, change.cpu))).toBe('thru-host-bridge');
        if (change.kind === 'move-device') expectMoved(drawn, change);
        if (change.kind === 'reveal') expect(advice.today.mapType).toBe('unknown');
      }
      if (advice.today.mapType === 'bus-addr') expect(advice.changes).toEqual([]);
    },
  );
});

/** Each free port that was named: the device plugged there, registers cleared, and the machine dumped again. */
function expectMoved({ machine, rules, advice }: Drawn, { device, ports, route }: MoveDeviceChange): void {
  const moving = machine.functions.find(({ name }) => name === device.name) as PlacedFunction;
  const beside = machine.functions.filter(({ above }) => above === moving.above);
  for (const { port, free, clear } of ports) {
    const target = machine.functions.find(({ name }) => name === port.name) as PlacedFunction;
    expect(free).toBe(machine.functions.every(({ above }) => above !== target));
    if (!free || beside.length > 1) continue;
    const place = `${(target.described.buses?.[0] ?? 0).toString(16).padStart(2, '0')}:00.0`;
    const controls = new Map(clear.map(({ fn, bits }) => [fn.name, Number(fn.acs.control) & ~bits]));
    const text = printed(machine, controls, true).map((fn) =>
      fn.at === moving.described.at ? { ...fn, at: place } : fn,
    );
    if (clear.some(({ certain }) => !certain)) continue;
    const after = dumpOf(text.sort((one, other) => (one.at < other.at ? -1 : 1)));
    const renamed = (name: string): DumpedFunction => at(after, name === moving.name ? place : name);
    const found = calcMapTypeAndDist(
      dumpRouteView(after),
      renamed(advice.provider.name),
      renamed(advice.client.name),
      rules,
    );
    expect(found).toMatchObject({ mapType: route.mapType });
  }
}

describe('advice from a dump in which functions are missing', () => {
  test.prop([drawnMachines(2, false), fc.tuple(draw, draw), fc.infiniteStream(fc.nat(9)), someKernel], {
    numRuns: 100,
  })('holds on the whole machine', (machine, [first, second], draws, kernel) => {
    const left = printed(machine).filter(() => draws.next().value !== 0);
    // A text without any function is no machine.
    if (left.length === 0) return;
    const dump = dumpOf(left);
    const ends = machine.functions.filter(
      ({ described }) => described.kind === 'Endpoint' && left.some((fn) => fn.at === described.at),
    );
    const [provider, client] = [ends[first % ends.length], ends[second % ends.length]];
    if (provider === undefined || client === undefined) return;
    const rules = new HostRules(kernels[kernel], intel);
    const advice = adviceFor(dump, at(dump, provider.name), at(dump, client.name), rules);
    const drawn: Drawn = { machine, dump, provider, client, advice, rules, kernel };
    const change = clearing(advice);
    const targets = new Set(change?.targets.map(({ fn }) => fn.name));
    for (const way of change?.ways ?? []) {
      const after = changedBy(drawn, targets, way);
      expect(verdictOn(after, drawn)).toBe('bus-addr');
      expectSamePartition(way.groups.after, after, kernel);
    }
    for (const { kind, route } of advice.changes.filter((each) => each.kind !== 'reveal')) {
      if (kind === 'kernel-version') expect(route.mapType).toBe('thru-host-bridge');
      if (kind === 'cpu')
        expect(verdictOn(dumpOf(printed(machine)), drawn, new HostRules(rules.kernel, zen))).toBe(
          route.mapType,
        );
    }
  });
});

function verdictOn(dump: MachineDump, { provider, client, rules }: Drawn, under: HostRules = rules): string {
  return calcMapTypeAndDist(dumpRouteView(dump), at(dump, provider.name), at(dump, client.name), under)
    .mapType;
}

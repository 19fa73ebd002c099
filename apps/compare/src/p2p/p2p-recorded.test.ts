// Recorded machines: the groups that a what-if predicts are those of the same machine booted with that parameter.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type FileTree, type MachineDump, readTopologyTree } from '@sgfree/topology';
import { describe, expect, it } from 'vitest';
import { p2pSchema } from '../../test/p2p-schema.ts';
import { quietWorld } from '../../test/run-command.ts';
import { kernelChoice, NEWEST_KERNEL } from './kernel-choice.ts';
import { answered } from './p2p-command.ts';
import type { P2pOptions } from './p2p-options.ts';

const records = fileURLToPath(new URL('../../../../vectors/kernel/p2p/', import.meta.url));
const world = quietWorld();

const orNothing = <T>(read: () => T): T | undefined => {
  try {
    return read();
  } catch {
    return undefined;
  }
};

function machine(name: string): MachineDump {
  const at = (path: string): string => `${records}${name}/topo/${path}`;
  const tree: FileTree = {
    list: (path) => orNothing(() => readdirSync(at(path))),
    read: (path) => orNothing(() => readFileSync(at(path))),
    link: (path) => orNothing(() => readlinkSync(at(path))),
  };
  return readTopologyTree(tree);
}

function document(dump: MachineDump, whatIf: readonly string[]): ReturnType<typeof p2pSchema.parse> {
  const kernel = kernelChoice(NEWEST_KERNEL);
  if (kernel === undefined) throw new RangeError(NEWEST_KERNEL);
  const options: P2pOptions = {
    ...{ from: null, to: null, wanted: 'all', kernel, cpu: undefined, iommu: 'unknown' },
    ...{ whatIf, output: 'json' },
  };
  return p2pSchema.parse(JSON.parse(answered(world, 'recorded', dump, options)));
}

/** Members of each recorded group, by its number. */
function recordedGroups({ functions }: MachineDump): Map<number, string[]> {
  const groups: Map<number, string[]> = new Map();
  for (const { name, iommuGroup } of functions) {
    if (iommuGroup !== undefined) groups.set(iommuGroup, [...(groups.get(iommuGroup) ?? []), name]);
  }
  return groups;
}

/** The parameter that a machine was booted with. */
const bootParameter = (name: string): string =>
  /kernel_cmdline=.*\b(pci=\S+)/.exec(readFileSync(`${records}${name}/RUN.txt`, 'utf8'))?.[1] ?? '';

describe.each(['acs_off', 'acs_cfg', 'acs_cfg2'])('%s, the machine A_zen with a parameter', (name) => {
  const before = machine('A_zen');
  const after = machine(name);
  const { whatIf } = document(before, [bootParameter(name)]);

  it('has the groups that the what-if predicts', () => {
    const old = new Map(before.functions.map(({ name: fn, iommuGroup }) => [fn, iommuGroup]));
    const merged = [...recordedGroups(after).values()].filter(
      (members) => new Set(members.map((fn) => old.get(fn))).size > 1,
    );
    const predicted = whatIf?.groups.merged.map((merge) => [...merge.after.members].sort());
    expect(predicted).toEqual(merged.map((members) => [...members].sort()));
    expect(whatIf?.groups.undecided).toEqual([]);
  });

  it('has registers that the prediction allows', () => {
    const { registers = [], mistakes = [] } = whatIf ?? {};
    const changed = new Map(registers.map(({ address, after: predicted }) => [address, predicted]));
    const then = new Map(before.functions.map(({ name: fn, acs }) => [fn, acs.control]));
    for (const { name: fn, acs } of after.functions) {
      const predicted = changed.get(fn);
      if (predicted === undefined) expect(acs.control, fn).toBe(then.get(fn));
      else expect(Number(acs.control) & ~Number(predicted.unknownBits), fn).toBe(Number(predicted.value));
    }
    // A parameter that changes nothing has a mistake that says why.
    expect(registers.length + mistakes.length).toBeGreaterThan(0);
  });

  it('has the verdicts that the what-if predicts', () => {
    const now = document(after, []);
    const changed = new Map(whatIf?.changedPairs.map(({ after: pair }) => [`${pair.from} ${pair.to}`, pair]));
    for (const pair of document(before, []).pairs) {
      const key = `${pair.from} ${pair.to}`;
      const found = now.pairs.find(({ from, to }) => `${from} ${to}` === key);
      const predicted = changed.get(key) ?? pair;
      expect(found === undefined ? [] : predicted.possible, key).toEqual(
        expect.arrayContaining(found?.possible ?? []),
      );
    }
  });
});

describe.each(['A_intel', 'A_zen', 'C_intel', 'C_zen'])('%s', (name) => {
  it('has the groups that were recorded', () => {
    const { devices } = document(machine(name), []);
    expect(devices.length).toBeGreaterThan(3);
    for (const { iommuGroup, dumpedIommuGroup } of devices) expect(iommuGroup).toBe(dumpedIommuGroup);
  });
});

// The judge: what it says without a second walk is what the walks say, in both directions, on every ACS setting.

import { type DumpedFunction, readTopologyText } from '@sgfree/topology';
import { describe, expect, it } from 'vitest';
import { type InventedAcs, inventedMachine } from '../../test/invented-machine.ts';
import type { AskedCpu } from './cpu-choice.ts';
import { askedCpu } from './cpu-choice.ts';
import { isEndpoint } from './device-selection.ts';
import { kernelChoice, NEWEST_KERNEL } from './kernel-choice.ts';
import { Judge, type P2pCase } from './p2p-case.ts';
import { verdictCode } from './verdict-words.ts';

const SETTINGS: readonly InventedAcs[] = [0, 0x01, 0x1d, 0x20].flatMap((portOfGpu) =>
  [0, 0x08, 0x11].flatMap((portOfNic) => [
    { portOfGpu, portOfNic, portOfDrive: 0x04 },
    { portOfGpu, portOfNic },
  ]),
);
const HIDDEN: InventedAcs = { portOfGpu: undefined };

function caseOf(acs: InventedAcs, choice: Parameters<typeof askedCpu>[0], version: string): P2pCase {
  const dump = readTopologyText(inventedMachine(acs));
  const kernel = kernelChoice(version);
  if (kernel === undefined) throw new RangeError(version);
  const cpu: AskedCpu = askedCpu(choice, dump);
  return { source: 'test', dump, kernel, cpu, iommu: 'unknown' };
}

/** All verdicts by the names of the pair. */
function verdicts(asked: P2pCase): Map<string, ReturnType<Judge['pair']>> {
  const judge = new Judge(asked);
  const ends: DumpedFunction[] = asked.dump.functions.filter(isEndpoint);
  return new Map(
    ends.flatMap((one) =>
      ends.map((other) => [`${one.name} ${other.name}`, judge.pair(one, other)] as const),
    ),
  );
}

describe.each([NEWEST_KERNEL, '6.1', '6.8', '5.4', '9.0'])('with the rules of Linux %s', (version) => {
  it.each([...SETTINGS, HIDDEN])('%j: the answers by CPU are those for that CPU', (acs) => {
    const zen = verdicts(caseOf(acs, 'zen', version));
    const other = verdicts(caseOf(acs, 'intel', version));
    for (const [pair, { route, byCpu }] of verdicts(caseOf(acs, undefined, version))) {
      const both = [zen.get(pair)?.route.mapType, other.get(pair)?.route.mapType];
      if (byCpu !== null) expect([byCpu.zen, byCpu.other]).toEqual(both);
      else if (route.mapType !== 'unknown') expect(both).toEqual([route.mapType, route.mapType]);
      else expect(both).toEqual(['unknown', 'unknown']);
    }
  });

  it.each([...SETTINGS, HIDDEN])('%j: a verdict is the same in both directions', (acs) => {
    const found = verdicts(caseOf(acs, undefined, version));
    for (const [pair, verdict] of found) {
      const back = found.get(pair.split(' ').reverse().join(' '));
      expect(back?.route.distance).toBe(verdict.route.distance);
      expect(back?.route.possible).toEqual(verdict.route.possible);
      expect(back && verdictCode(back)).toBe(verdictCode(verdict));
    }
  });
});

describe('a kernel as people name it', () => {
  it.each([
    ['6.12', '6.12.117', '6.12'],
    ['6.12.117-1~deb12u1', '6.12.117', '6.12'],
    ['6.1.192-2', '6.1.192', '6.1'],
    ['7.3', '7.3.4', '7.3'],
    ['7.3.4-rc1', '7.3.4', '7.3'],
  ])('%s is known as %s', (text, known, acs) => {
    expect(kernelChoice(text)).toMatchObject({ known, acs });
  });

  it.each([
    ['6.12.50', '6.12'],
    ['5.15', '6.1'],
    ['6.1.1920', '6.1'],
    ['7.0.0-22-generic', '6.12'],
    ['8.0', '7.3'],
  ])('%s has no known list, and programs ACS as %s', (text, acs) => {
    expect(kernelChoice(text)).toMatchObject({ version: text, known: null, acs });
  });

  it.each(['latest', '', '6', 'v6.12', '6.12 7', '6.12.1.2.3.4.5\n'])('%j is none', (text) => {
    expect(kernelChoice(text)?.known ?? null).toBeNull();
    if (!text.startsWith('6.12.1.')) expect(kernelChoice(text)).toBeUndefined();
  });
});

// What the tests of fabrics from dumps share: machines from listings, outcomes in words, one request.
// Source followed: none.
// Simplified: for tests only.

import { Clock, type CompletionStatus, dmaAddr, type PciFunction, PhysicalMemory } from '@sgfree/hw-model';
import {
  type DumpedFabric,
  type DumpedFunction,
  type FabricOptions,
  type FabricOutcome,
  type FabricPart,
  fabricOfDump,
  functionAt,
  type MachineDump,
  readTopologyText,
} from '../src/index.ts';

/** The machine of a listing. */
export const read = (text: string): MachineDump => readTopologyText(text);

/** The function at an address. */
export function at(dump: MachineDump, address: string): DumpedFunction {
  const fn = functionAt(dump, address);
  if (fn === undefined) throw new RangeError(address);
  return fn;
}

/** The outcome for a machine of which bus and CPU addresses are the same. */
export function outcomeOf(dump: MachineDump, more: Partial<FabricOptions> = {}): FabricOutcome {
  return fabricOfDump(dump, {
    memory: new PhysicalMemory(),
    clock: new Clock(),
    assume: { busOffset: 0 },
    ...more,
  });
}

/** A pair of functions by address. */
export function partOf(dump: MachineDump, initiator: string, target: string, bar?: number): FabricPart {
  const part = { initiator: at(dump, initiator), target: at(dump, target) };
  return bar === undefined ? part : { ...part, bar };
}

/** The fabric, which must come about. */
export function builtOf(dump: MachineDump, more: Partial<FabricOptions> = {}): DumpedFabric {
  const outcome = outcomeOf(dump, more);
  if (!outcome.ok) throw new Error(problems(outcome).join());
  return outcome.value;
}

/** Facts and obstacles, in words for a test. */
export function problems(outcome: FabricOutcome): string[] {
  if (outcome.ok) return [];
  const bar = (index: number | null): string => (index === null ? '' : ` ${index}`);
  return [
    ...outcome.missing.map((one) => `${one.fact} ${one.fn.name.slice(5)}${bar(one.bar)}`),
    ...outcome.obstacles.map((one) => `${one.code}! ${one.fn.name.slice(5)}${bar(one.bar)}`),
  ].sort();
}

/** The function of the fabric that stands for an address. */
export function live(built: DumpedFabric, dump: MachineDump, address: string): PciFunction {
  const fn = built.functionOf(at(dump, address));
  if (fn === undefined) throw new RangeError(address);
  return fn;
}

/** One byte written from a function to an address. */
export const send = (built: DumpedFabric, from: PciFunction, address: number): CompletionStatus =>
  built.fabric.write(from, dmaAddr(address), Uint8Array.of(7));

/** The text without the lines of one function that match. */
export const without = (text: string, address: string, line: RegExp): string =>
  text
    .split('\n\n')
    .map((block) =>
      block.startsWith(address)
        ? block
            .split('\n')
            .filter((one) => !line.test(one))
            .join('\n')
        : block,
    )
    .join('\n\n');

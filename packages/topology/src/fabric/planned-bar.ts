// PlannedBar: a memory BAR of a dumped function as it will stand in the fabric.
// Source followed: PCI Express Base Specification 6.0, section 7.5.1.2.1: a power of two of bytes, naturally aligned.
// Simplified: I/O BARs, expansion ROMs and the ranges of virtual functions are left out.

import { ADDRESS_LIMIT, offsetWithin } from '@sgfree/hw-model';
import type { DumpedFunction, DumpedResource, Knowledge } from '../model/dumped-function.ts';
import type { MachineDump } from '../model/machine-dump.ts';
import { busAddressOf } from './address-of-range.ts';
import type { FabricProblems } from './fabric-problem.ts';

/** A BAR with everything known. */
export interface PlannedBar {
  readonly resource: DumpedResource;
  readonly address: number;
  readonly bytes: number;
}

/** What is known beside the dump. */
export interface BarKnowledge {
  /** Bus address minus CPU address. */
  readonly offset: number;
  readonly bytesOf: (fn: DumpedFunction, bar: DumpedResource) => Knowledge<number>;
}

/** The memory BARs of a function. */
const memoryBars = ({ resources }: DumpedFunction): DumpedResource[] =>
  resources.filter(({ kind, space }) => kind === 'bar' && space === 'memory');

/** Every BAR that can stand in the fabric; unknown sizes and addresses are problems where `problems` are given. */
export function plannedBars(
  fn: DumpedFunction,
  knowledge: BarKnowledge,
  problems: FabricProblems | null,
): PlannedBar[] {
  return memoryBars(fn).flatMap((resource) => {
    const address = busAddressOf(resource, knowledge.offset);
    if (address !== 0 && knowledge.bytesOf(fn, resource) === 'unknown')
      problems?.miss('bar-size', fn, resource.index);
    if (address === 'unknown') problems?.miss('bar-address', fn, resource.index);
    return plannedBar(fn, resource, knowledge) ?? [];
  });
}

function plannedBar(
  fn: DumpedFunction,
  resource: DumpedResource,
  knowledge: BarKnowledge,
): PlannedBar | undefined {
  const address = busAddressOf(resource, knowledge.offset);
  const bytes = knowledge.bytesOf(fn, resource);
  if (address === 'unknown' || address === 0 || bytes === 'unknown') return undefined;
  return isWellFormed(fn, resource, address, bytes) ? { resource, address, bytes } : undefined;
}

/** The BAR that data goes to; undefined with a problem when there is none. */
export function targetBar(
  dump: MachineDump,
  fn: DumpedFunction,
  index: number | undefined,
  knowledge: BarKnowledge,
  problems: FabricProblems,
): PlannedBar | undefined {
  const wanted = memoryBars(fn).filter((bar) => index === undefined || bar.index === index);
  if (wanted.length === 0) {
    const outside = dump.remarks.some(
      ({ code, device }) => code === 'address-out-of-range' && device === fn.name,
    );
    problems.block(outside || hasFarBar(fn) ? 'address-out-of-range' : 'no-memory-bar', fn, index ?? null);
    return undefined;
  }
  const found = wanted.flatMap((resource) => plannedBar(fn, resource, knowledge) ?? []);
  for (const resource of wanted) remarkTrouble(fn, resource, knowledge, found.length > 0, problems);
  return found.reduce<PlannedBar | undefined>(
    (most, bar) => (bar.bytes > (most?.bytes ?? 0) ? bar : most),
    undefined,
  );
}

/** A size that is not known may be the largest; any other trouble matters only when nothing else is left. */
function remarkTrouble(
  fn: DumpedFunction,
  resource: DumpedResource,
  knowledge: BarKnowledge,
  hasOther: boolean,
  problems: FabricProblems,
): void {
  const { index } = resource;
  const address = busAddressOf(resource, knowledge.offset);
  const isSized = knowledge.bytesOf(fn, resource) !== 'unknown';
  if (!isSized && address !== 0) problems.miss('bar-size', fn, index);
  if (hasOther) return;
  if (address === 'unknown') problems.miss('bar-address', fn, index);
  else if (address === 0) problems.block('bar-unassigned', fn, index);
  else if (isSized) problems.block('bar-malformed', fn, index);
}

function isWellFormed(
  fn: DumpedFunction,
  { index, width }: DumpedResource,
  address: number,
  bytes: number,
): boolean {
  if (!Number.isInteger(Math.log2(bytes)) || bytes < 16 || offsetWithin(address, bytes) !== 0) return false;
  if (address < 0 || address + bytes > (width === 32 ? 2 ** 32 : ADDRESS_LIMIT)) return false;
  if (width === 32) return index <= 5;
  // Numbers that a short listing left to be counted may lie in the second register of the one before.
  return index <= 4 && !fn.resources.some((other) => other.kind === 'bar' && other.index === index + 1);
}

/** A 64-bit memory BAR register at or above 2^52. */
function hasFarBar({ config, known, headerType }: DumpedFunction): boolean {
  const last = headerType === 0 ? 4 : 0;
  for (let index = 0; index <= last; index += 1) {
    const at = 0x10 + 4 * index;
    const isWide = known[at] === 0xff && ((config[at] ?? 0) & 0x7) === 4;
    const far = (config[at + 7] ?? 0) !== 0 || (config[at + 6] ?? 0) >= 0x10;
    if (isWide && far) return true;
    if (isWide) index += 1;
  }
  return false;
}

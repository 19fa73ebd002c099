// Provenance: where an address comes from that the checker cannot take: a mapping that is gone, another device, another
// API, the CPU's side.
// Source followed: none; the kernel only says that it does not know the address.
// Equal DMA addresses in two domains are normal, so a device's own past goes before another device's present.
// Simplified: a search through all live mappings; it runs on violations only.

import { alignDown, alignUp, PAGE_SIZE } from '@sgfree/hw-model';
import type { Device } from '../device.ts';
import { type AddressHash, type HashedRange, holds } from './address-hash.ts';
import type { DeadMapping } from './dead-mappings.ts';
import type { DmaDebugRuleCode } from './debug-rule-codes.ts';
import type { DmaDebug } from './dma-debug.ts';

/**
 * What somebody wants with an address.
 * @internal
 */
export type AddressUse = 'unmap' | 'sync' | 'access';

type Explanation = readonly [rule: DmaDebugRuleCode, data: Readonly<Record<string, unknown>>];

interface Question {
  readonly debug: DmaDebug;
  readonly dev: Device;
  readonly address: number;
  readonly use: AddressUse;
}

/**
 * Finds out about `size` bytes at `address` that no mapping of `dev` explains, posts it, and returns the rule.
 * @internal
 */
export function explainAddress(
  debug: DmaDebug,
  dev: Device,
  address: number,
  size: number,
  use: AddressUse,
): DmaDebugRuleCode {
  const question: Question = { debug, dev, address, use };
  const [rule, data] =
    ownMapping(question) ??
    deadMapping(question, true) ??
    foreignMapping(question, true) ??
    physicalAddress(question) ??
    neighbour(question) ??
    deadMapping(question, false) ??
    foreignMapping(question, false) ??
    (['dma-shadow-unknown-address', {}] as const);
  debug.report.shadow(dev, rule, { use, address, size, ...data });
  return rule;
}

const first = <T>(found: Iterable<T>): T | null => {
  for (const each of found) return each;
  return null;
};

const placeOf = ({ devAddr, size }: HashedRange) => ({ mappingAddress: devAddr, mappingSize: size });

function ownMapping({ debug, dev, address, use }: Question): Explanation | null {
  const entry = first(debug.entries.holding(dev, address));
  if (entry !== null) {
    const rule = use === 'unmap' ? 'dma-shadow-inside-mapping' : 'dma-shadow-outside-mapping';
    return [rule, { ...placeOf(entry), api: entry.type }];
  }
  const range = first(debug.ranges.holding(dev, address));
  return range === null ? null : ['dma-shadow-wrong-api', { ...placeOf(range), api: 'two-step' }];
}

function deadMapping({ debug, dev, address }: Question, start: boolean): Explanation | null {
  const dead = debug.dead.find(dev, address, start);
  return dead === null
    ? null
    : ['dma-shadow-use-after-unmap', { ...placeOf(dead), api: dead.api, callsAgo: callsAgo(debug, dead) }];
}

const callsAgo = (debug: DmaDebug, dead: DeadMapping): number => debug.calls - dead.endedAt;

function foreignMapping({ debug, dev, address }: Question, start: boolean): Explanation | null {
  const fits = (range: HashedRange): boolean =>
    range.dev !== dev && (start ? range.devAddr === address : holds(range, address));
  const entry = find(debug.entries, fits);
  const found = entry ?? find(debug.ranges, fits);
  if (found === null) return null;
  const api = entry === null ? 'two-step' : entry.type;
  return ['dma-shadow-foreign-device', { ...placeOf(found), api, owner: found.dev.name }];
}

function find<T extends HashedRange>(ranges: AddressHash<T>, fits: (range: T) => boolean): T | null {
  for (const range of ranges) if (fits(range)) return range;
  return null;
}

function physicalAddress({ debug, dev, address }: Question): Explanation | null {
  const holdsIt = (phys: number, size: number): boolean => phys <= address && address < phys + size;
  const entry = find(debug.entries, (each) => each.dev === dev && holdsIt(each.phys, each.size));
  if (entry !== null) return ['dma-shadow-physical-address', { ...placeOf(entry), api: entry.type }];
  const range = find(
    debug.ranges,
    (each) => each.dev === dev && each.pieces.some(({ phys, start, end }) => holdsIt(phys, end - start)),
  );
  return range === null ? null : ['dma-shadow-physical-address', { ...placeOf(range), api: 'two-step' }];
}

/** A device may reach the whole page that a mapping lies in; that does not make it right. */
function neighbour({ debug, dev, address, use }: Question): Explanation | null {
  if (use !== 'access') return null;
  const samePage = ({ dev: owner, devAddr, size }: HashedRange): boolean =>
    owner === dev && alignDown(devAddr, PAGE_SIZE) <= address && address < alignUp(devAddr + size, PAGE_SIZE);
  const found = find(debug.entries, samePage) ?? find(debug.ranges, samePage);
  return found === null ? null : ['dma-shadow-outside-mapping', placeOf(found)];
}

// HostPlan: a host bridge of the dump as it will stand in the fabric: which CPU addresses lead to it, and their offset.
// Source followed: /proc/iomem names the windows of a root bus (`PCI Bus 0000:40`); without it the ranges of the functions
// on the root bus show what the windows must at least hold.
// Simplified: one offset for all windows of a host bridge; ranges are rounded to whole pages.

import { alignDown, alignUp, PAGE_SIZE, type PhysRange, physAddr, rawOffset } from '@sgfree/hw-model';
import type { DumpedFunction } from '../model/dumped-function.ts';
import type { DumpedHostBridge, MachineDump } from '../model/machine-dump.ts';
import { cpuAddressOf, shownOffsets } from './address-of-range.ts';
import type { FabricOptions, UsedAssumption } from './fabric-options.ts';
import type { FabricProblems } from './fabric-problem.ts';
import type { HostIndex } from './host-index.ts';

/** A host bridge with everything known. */
export interface HostPlan {
  readonly host: DumpedHostBridge;
  /** Bus address minus CPU address; 0 while that is one of the problems. */
  readonly offset: number;
  readonly ranges: readonly PhysRange[];
}

interface Span {
  readonly from: number;
  readonly end: number;
}

/** Plans a host bridge; `user` is a function below it, which names its problems. */
export function hostPlan(
  dump: MachineDump,
  index: HostIndex,
  host: DumpedHostBridge,
  user: DumpedFunction,
  { assume }: FabricOptions,
  problems: FabricProblems,
  used: UsedAssumption[],
): HostPlan {
  const shown = shownOffsets(index.below(host));
  if (shown.length > 1) problems.block('bus-offset-mixed', user);
  const offset = shown[0] ?? assume?.busOffset ?? 0;
  if (shown.length === 0 && assume?.busOffset === undefined) problems.miss('bus-offset', user);
  else if (shown.length === 0) used.push({ assumption: 'busOffset', fn: user });
  const ranges = merged([...iomemSpans(dump, host), ...spansOf(host, offset)]);
  return { host, offset, ranges };
}

function iomemSpans({ iomem }: MachineDump, { name }: DumpedHostBridge): Span[] {
  const wanted = `PCI Bus ${name.slice(3)}`;
  // Without root the kernel prints zeros for every address.
  return iomem
    .filter((line) => line.name === wanted && line.bytes > 1)
    .map(({ base, bytes }) => ({ from: rawOffset(base, 0), end: rawOffset(base, bytes) }));
}

function spansOf({ functions }: DumpedHostBridge, offset: number): Span[] {
  return functions
    .flatMap(({ resources }) => resources)
    .filter(
      ({ kind, space, enabled }) => isWanted(kind) && space === 'memory' && !(kind === 'window' && !enabled),
    )
    .flatMap((resource) => {
      const from = cpuAddressOf(resource, offset);
      const { bytes } = resource;
      return from === 'unknown' || from <= 0 || bytes === 'unknown' ? [] : [{ from, end: from + bytes }];
    });
}

const isWanted = (kind: string): boolean => kind === 'bar' || kind === 'window';

/** The union, in whole pages. */
function merged(spans: readonly Span[]): PhysRange[] {
  const found: { from: number; end: number }[] = [];
  const whole = spans.map(({ from, end }) => ({
    from: alignDown(from, PAGE_SIZE),
    end: alignUp(end, PAGE_SIZE),
  }));
  for (const span of whole.sort((a, b) => a.from - b.from)) {
    const last = found.at(-1);
    if (last === undefined || span.from > last.end) found.push({ ...span });
    else last.end = Math.max(last.end, span.end);
  }
  return found.map(({ from, end }) => ({ base: physAddr(from), bytes: end - from }));
}

/** Whether two ranges share a byte. */
export function overlaps(a: PhysRange, b: PhysRange): boolean {
  const [fromA, fromB] = [rawOffset(a.base, 0), rawOffset(b.base, 0)];
  return fromA < fromB + b.bytes && fromB < fromA + a.bytes;
}

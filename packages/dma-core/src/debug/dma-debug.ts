// DmaDebug: the checker of one machine: remembers every mapping beside the DMA layer and compares what comes later.
// Source followed: kernel/dma/debug.c (CONFIG_DMA_API_DEBUG); what it does not see is kept beside it: ranges of the
// two-step API, mappings that are gone, the number of the call.
// Without memory for another entry it stops for good, as in Linux.
// Simplified: the kernel's log lines about the entry pool are not kept; its counters are.

import type { Device } from '../device.ts';
import { ActiveCachelines } from './active-cachelines.ts';
import { AddressHash } from './address-hash.ts';
import { DeadMappings } from './dead-mappings.ts';
import type { DmaDebugEntry, DmaDebugRef } from './debug-entry.ts';
import { DebugReport, type DebugReportOptions } from './debug-report.ts';
import { EntryPool } from './entry-pool.ts';
import type { TwoStepRange } from './two-step-range.ts';

/**
 * How a checker is set up; the defaults are those of the kernel on x86-64.
 * @public
 */
export interface DmaDebugOptions extends DebugReportOptions {
  /** `dma_debug=off`: present, but never looks. */
  readonly disabled?: boolean;
  /** Entries made beforehand (`dma_debug_entries=`); default 65536. */
  readonly entries?: number;
  /** Entries that find memory; default no limit. */
  readonly mostEntries?: number;
  /** Cachelines that find memory; default no limit. */
  readonly mostCachelines?: number;
  /** `dma_get_cache_alignment()` in bytes; default 1. Overlaps are reported from 64 on. */
  readonly cacheAlignment?: number;
  /** Mappings remembered after their end; default 4096. */
  readonly history?: number;
  /** False: the machine's memory does not say what is RAM (a replayed trace), so nothing is judged by it; default true. */
  readonly knowsRam?: boolean;
  /** 'linux': attributes that Linux lets differ between mapping and unmapping may differ; default 'strict'. */
  readonly attrAgreement?: 'linux' | 'strict';
}

/** `PREALLOC_DMA_DEBUG_ENTRIES`. */
const PREALLOCATED_ENTRIES = 65536;
const DEFAULT_HISTORY = 4096;

/**
 * The checker. Give it to a {@link DmaPlatform} and read its findings from the event log or from `onFinding`.
 * @public
 */
export class DmaDebug {
  readonly report: DebugReport;
  readonly cacheAlignment: number;
  readonly attrAgreement: 'linux' | 'strict';
  readonly knowsRam: boolean;
  /** True once it has stopped looking (`global_disable`). */
  disabled: boolean;
  /** Calls seen; the unit in which a finding says how long ago something was. */
  calls = 0;
  /** @internal */
  readonly entries: AddressHash<DmaDebugEntry> = new AddressHash();
  /** @internal */
  readonly ranges: AddressHash<TwoStepRange> = new AddressHash();
  /** @internal */
  readonly rangeOfState: WeakMap<object, TwoStepRange> = new WeakMap();
  /** @internal */
  readonly pool: EntryPool;
  /** @internal */
  readonly cachelines: ActiveCachelines;
  /** @internal */
  readonly dead: DeadMappings;

  constructor(options: DmaDebugOptions = {}) {
    this.report = new DebugReport(options);
    this.cacheAlignment = options.cacheAlignment ?? 1;
    this.attrAgreement = options.attrAgreement ?? 'strict';
    this.knowsRam = options.knowsRam ?? true;
    this.disabled = options.disabled ?? false;
    const most = options.mostEntries ?? Number.POSITIVE_INFINITY;
    this.pool = new EntryPool(options.entries ?? PREALLOCATED_ENTRIES, most);
    this.cachelines = new ActiveCachelines(options.mostCachelines ?? Number.POSITIVE_INFINITY);
    this.dead = new DeadMappings(options.history ?? DEFAULT_HISTORY);
  }

  /** Mappings remembered now. */
  get liveMappings(): number {
    return this.entries.count;
  }

  /** Two-step ranges that hold addresses now. */
  get liveRanges(): number {
    return this.ranges.count;
  }

  /** An entry for `ref` that is not yet known, or null: there is no memory, and the checker has stopped. @internal */
  newEntry(ref: DmaDebugRef): DmaDebugEntry | null {
    const entry = this.pool.take(ref, this.calls);
    if (entry === null) {
      this.disabled = true;
      this.report.warnOnce(ref.dev, 'dma-debug-out-of-memory', { entries: this.pool.total });
    }
    return entry;
  }

  /** Forgets `entry`. @internal */
  dropEntry(entry: DmaDebugEntry): void {
    const { dev, devAddr, size, type } = entry;
    this.entries.remove(entry);
    this.cachelines.remove(entry);
    this.pool.giveBack(entry);
    this.dead.add({ dev, devAddr, size, api: type, endedAt: this.calls });
  }
}

/**
 * The checker that looks at what `dev` does, or null; counts the call.
 * @internal
 */
export function checkerOf(dev: Device): DmaDebug | null {
  const { debug } = dev.platform;
  if (debug === null || debug.disabled) return null;
  debug.calls += 1;
  return debug;
}

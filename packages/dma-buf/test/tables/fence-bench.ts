// The machine that scripts about fences run on: objects by name, callbacks that write down who was called, waits as
// tasks, and an account of references at the end.
// Simplified: one process, one milliseconds clock.

import { Clock, type ModelTask, Scheduler } from '@sgfree/hw-model';
import type { Outcome } from '@sgfree/mm';
import {
  DmaBufPlatform,
  DmaFence,
  type DmaFenceOps,
  DmaResv,
  dmaFenceGet,
  dmaFenceInit,
  dmaFencePut,
  dmaFenceSignal,
  dmaResvFini,
  dmaResvTrylock,
  dmaResvUnlock,
} from '../../src/index.ts';
import { spellNumber } from './step-script.ts';

/** What a fence's driver says, by the word that stands behind the fence in a script. */
const drivers: Readonly<Record<string, DmaFenceOps>> = {
  /** Asked to signal, it says that the work is done. */
  declines: { enableSignaling: () => false },
  /** Asked whether the work is done, it says yes. */
  finished: { signaled: () => true },
  unfinished: { signaled: () => false },
  releases: { release: () => undefined },
};

/** Objects of one script. */
export class FenceBench {
  readonly clock: Clock;
  readonly platform: DmaBufPlatform;
  readonly fences: Map<string, DmaFence> = new Map();
  readonly resvs: Map<string, DmaResv> = new Map();
  /** Names of callbacks in the order in which they were called. */
  readonly called: string[] = [];
  /** Fences whose references others hold as well. */
  readonly shared: Set<DmaFence> = new Set();

  constructor(platform?: DmaBufPlatform) {
    this.clock = platform?.scheduler.clock ?? new Clock();
    this.platform = platform ?? new DmaBufPlatform({ scheduler: new Scheduler({ clock: this.clock }) });
    this.platform.log.enabled = true;
  }

  fence(name: string): DmaFence {
    const fence = this.fences.get(name);
    if (fence === undefined) throw new Error(`no fence ${name}`);
    return fence;
  }

  /** A fence of a context and number (`4#7`), or of a context of its own (`own`). */
  make(name: string, place: string, ...words: readonly string[]): void {
    const [context, seqno] =
      place === 'own' ? [this.platform.takeContexts(1), 1] : place.split('#').map(Number);
    const seqno64 = words.includes('seqno64');
    const ops = Object.assign({}, ...words.map((word) => drivers[word] ?? {})) as DmaFenceOps;
    const identity = { context: context ?? 0, seqno: seqno ?? 0, ...(seqno64 ? { seqno64 } : {}) };
    this.fences.set(name, dmaFenceInit(this.platform, ops, identity));
  }

  /** Names listed with commas as fences, each with a reference more. */
  taken(names: string): DmaFence[] {
    return names.split(',').map((name) => dmaFenceGet(this.fence(name)));
  }

  resv(name: string): DmaResv {
    const resv = this.resvs.get(name) ?? new DmaResv(this.platform, name);
    this.resvs.set(name, resv);
    return resv;
  }

  /** Runs a wait; `interrupted`: with a signal pending. A wait that never ends is `blocked`. */
  wait(body: ModelTask<number>, interrupted: boolean): number | string {
    const { scheduler } = this.platform;
    const task = scheduler.spawn('waiter', body);
    if (interrupted) this.platform.interrupt(task);
    while (!task.done) if (scheduler.run(1).status === 'deadlock') return 'blocked';
    return task.result ?? 'nothing';
  }

  /** Violations since the last look. */
  warned(): number {
    const { events } = this.platform.log;
    return events.splice(0).filter(({ kind }) => kind === 'violation').length;
  }

  /** Signals and gives back everything; references that are left, by name. */
  leftovers(): string[] {
    const all = [...this.fences];
    for (const [, fence] of all) if (!fence.isContainer) dmaFenceSignal(fence);
    // Waits that nobody ended hold references.
    this.platform.scheduler.run();
    for (const resv of this.resvs.values()) {
      if (resv.mutex.locked) dmaResvUnlock(resv);
      dmaResvFini(resv);
    }
    for (const [, fence] of all.reverse()) dmaFencePut(fence);
    return all.filter(([, fence]) => fence.refs !== 0 && !this.shared.has(fence)).map(([name]) => name);
  }

  /** Spells an answer. */
  readonly spell = (value: unknown): string => {
    if (value === null) return 'null';
    if (typeof value === 'number') return spellNumber(value);
    if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(this.spell).join(',');
    if (value instanceof DmaFence) return this.#nameOf(value);
    if (isOutcome(value)) return this.spell(value.ok ? value.value : -value.errno);
    return typeof value === 'string' || typeof value === 'boolean' ? String(value) : 'unspelled';
  };

  #nameOf(fence: DmaFence): string {
    for (const [name, each] of this.fences) if (each === fence) return name;
    return 'unnamed';
  }
}

const isOutcome = (value: unknown): value is Outcome<unknown> =>
  typeof value === 'object' && value !== null && 'ok' in value;

/** Holds the lock of `resv` around `body`. */
export function underLock<T>(resv: DmaResv, body: () => T): T {
  if (!dmaResvTrylock(resv)) throw new Error('locked');
  const result = body();
  dmaResvUnlock(resv);
  return result;
}

// AlterationRun: replays a file on a fresh model and makes one recorded value wrong at a time; a mismatch is demanded
// exactly at that record. Alterations share a replay: the records between them are replayed unaltered and must pass, and
// a record is tried again with the next alteration only while, unaltered, it still passes in between. Whatever disturbs
// the replay ends it, and what is left is tried on a fresh model.
// Simplified: what mismatched is not compared with what was altered; any mismatch at the record counts.

import type { JsonRecord, Replayer } from '../suite.ts';
import { alterationsOf } from './alteration.ts';
import type { AlterationPlan, PlannedSite } from './alteration-plan.ts';
import { valueAt, withValueAt } from './output-path.ts';
import { isBreakdown, type SelfTestFile } from './self-test-file.ts';

/** One alteration and what became of it. */
export interface TriedAlteration {
  readonly suite: string;
  readonly kind: string;
  readonly path: string;
  readonly shape: string;
  readonly alteration: string;
  readonly file: string;
  readonly line: number;
  readonly recorded: unknown;
  readonly altered: unknown;
  readonly verdict: 'noticed' | 'unnoticed' | 'prefix fails';
}

/** An alteration that has not been tried yet. */
interface Pending {
  readonly site: PlannedSite;
  readonly name: string;
  readonly replacement: unknown;
}

function pendingOf(file: SelfTestFile, sites: readonly PlannedSite[], plan: AlterationPlan): Pending[] {
  return sites.flatMap((site) => {
    const recorded = valueAt(file.records[site.index], site.location);
    const sample = plan.sampleFor(file.suite.name, site.kind, site.path, recorded);
    return alterationsOf(recorded, sample).map(({ name, replacement }) => ({ site, name, replacement }));
  });
}

class AlterationRun {
  readonly tried: TriedAlteration[] = [];
  readonly #file: SelfTestFile;
  readonly #left = new Map<number, Pending[]>();
  /** Record kinds that were seen to change the model when they are replayed twice. */
  readonly #unrepeatable = new Set<string>();
  /** Record kinds that were repeated in the present replay. */
  readonly #repeated = new Set<string>();

  constructor(file: SelfTestFile, pending: readonly Pending[]) {
    this.#file = file;
    for (const one of pending) {
      const atRecord = this.#left.get(one.site.index);
      if (atRecord === undefined) this.#left.set(one.site.index, [one]);
      else atRecord.push(one);
    }
  }

  /** True while there is something to try. */
  get unfinished(): boolean {
    return this.#left.size > 0;
  }

  /** One replay from the start, up to the last record that has something left or to what disturbs it. */
  replay(): void {
    const replayer = this.#file.open();
    const before = this.tried.length;
    const last = Math.max(...this.#left.keys());
    this.#repeated.clear();
    for (const [index, record] of this.#file.records.slice(0, last + 1).entries()) {
      const left = this.#left.get(index);
      if (left !== undefined) {
        if (!this.#tryRecord(replayer, record, left)) return;
      } else if (this.#file.replayOnly(replayer, record, index).length > 0) {
        for (const kind of this.#repeated) this.#unrepeatable.add(kind);
        if (this.tried.length === before) this.#giveUp();
        return;
      }
    }
  }

  /** Tries what is left at a record, all of it while the record can be repeated; false when the model is disturbed. */
  #tryRecord(replayer: Replayer, record: JsonRecord, left: Pending[]): boolean {
    const kind = this.#file.suite.kindOf(record);
    for (let one = left.shift(); one !== undefined; one = left.shift()) {
      const { index } = one.site;
      if (left.length === 0) this.#left.delete(index);
      if (this.#tryOne(replayer, record, one) === 'disturbed') return false;
      if (left.length === 0 || this.#unrepeatable.has(kind)) return true;
      this.#repeated.add(kind);
      if (this.#file.replayOnly(replayer, record, index).length > 0) {
        this.#unrepeatable.add(kind);
        return false;
      }
    }
    return true;
  }

  /** A record that ended in an exception, and the end of the file, leave a model that cannot be used any more. */
  #tryOne(replayer: Replayer, record: JsonRecord, one: Pending): 'usable' | 'disturbed' {
    const { index, location } = one.site;
    const found = this.#file.replayOnly(replayer, withValueAt(record, location, one.replacement), index);
    const isEnd = found.length === 0 && index === this.#file.records.length - 1;
    const atEnd = isEnd ? this.#file.endOnly(replayer) : [];
    this.#note(one, found.length + atEnd.length > 0 ? 'noticed' : 'unnoticed');
    return isEnd || found.some(isBreakdown) ? 'disturbed' : 'usable';
  }

  /** The unaltered file does not reach what is left. */
  #giveUp(): void {
    for (const pending of this.#left.values()) {
      for (const one of pending) this.#note(one, 'prefix fails');
    }
    this.#left.clear();
  }

  #note({ site, name, replacement }: Pending, verdict: TriedAlteration['verdict']): void {
    this.tried.push({
      suite: this.#file.suite.name,
      kind: site.kind,
      path: site.path,
      shape: site.shape,
      alteration: name,
      file: this.#file.name,
      line: this.#file.lineOf(site.index),
      recorded: valueAt(this.#file.records[site.index], site.location),
      altered: replacement,
      verdict,
    });
  }
}

/** Tries every alteration of the sites of one file. */
export function trySites(
  file: SelfTestFile,
  sites: readonly PlannedSite[],
  plan: AlterationPlan,
): TriedAlteration[] {
  const run = new AlterationRun(file, pendingOf(file, sites, plan));
  while (run.unfinished) run.replay();
  return run.tried;
}

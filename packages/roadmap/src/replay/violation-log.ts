// ViolationLog: an event log that keeps nothing but the number of violations by rule.
// Source followed: the model's rule codes; where Linux warns and goes on, an event of kind `violation` is posted.
// A call that fails may say so by a violation: that is the trace's doing. In a call that succeeds it is the model's.
// Simplified: it listens only while it is enabled, which a run does for a sample of its calls.

import { EventLog, type ModelEvent } from '@sgfree/hw-model';
import { violatedRules } from '../exported-bar/rule-log.ts';

/** Counts violations. */
export class ViolationLog extends EventLog {
  readonly ofFailedCalls: Map<string, number> = new Map();
  readonly ofOtherCalls: Map<string, number> = new Map();
  readonly #rules: string[] = [];

  override post(event: ModelEvent): void {
    if (this.enabled) this.#rules.push(...violatedRules([event]));
  }

  /** The call that was watched has ended; nothing is listened to until the next one. */
  callEnded(failed: boolean): void {
    this.enabled = false;
    if (this.#rules.length === 0) return;
    const counts = failed ? this.ofFailedCalls : this.ofOtherCalls;
    for (const rule of this.#rules.splice(0)) counts.set(rule, (counts.get(rule) ?? 0) + 1);
  }
}

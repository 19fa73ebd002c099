// The breaches of the kernel's contracts among events; and RuleLog, which keeps them and passes everything on to whoever listens besides.
// Source followed: the project's rule that a WARN of the kernel is a violation event.
// Simplified: none.

import type { ModelEvent } from '@sgfree/hw-model';
import { PassingLog } from '../passing-log.ts';

/** The rule codes of the violations among `events`, in order. @internal */
export const violatedRules = (events: readonly ModelEvent[]): string[] =>
  events.flatMap((event) => (event.kind === 'violation' ? [String(event['rule'])] : []));

/**
 * A log of violations.
 * @internal
 */
export class RuleLog extends PassingLog {
  readonly rules: string[] = [];

  protected override hear(event: ModelEvent): void {
    this.rules.push(...violatedRules([event]));
  }
}

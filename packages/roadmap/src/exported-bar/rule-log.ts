// RuleLog: keeps the breaches of the kernel's contracts, and passes everything on to whoever listens besides.
// Source followed: the project's rule that a WARN of the kernel is a violation event.
// Simplified: none.

import type { ModelEvent } from '@sgfree/hw-model';
import { PassingLog } from '../passing-log.ts';

/**
 * A log of violations.
 * @internal
 */
export class RuleLog extends PassingLog {
  readonly rules: string[] = [];

  protected override hear(event: ModelEvent): void {
    if (event.kind === 'violation') this.rules.push(String(event['rule']));
  }
}

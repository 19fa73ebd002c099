// RuleLog: keeps the breaches of the kernel's contracts, and passes everything on to whoever listens besides.
// Source followed: the project's rule that a WARN of the kernel is a violation event.
// Simplified: none.

import { EventLog, type ModelEvent } from '@sgfree/hw-model';

/**
 * A log of violations.
 * @internal
 */
export class RuleLog extends EventLog {
  readonly rules: string[] = [];
  readonly #listener: EventLog | undefined;

  constructor(listener?: EventLog) {
    super();
    this.enabled = true;
    this.#listener = listener;
  }

  override post(event: ModelEvent): void {
    if (event.kind === 'violation') this.rules.push(String(event['rule']));
    this.#listener?.post(event);
  }
}

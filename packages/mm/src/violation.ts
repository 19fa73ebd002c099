// Violations: misuse of a kernel interface. Where Linux WARNs and goes on, an event is posted; where Linux
// would BUG or run into undefined behaviour, DmaApiViolation is thrown. Tests match on the rule code.
// Simplified: no stack traces and no rate limits.

import type { EventLog } from '@sgfree/hw-model';

/**
 * Thrown where the kernel would BUG or behave undefined; `rule` is a stable code such as `dma-bad-direction`.
 * @public
 */
export class DmaApiViolation extends Error {
  override readonly name = 'DmaApiViolation';
  readonly rule: string;

  constructor(rule: string, message: string) {
    super(`${rule}: ${message}`);
    this.rule = rule;
  }
}

/**
 * Posts what the kernel answers with a WARN: event kind `violation` with the rule code and the data.
 * @public
 */
export function warnViolation(log: EventLog, rule: string, data: Readonly<Record<string, unknown>>): void {
  if (log.enabled) log.post({ kind: 'violation', rule, ...data });
}

// DeprecationLog: counts the imports that fell back to the deprecated operation, and passes everything on.
// Source followed: our own event `rdma:deprecated-import`, once for each attachment.
// Simplified: none.

import { EventLog, type ModelEvent } from '@sgfree/hw-model';

const DEPRECATED_IMPORT = 'rdma:deprecated-import';

/** Warnings among `events`. @internal */
export const deprecatedImports = (events: readonly ModelEvent[]): number =>
  events.filter(({ kind }) => kind === DEPRECATED_IMPORT).length;

/**
 * A log of warnings.
 * @internal
 */
export class DeprecationLog extends EventLog {
  count = 0;
  readonly #listener: EventLog | undefined;

  constructor(listener?: EventLog) {
    super();
    this.enabled = true;
    this.#listener = listener;
  }

  override post(event: ModelEvent): void {
    this.count += deprecatedImports([event]);
    this.#listener?.post(event);
  }
}

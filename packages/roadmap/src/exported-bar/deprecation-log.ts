// DeprecationLog: counts the imports that fell back to the deprecated operation, and passes everything on.
// Source followed: our own event `rdma:deprecated-import`, once for each attachment.
// Simplified: none.

import type { ModelEvent } from '@sgfree/hw-model';
import { PassingLog } from '../passing-log.ts';

const DEPRECATED_IMPORT = 'rdma:deprecated-import';

/** Warnings among `events`. @internal */
export const deprecatedImports = (events: readonly ModelEvent[]): number =>
  events.filter(({ kind }) => kind === DEPRECATED_IMPORT).length;

/**
 * A log of warnings.
 * @internal
 */
export class DeprecationLog extends PassingLog {
  count = 0;

  protected override hear(event: ModelEvent): void {
    this.count += deprecatedImports([event]);
  }
}

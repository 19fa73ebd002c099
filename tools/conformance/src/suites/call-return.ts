// How a recorded call from user space ended: `ret` 0, or -1 with a positive `errno`.
// Field meanings: vectors/kernel/README.md, "Conventions of the .jsonl files".
// Simplified: none.

import type { Outcome } from '@sgfree/mm';
import type { JsonRecord } from '../suite.ts';
import type { RecordedOutput } from './dma-recorded-output.ts';

/** The errno of an outcome, 0 for a success. */
export const errnoOf = (outcome: Outcome<unknown>): number => (outcome.ok ? 0 : outcome.errno);

/** Compares how a call ended; takes an errno of either sign. */
export function checkReturn(output: RecordedOutput, record: JsonRecord, errno: number): void {
  output.check('ret', record['ret'], errno === 0 ? 0 : -1);
  output.check('errno', record['errno'], Math.abs(errno));
}

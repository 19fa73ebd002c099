// How the work requests of one connection may end when the memory goes away under them.
// Source followed: InfiniBand Architecture Specification 1.3, sections 9.9.3 and 10.8: requests end in the order they were
// posted; the first one that finds its key gone is a remote access error; everything behind it is flushed.
// Simplified: none.

import type { RdmaStatusName } from '@sgfree/hw-model';

/**
 * How many statuses, in the order of posting, do not fit: successes, at most one refused access, then flushed work. Missing
 * ones (null) are counted elsewhere.
 * @internal
 */
export function wrongStatuses(statuses: readonly (RdmaStatusName | null)[]): number {
  let wrong = 0;
  let failed = false;
  for (const status of statuses) {
    if (status === null || (status === 'SUCCESS' && !failed)) continue;
    if (status !== (failed ? 'WR_FLUSH_ERR' : 'REM_ACCESS_ERR')) wrong += 1;
    failed = true;
  }
  return wrong;
}

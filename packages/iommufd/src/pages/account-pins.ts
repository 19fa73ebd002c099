// Counting pinned pages: against the user's limit, the address space's, or none; and always in `pinned_vm`.
// Source followed: do_update_pinned(), update_user_locked_vm(), update_mm_locked_vm(), iopt_pages_update_pinned() in
// drivers/iommu/iommufd/pages.c.
// Pins made by one operation are counted together when it is done; it fails as a whole when they are too many.
// Simplified: none.

import { Errno } from '@sgfree/mm';
import type { IommufdProcess, IoptAccountMode } from '../iommufd-process.ts';
import type { IoptPages } from './iopt-pages.ts';

/**
 * Charges `pages` pages (gives them back when negative) to a process; 0 or -ENOMEM with nothing charged.
 * @internal
 */
export function chargePins(process: IommufdProcess, mode: IoptAccountMode, pages: number): number {
  if (mode !== 'none') {
    const payer = mode === 'user' ? process.user : process;
    // CAP_IPC_LOCK is looked at when pages are made, not here: who takes them over with it keeps to the limit as well.
    if (pages > 0 && payer.lockedVm + pages > process.lockLimit) return -Errno.ENOMEM;
    payer.lockedVm += pages;
  }
  process.mm.pinnedVm += pages;
  return 0;
}

/**
 * Counts what was pinned or unpinned since the last time; 0 or -ENOMEM. With the pages' mutex held.
 * @internal
 */
export function updatePinned(pages: IoptPages): number {
  const more = pages.npinned - pages.lastNpinned;
  if (more === 0) return 0;
  const errno = chargePins(pages.process, pages.accountMode, more);
  if (errno === 0) pages.lastNpinned = pages.npinned;
  return errno;
}

// Pinning: a driver gets the frames behind user addresses and keeps them where they are.
// Source followed: mm/gup.c (pin_user_pages, check_vma_flags, try_grab_folio, is_valid_gup_args, unpin_user_page_range_dirty_lock).
// A pin to write breaks sharing first; one to read takes the page as it is.
// Simplified: no zones to move pages out of for the long term; no fast path without the mmap lock.

import { InternalError, type ModelTask, PAGE_SIZE } from '@sgfree/hw-model';
import { Errno } from '../errno.ts';
import type { ProcessMemory } from './process-memory.ts';
import { handleMmFault } from './user-fault.ts';
import type { UserFolio } from './user-folio.ts';

/**
 * How pages are pinned; an absent flag is a clear one.
 * @public
 */
export interface GupFlags {
  /** The pin may last for ever (`FOLL_LONGTERM`). */
  readonly longterm?: boolean;
  /** The pages will be written (`FOLL_WRITE`). */
  readonly write?: boolean;
  /** Pages of a peer's BAR will do (`FOLL_PCI_P2PDMA`); not for the long term. */
  readonly pciP2pdma?: boolean;
}

/**
 * A page that is pinned.
 * @public
 */
export interface PinnedPage {
  readonly frame: number;
  readonly folio: UserFolio;
}

/**
 * Pins up to `nrPages` pages from `start` (page aligned) on and appends them to `pages`. Returns how many; when not even the
 * first could be pinned: -EFAULT for addresses without memory or rights and for BARs without pages, -EREMOTEIO for a peer's
 * pages that were not asked for, -ENOMEM. -EINVAL for flags that exclude each other.
 * @public
 * @kernel pin_user_pages_fast
 */
export function* pinUserPagesFast(
  mm: ProcessMemory,
  start: number,
  nrPages: number,
  gupFlags: GupFlags,
  pages: PinnedPage[],
): ModelTask<number> {
  if (gupFlags.longterm === true && gupFlags.pciP2pdma === true) return -Errno.EINVAL;
  yield* mm.mmapLock.readLock();
  let pinned = 0;
  let error = 0;
  while (pinned < nrPages && error === 0) {
    error = yield* pinOne(mm, start + pinned * PAGE_SIZE, gupFlags, pages);
    if (error === 0) pinned += 1;
  }
  mm.mmapLock.readUnlock();
  return pinned === 0 ? error : pinned;
}

function* pinOne(
  mm: ProcessMemory,
  address: number,
  flags: GupFlags,
  pages: PinnedPage[],
): ModelTask<number> {
  const area = mm.areaAt(address);
  if (area === undefined || area.kind === 'io') return -Errno.EFAULT;
  if (area.kind === 'pci-p2pdma' && flags.pciP2pdma !== true) return -Errno.EREMOTEIO;
  const fault = yield* handleMmFault(mm, address, flags.write === true);
  if (fault !== 0) return fault;
  const pte = mm.ptes.get(Math.floor(address / PAGE_SIZE));
  if (pte === undefined) throw new InternalError('a fault left no page behind');
  mm.frames.touched += 1;
  pte.folio.pins += 1;
  pages.push({ frame: pte.frame, folio: pte.folio });
  return 0;
}

/**
 * Gives a pin back; `makeDirty` when the page may have been written.
 * @public
 */
export function unpinUserPage(page: PinnedPage, makeDirty: boolean): void {
  const { folio } = page;
  if (folio.pins === 0) throw new InternalError(`frame ${page.frame} is not pinned`);
  if (makeDirty) folio.dirty = true;
  folio.pins -= 1;
  folio.drop();
}

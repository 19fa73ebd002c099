// Page faults of user memory: a page is brought at the first access, and copied before the first write to a shared one.
// Source followed: mm/memory.c (do_anonymous_page, wp_page_copy), mm/huge_memory.c.
// Simplified: a read of untouched memory gets a page of its own, not the zero page; only anonymous memory faults; a shared
// huge page is copied whole.

import { type ModelTask, PAGE_SIZE, physOfFrame } from '@sgfree/hw-model';
import { Errno } from '../errno.ts';
import type { ProcessMemory } from './process-memory.ts';
import { UserFolio } from './user-folio.ts';
import type { VmArea } from './vm-area.ts';

/**
 * Makes `address` accessible: 0, -EFAULT outside every area or against its rights, -ENOMEM. The mmap lock is held.
 * @public
 * @kernel handle_mm_fault
 */
export function* handleMmFault(mm: ProcessMemory, address: number, write: boolean): ModelTask<number> {
  const area = mm.areaAt(address);
  if (area === undefined || (write && !area.writable)) return -Errno.EFAULT;
  const pte = mm.ptes.get(Math.floor(address / PAGE_SIZE));
  if (pte === undefined) return area.kind === 'anonymous' ? bringFolio(mm, area, address) : -Errno.EFAULT;
  if (!write || pte.writable) return 0;
  return yield* copyFolio(mm, pte.folio, address);
}

/** First page number of the folio that holds `address`. */
const headPage = (address: number, order: number): number =>
  Math.floor(address / (PAGE_SIZE * 2 ** order)) * 2 ** order;

function bringFolio(mm: ProcessMemory, area: VmArea, address: number): number {
  const frame = mm.pages.allocPages(area.order);
  if (frame < 0) return -Errno.ENOMEM;
  showFolio(mm, headPage(address, area.order), new UserFolio(frame, area.order, mm.pages), area.writable);
  return 0;
}

/** Puts every frame of `folio` into the page table from page `head` on. @internal */
export function showFolio(mm: ProcessMemory, head: number, folio: UserFolio, writable: boolean): void {
  for (let page = 0; page < folio.frameCount; page += 1) {
    mm.setPte(head + page, { folio, frame: folio.frame + page, writable });
  }
}

/** A write to a folio that is not writable yet: it is kept if nobody else maps it, else a copy takes its place. */
function* copyFolio(mm: ProcessMemory, old: UserFolio, address: number): ModelTask<number> {
  const head = headPage(address, old.order);
  if (old.mapCount === old.frameCount) {
    for (let page = 0; page < old.frameCount; page += 1) {
      mm.ptes.set(head + page, { folio: old, frame: old.frame + page, writable: true });
    }
    return 0;
  }
  const start = head * PAGE_SIZE;
  yield* mm.notifiers.invalidateStart({ start, end: start + old.frameCount * PAGE_SIZE, blockable: true });
  // Somebody else's fault may have been faster.
  const stale = mm.ptes.get(head)?.folio !== old;
  const copy = stale ? null : duplicateFolio(mm, old);
  if (copy !== null) replaceFolio(mm, head, copy, true);
  mm.notifiers.invalidateEnd();
  return stale || copy !== null ? 0 : -Errno.ENOMEM;
}

/** A new folio with the same bytes, or null. @internal */
export function duplicateFolio(mm: ProcessMemory, old: UserFolio): UserFolio | null {
  const frame = mm.pages.allocPages(old.order);
  if (frame < 0) return null;
  const bytes = new Uint8Array(old.frameCount * PAGE_SIZE);
  mm.memory.read(physOfFrame(old.frame), bytes);
  mm.memory.write(physOfFrame(frame), bytes);
  return new UserFolio(frame, old.order, mm.pages);
}

/** Shows `folio` where another of the same order was shown. @internal */
export function replaceFolio(mm: ProcessMemory, head: number, folio: UserFolio, writable: boolean): void {
  for (let page = 0; page < folio.frameCount; page += 1) mm.clearPte(head + page);
  showFolio(mm, head, folio, writable);
}

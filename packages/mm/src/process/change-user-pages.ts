// What takes pages away from behind user addresses: munmap, exit, fork and migration. Watchers are told before.
// Source followed: mm/mmap.c and mm/memory.c (unmap_vmas, copy_present_page, copy_page_range), mm/migrate.c.
// A pinned page stays where it is: unmapping only takes it from the process, fork gives the child a copy, and it is not
// migrated.
// Simplified: huge pages are never split, so a range that cuts one is refused; fork copies every area.

import { type ModelTask, offsetWithin, PAGE_SIZE } from '@sgfree/hw-model';
import { Errno } from '../errno.ts';
import { failure, type Outcome, success } from '../outcome.ts';
import { ProcessMemory } from './process-memory.ts';
import { duplicateFolio, replaceFolio, showFolio } from './user-fault.ts';
import type { UserFolio } from './user-folio.ts';
import type { VmArea } from './vm-area.ts';

/**
 * Unmaps `length` bytes from `start`, whole pages and whole huge pages: 0 or -EINVAL when they are not.
 * @public
 * @kernel vm_munmap
 */
export function* vmMunmap(mm: ProcessMemory, start: number, length: number): ModelTask<number> {
  const end = start + length;
  if (offsetWithin(start, PAGE_SIZE) !== 0 || length <= 0 || offsetWithin(length, PAGE_SIZE) !== 0)
    return -Errno.EINVAL;
  if (cutsHugePages(mm, start, end)) return -Errno.EINVAL;
  yield* mm.mmapLock.writeLock();
  yield* zapRange(mm, start, end);
  for (const area of mm.areas.splice(0)) keepOutside(mm.areas, area, start, end);
  mm.mmapLock.writeUnlock();
  return 0;
}

/** True when the bytes `start` to `end` begin or end within a huge page. */
const cutsHugePages = ({ areas }: ProcessMemory, start: number, end: number): boolean =>
  areas.some((area) => cutsHugePage(area, start) || cutsHugePage(area, end));

/** True when `address` lies within a huge page of the area. */
const cutsHugePage = (area: VmArea, address: number): boolean =>
  area.order > 0 &&
  address > area.start &&
  address < area.end &&
  offsetWithin(address, PAGE_SIZE * 2 ** area.order) !== 0;

/** What of `area` lies outside the bytes `start` to `end`. */
function keepOutside(areas: VmArea[], area: VmArea, start: number, end: number): void {
  if (end <= area.start || area.end <= start) {
    areas.push(area);
    return;
  }
  if (area.start < start) areas.push({ ...area, end: start });
  if (end < area.end) areas.push({ ...area, start: end });
}

/**
 * Throws the pages of a range away, the addresses stay (`MADV_DONTNEED`): 0, or -EINVAL when it cuts a huge page. With
 * `blockable` false, as the OOM reaper does it: -EAGAIN when a watcher would have to sleep, and nothing changes.
 * @public
 */
export function* zapPageRange(
  mm: ProcessMemory,
  start: number,
  length: number,
  blockable = true,
): ModelTask<number> {
  if (cutsHugePages(mm, start, start + length)) return -Errno.EINVAL;
  yield* mm.mmapLock.readLock();
  const error = yield* zapRange(mm, start, start + length, blockable);
  mm.mmapLock.readUnlock();
  return error;
}

function* zapRange(mm: ProcessMemory, start: number, end: number, blockable = true): ModelTask<number> {
  const error = yield* mm.notifiers.invalidateStart({ start, end, blockable });
  if (error !== 0) return error;
  const last = Math.ceil(end / PAGE_SIZE);
  for (let page = Math.floor(start / PAGE_SIZE); page < last; page += 1) mm.clearPte(page);
  mm.notifiers.invalidateEnd();
  return 0;
}

/**
 * The process ends: its memory is unmapped; pins keep their pages.
 * @public
 * @kernel exit_mmap
 */
export function* exitMmap(mm: ProcessMemory): ModelTask<void> {
  mm.users = 0;
  for (const { start, end } of [...mm.areas]) yield* vmMunmap(mm, start, end - start);
}

/**
 * A child with the same memory: shared until written, pinned pages copied at once. -ENOMEM with no child left behind.
 * @public
 * @kernel dup_mm
 */
export function* dupMm(mm: ProcessMemory): ModelTask<Outcome<ProcessMemory>> {
  const child = new ProcessMemory({
    memory: mm.memory,
    pages: mm.pages,
    frames: mm.frames,
    scheduler: mm.scheduler,
    rlimitMemlock: mm.rlimitMemlock,
    capIpcLock: mm.capIpcLock,
  });
  yield* mm.mmapLock.writeLock();
  let failed = false;
  for (const area of mm.areas) {
    yield* mm.notifiers.invalidateStart({ start: area.start, end: area.end, blockable: true });
    failed ||= !copyArea(mm, child, area);
    mm.notifiers.invalidateEnd();
  }
  mm.mmapLock.writeUnlock();
  if (!failed) return success(child);
  yield* exitMmap(child);
  return failure(Errno.ENOMEM);
}

function copyArea(mm: ProcessMemory, child: ProcessMemory, area: VmArea): boolean {
  child.areas.push(area);
  const step = 2 ** area.order;
  for (let page = area.start / PAGE_SIZE; page < area.end / PAGE_SIZE; page += step) {
    const pte = mm.ptes.get(page);
    if (pte !== undefined && !shareFolio(mm, child, area, page, pte.folio)) return false;
  }
  return true;
}

function shareFolio(
  mm: ProcessMemory,
  child: ProcessMemory,
  area: VmArea,
  head: number,
  folio: UserFolio,
): boolean {
  if (area.kind !== 'anonymous') {
    showFolio(child, head, folio, area.writable);
    return true;
  }
  if (folio.pins > 0) {
    const copy = duplicateFolio(mm, folio);
    if (copy !== null) showFolio(child, head, copy, area.writable);
    return copy !== null;
  }
  for (let page = 0; page < folio.frameCount; page += 1) {
    mm.ptes.set(head + page, { folio, frame: folio.frame + page, writable: false });
  }
  showFolio(child, head, folio, false);
  return true;
}

/**
 * Moves the page behind `address` to other frames. -EFAULT without a page, -EBUSY for a pinned or shared one, -ENOMEM.
 * @public
 */
export function* migratePage(mm: ProcessMemory, address: number): ModelTask<number> {
  yield* mm.mmapLock.readLock();
  const error = yield* moveFolio(mm, address);
  mm.mmapLock.readUnlock();
  return error;
}

function* moveFolio(mm: ProcessMemory, address: number): ModelTask<number> {
  const pte = mm.ptes.get(Math.floor(address / PAGE_SIZE));
  if (pte === undefined) return -Errno.EFAULT;
  const { folio } = pte;
  const start = (Math.floor(address / PAGE_SIZE) - (pte.frame - folio.frame)) * PAGE_SIZE;
  const end = start + folio.frameCount * PAGE_SIZE;
  yield* mm.notifiers.invalidateStart({ start, end, blockable: true });
  const moved = mm.ptes.get(Math.floor(address / PAGE_SIZE)) !== pte;
  const held = moved || folio.pins > 0 || folio.mapCount > folio.frameCount;
  // The copy is taken only now: until here devices may still have written.
  const copy = held ? null : duplicateFolio(mm, folio);
  if (copy !== null) {
    copy.dirty = folio.dirty;
    replaceFolio(mm, start / PAGE_SIZE, copy, pte.writable);
  }
  mm.notifiers.invalidateEnd();
  if (held) return -Errno.EBUSY;
  return copy === null ? -Errno.ENOMEM : 0;
}

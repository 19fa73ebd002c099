// Changing the process: another one takes over the pins of every mapping, as after handing the context to a new program.
// Source followed: iommufd_ioas_change_process(), need_charge_update(), charge_current(), change_mm() in
// drivers/iommu/iommufd/ioas.c.
// Only pages of files can change hands: they need no addresses of the process.
// Simplified: none.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import type { IommufdProcess } from '../iommufd-process.ts';
import { chargePins } from '../pages/account-pins.ts';
import type { IoptPages } from '../pages/iopt-pages.ts';
import type { IoPagetable } from './io-pagetable.ts';

/**
 * `process` pays for all pages of the address spaces from now on: 0; -EBUSY for an area that is being made, -EINVAL for
 * pages that are not a file's, -ENOMEM when they are too many for it; then nothing changes.
 * @public
 */
export function* ioptChangeProcess(
  iopts: readonly IoPagetable[],
  process: IommufdProcess,
): ModelTask<number> {
  for (const iopt of iopts) yield* iopt.iovaRwsem.writeLock();
  const errno = changeLocked(iopts, process);
  for (const iopt of iopts) iopt.iovaRwsem.writeUnlock();
  return errno;
}

function changeLocked(iopts: readonly IoPagetable[], process: IommufdProcess): number {
  const all = new Set<IoptPages>();
  for (const { areas } of iopts) {
    for (const { pages } of areas.ranges) {
      if (pages === null) return -Errno.EBUSY;
      if (pages.source.type !== 'file') return -Errno.EINVAL;
      all.add(pages);
    }
  }
  // Pages that count against no limit stay charged to whoever pinned them.
  const moved = [...all].filter((pages) => pages.accountMode !== 'none' && pages.process !== process);
  return moveCharges(moved, process);
}

function moveCharges(moved: readonly IoptPages[], process: IommufdProcess): number {
  for (const [at, pages] of moved.entries()) {
    const errno = chargePins(process, pages.accountMode, pages.npinned);
    if (errno === 0) continue;
    for (const before of moved.slice(0, at)) chargePins(process, before.accountMode, -before.npinned);
    return errno;
  }
  for (const pages of moved) {
    chargePins(pages.process, pages.accountMode, -pages.npinned);
    pages.process = process;
  }
  return 0;
}

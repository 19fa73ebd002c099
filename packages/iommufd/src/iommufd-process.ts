// IommufdProcess: who pays for pinned pages: a process with its address space and its user.
// Source followed: iopt_alloc_pages and do_update_pinned in drivers/iommu/iommufd/pages.c; struct user_struct.
// Simplified: credentials are one capability of the address space (`capIpcLock`); a process has one task.

import { PAGE_SIZE } from '@sgfree/hw-model';
import type { ProcessMemory } from '@sgfree/mm';

/**
 * A user of the system, whose processes share one count of locked pages.
 * @public
 */
export class IommufdUser {
  /** Pages (`user->locked_vm`). */
  lockedVm = 0;
}

/**
 * How pinned pages are counted: not at all against a limit, against the user's, or against the address space's.
 * @public
 */
export type IoptAccountMode = 'none' | 'user' | 'mm';

/**
 * A process that maps memory.
 * @public
 */
export class IommufdProcess {
  readonly mm: ProcessMemory;
  readonly user: IommufdUser;
  /** Pages locked by the address space (`mm->locked_vm`). */
  lockedVm = 0;

  constructor(mm: ProcessMemory, user: IommufdUser = new IommufdUser()) {
    this.mm = mm;
    this.user = user;
  }

  /** RLIMIT_MEMLOCK in whole pages. */
  get lockLimit(): number {
    return Math.floor(this.mm.rlimitMemlock / PAGE_SIZE);
  }
}

// Large pages of an address space, which a tool can forbid so that every page is mapped by itself.
// Source followed: iopt_enable_large_pages(), iopt_disable_large_pages() in drivers/iommu/iommufd/io_pagetable.c.
// Simplified: none.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import type { IoPagetable } from './io-pagetable.ts';
import { ioptCalculateIovaAlignment } from './table-domains.ts';

/**
 * Allows large pages again; 0.
 * @kernel iopt_enable_large_pages
 * @public
 */
export function* ioptEnableLargePages(iopt: IoPagetable): ModelTask<number> {
  return yield* setLargePages(iopt, (table) => {
    table.disableLargePages = false;
    return ioptCalculateIovaAlignment(table);
  });
}

/**
 * Forbids large pages; 0, -EINVAL when areas are mapped in domains already, -EADDRINUSE when an area does not consist of
 * whole pages.
 * @kernel iopt_disable_large_pages
 * @public
 */
export function* ioptDisableLargePages(iopt: IoPagetable): ModelTask<number> {
  return yield* setLargePages(iopt, (table) => {
    if (table.disableLargePages) return 0;
    if (table.domains.length > 0 && table.areas.ranges.length > 0) return -Errno.EINVAL;
    table.disableLargePages = true;
    const errno = ioptCalculateIovaAlignment(table);
    if (errno !== 0) table.disableLargePages = false;
    return errno;
  });
}

function* setLargePages(iopt: IoPagetable, change: (iopt: IoPagetable) => number): ModelTask<number> {
  yield* iopt.domainsRwsem.writeLock();
  yield* iopt.iovaRwsem.writeLock();
  const errno = change(iopt);
  iopt.iovaRwsem.writeUnlock();
  iopt.domainsRwsem.writeUnlock();
  return errno;
}

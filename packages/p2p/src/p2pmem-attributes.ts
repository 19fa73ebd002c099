// P2pmemAttributes: what sysfs shows of a function's registered pages (group `p2pmem`, there from the first pool on).
// Source followed: drivers/pci/p2pdma.c (size_show, available_show, published_show).
// The fourth attribute, `allocate`, is mapped and not read: see p2pmem-mmap.ts.
// Simplified: texts only; who may open them is not decided here.

import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import type { PciDev } from './pci-dev.ts';

/**
 * The attributes that can be read: bytes of the pool, free bytes of it, whether others may find it.
 * @public
 */
export type P2pmemAttribute = 'size' | 'available' | 'published';

/**
 * The text of an attribute. Error: ENOENT while there is no pool, and so no group.
 * @public
 */
export function p2pmemShow({ p2pdma }: PciDev, attribute: P2pmemAttribute): Outcome<string> {
  const pool = p2pdma?.pool ?? null;
  if (p2pdma === null || pool === null) return failure(Errno.ENOENT);
  if (attribute === 'published') return success(p2pdma.p2pmemPublished ? '1\n' : '0\n');
  return success(`${attribute === 'size' ? pool.size : pool.available}\n`);
}

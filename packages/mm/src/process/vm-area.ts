// VmArea: a range of user addresses with one kind of memory behind it, and the page-table entries of a process.
// Source followed: include/linux/mm_types.h (struct vm_area_struct); the flags that pinning looks at (mm/gup.c).
// Simplified: neighbouring areas are never merged; user addresses are plain numbers below 2^47.

import type { UserFolio } from './user-folio.ts';

/**
 * What stands behind an area: anonymous memory, a peer's BAR with pages (`pci-p2pdma`), or a BAR without pages (`io`).
 * @public
 */
export type VmAreaKind = 'anonymous' | 'pci-p2pdma' | 'io';

/**
 * An area of user addresses, page aligned.
 * @public
 */
export interface VmArea {
  readonly start: number;
  /** One past the last byte. */
  readonly end: number;
  readonly kind: VmAreaKind;
  readonly writable: boolean;
  /** Order of the folios that faults bring: 0, or 9 for huge pages. */
  readonly order: number;
}

/**
 * What a page-table entry of a process shows.
 * @public
 */
export interface UserPte {
  readonly folio: UserFolio;
  readonly frame: number;
  /** False also where a write shall get a copy first. */
  readonly writable: boolean;
}

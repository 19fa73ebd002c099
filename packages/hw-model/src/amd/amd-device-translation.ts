// AmdDeviceTranslation: what the device table says about one function, as the unit caches it.
// Source followed: AMD I/O Virtualization Technology specification 2.2.2 (device table), tables of the entry's fields.
// Simplified: no guest translation (GV), no interrupt fields, no exclusion range.

/**
 * How requests of a function are treated: let through as if there were no unit (V clear), let through where IR and IW
 * permit (no translation), or sent through page tables.
 * @public
 */
export type AmdTranslationKind = 'untranslated' | 'identity' | 'paging';

/**
 * The cached entry of one function.
 * @public
 */
export interface AmdDeviceTranslation {
  readonly deviceId: number;
  readonly kind: AmdTranslationKind;
  /** Domain id that tags every cached translation. */
  readonly domain: number;
  /** Page frame of the top page table. */
  readonly rootFrame: number;
  /** Level of the top table: Mode - 1. */
  readonly topLevel: number;
  /** First page frame that the top table does not decode. */
  readonly limitFrame: number;
  /** IR and IW as ACCESS_READ and ACCESS_WRITE. */
  readonly permissions: number;
  /** HAD: the leaf that translates a request is marked accessed. */
  readonly marksAccessed: boolean;
  /** HAD: the leaf that translates a write is marked dirty. */
  readonly marksDirty: boolean;
  /** SA: page faults of this function leave no event. */
  readonly suppressAll: boolean;
  /** SE: only the first page fault does, until the entry is read again. */
  readonly suppressLater: boolean;
  /** A page fault has been logged since the entry was read. */
  faultLogged: boolean;
}

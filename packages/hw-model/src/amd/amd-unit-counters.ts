// AmdUnitCounters: what an AMD-Vi unit did, as plain numbers that stage reports add up.
// Source followed: the commands of AMD I/O Virtualization Technology specification 2.4 by kind; hardware has no such
// counters but can be watched from outside in the same terms.
// Simplified: counters never wrap and are never reset by hardware.

/**
 * Counters of one unit.
 * @public
 */
export interface AmdUnitCounters {
  /** Requests that came while the unit was on, interrupt messages not counted. */
  translations: number;
  /** Of these, passed on unchanged because the device's entry is not valid, or valid without translation. */
  untranslated: number;
  passThrough: number;
  iotlbHits: number;
  iotlbMisses: number;
  /** Page-table walks, and the table entries they read. */
  walks: number;
  tableReads: number;
  /** Walks that could start below the top table. */
  pagingCacheHits: number;
  /** Reads of the device table. */
  deviceLookups: number;
  /** Faults met, logged or not. */
  faults: number;
  /** Events written to the log, and those that found it full. */
  eventsLogged: number;
  eventsLost: number;
  /** Commands by kind; `pagesAll` are those of `pages` that name the whole space. */
  deviceEntry: number;
  pages: number;
  pagesAll: number;
  deviceTlb: number;
  interruptTable: number;
  pprResponses: number;
  invalidateAll: number;
  waits: number;
  /** Invalidation commands that a planted fault made ineffective. */
  droppedInvalidations: number;
}

/**
 * Counters at zero.
 * @public
 */
export const newAmdUnitCounters = (): AmdUnitCounters => ({
  translations: 0,
  untranslated: 0,
  passThrough: 0,
  iotlbHits: 0,
  iotlbMisses: 0,
  walks: 0,
  tableReads: 0,
  pagingCacheHits: 0,
  deviceLookups: 0,
  faults: 0,
  eventsLogged: 0,
  eventsLost: 0,
  deviceEntry: 0,
  pages: 0,
  pagesAll: 0,
  deviceTlb: 0,
  interruptTable: 0,
  pprResponses: 0,
  invalidateAll: 0,
  waits: 0,
  droppedInvalidations: 0,
});

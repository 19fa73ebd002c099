// VtdUnitCounters: what a unit did, as plain numbers that stage reports add up.
// Source followed: the invalidation commands of VT-d specification 6.5.2 by kind and granularity; hardware has no such
// counters but can be watched from outside in the same terms.
// Simplified: counters never wrap and are never reset by hardware.

/**
 * Counters of one unit.
 * @public
 */
export interface VtdUnitCounters {
  /** Requests that came while translation was on. */
  translations: number;
  /** Of these, passed on unchanged because the device tables say pass-through. */
  passThrough: number;
  iotlbHits: number;
  iotlbMisses: number;
  /** Page-table walks, and the table entries they read. */
  walks: number;
  tableReads: number;
  /** Walks that could start below the top table. */
  pagingCacheHits: number;
  /** Reads of root and context (or PASID) tables. */
  contextLookups: number;
  /** Faults met, recorded or not. */
  faults: number;
  /** Invalidation commands by kind and granularity. */
  contextGlobal: number;
  contextDomain: number;
  contextDevice: number;
  iotlbGlobal: number;
  iotlbDomain: number;
  iotlbPage: number;
  pasidCache: number;
  deviceTlb: number;
  interruptEntry: number;
  /** GCMD.WBF commands. */
  writeBufferFlushes: number;
  /** Wait descriptors completed. */
  waits: number;
  /** Invalidation commands that a planted fault made ineffective. */
  droppedInvalidations: number;
}

/**
 * Counters at zero.
 * @public
 */
export const newVtdUnitCounters = (): VtdUnitCounters => ({
  translations: 0,
  passThrough: 0,
  iotlbHits: 0,
  iotlbMisses: 0,
  walks: 0,
  tableReads: 0,
  pagingCacheHits: 0,
  contextLookups: 0,
  faults: 0,
  contextGlobal: 0,
  contextDomain: 0,
  contextDevice: 0,
  iotlbGlobal: 0,
  iotlbDomain: 0,
  iotlbPage: 0,
  pasidCache: 0,
  deviceTlb: 0,
  interruptEntry: 0,
  writeBufferFlushes: 0,
  waits: 0,
  droppedInvalidations: 0,
});

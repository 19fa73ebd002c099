// FlushTarget: the unit that a cache tag names: who executes invalidations and where they are written down.
// Source followed: the parts of struct intel_iommu that drivers/iommu/intel/cache.c and pasid.c use.
// Simplified: queued invalidation only; units without a queue are not modelled.

import type { EventLog, VtdUnit } from '@sgfree/hw-model';
import type { QiBatch } from './qi-batch.ts';
import type { QiQueue } from './qi-queue.ts';

/**
 * A unit as the flush code sees it.
 * @internal
 */
export interface FlushTarget {
  readonly unit: VtdUnit;
  readonly qi: QiQueue;
  readonly batch: QiBatch;
  readonly log: EventLog;
}

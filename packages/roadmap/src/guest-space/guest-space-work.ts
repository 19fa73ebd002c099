// The counters of the unit and of the guest's page table as they stand.
// Source followed: as for every stage: page-table entries, invalidations and waits.
// Simplified: one page table; iommufd has no IOVA allocator of the DMA layer.

import type { VtdUnit } from '@sgfree/hw-model';
import type { PagingDomain } from '@sgfree/iommu';
import { NO_WORK, type WorkCounts } from '../work-counts.ts';

/** @param domain - the guest's page table; null: there is none yet. @internal */
export function sampleGuestWork({ counters }: VtdUnit, domain: PagingDomain | null): WorkCounts {
  return {
    ...NO_WORK,
    mapCalls: domain?.mapCalls ?? 0,
    unmapCalls: domain?.unmapCalls ?? 0,
    entriesWritten: domain?.table.entriesWritten ?? 0,
    entriesCleared: domain?.table.entriesCleared ?? 0,
    invalidationCommands: counters.iotlbPage + counters.iotlbDomain + counters.iotlbGlobal,
    invalidationWaits: counters.waits,
  };
}

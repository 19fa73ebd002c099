// DomainWork: what the page tables behind one IOMMU unit have cost so far, and what stands in them.
// Source followed: none; the counters are those of the unit and of each paging domain.
// Simplified: one unit; what the DMA layer does above the domains (IOVAs, struct pages) is for its owner to add.

import type { VtdUnit } from '@sgfree/hw-model';
import type { PagingDomain } from '@sgfree/iommu';
import { NO_WORK, type WorkCounts } from './work-counts.ts';

/** Leaf entries that stand in the page table of `domain`, read from simulated memory. @internal */
export function leafCount({ table }: PagingDomain): number {
  let leaves = 0;
  table.visitLeaves(() => {
    leaves += 1;
  });
  return leaves;
}

/** The counters of `unit` (null: nothing translates) and of `domains` as they stand. @internal */
export function sampleDomainWork(unit: VtdUnit | null, domains: readonly PagingDomain[]): WorkCounts {
  if (unit === null) return NO_WORK;
  const { iotlbPage, iotlbDomain, iotlbGlobal, waits } = unit.counters;
  const sum = (figure: (domain: PagingDomain) => number): number =>
    domains.reduce((total, domain) => total + figure(domain), 0);
  return {
    ...NO_WORK,
    mapCalls: sum(({ mapCalls }) => mapCalls),
    unmapCalls: sum(({ unmapCalls }) => unmapCalls),
    entriesWritten: sum(({ table }) => table.entriesWritten),
    entriesCleared: sum(({ table }) => table.entriesCleared),
    invalidationCommands: iotlbPage + iotlbDomain + iotlbGlobal,
    invalidationWaits: waits,
  };
}

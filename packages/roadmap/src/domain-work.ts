// DomainWork: what the page tables behind one IOMMU unit have cost so far, and what stands in them.
// Source followed: none; the counters are those of the unit and of each paging domain.
// Simplified: one unit; what the DMA layer does above the domains (IOVAs, struct pages) is for its owner to add.

import type { VtdUnit } from '@sgfree/hw-model';
import type { PagingDomain } from '@sgfree/iommu';
import type { WorkCounts } from './work-counts.ts';

/** What unit and tables count. IOVAs and struct pages are counted above them: a zero here would be a claim that nobody made. @internal */
export type DomainWork = Omit<WorkCounts, 'iovaAllocations' | 'structPagesTouched'>;

const NO_DOMAIN_WORK: DomainWork = {
  mapCalls: 0,
  unmapCalls: 0,
  entriesWritten: 0,
  entriesCleared: 0,
  invalidationCommands: 0,
  invalidationWaits: 0,
};

/** Leaf entries that stand in the page table of `domain`, read from simulated memory. @internal */
export function leafCount({ table }: PagingDomain): number {
  let leaves = 0;
  table.visitLeaves(() => {
    leaves += 1;
  });
  return leaves;
}

/** The counters of `unit` (null: nothing translates) and of `domains` as they stand. @internal */
export function sampleDomainWork(unit: VtdUnit | null, domains: readonly PagingDomain[]): DomainWork {
  if (unit === null) return NO_DOMAIN_WORK;
  const { iotlbPage, iotlbDomain, iotlbGlobal, waits } = unit.counters;
  const sum = (figure: (domain: PagingDomain) => number): number =>
    domains.reduce((total, domain) => total + figure(domain), 0);
  return {
    mapCalls: sum(({ mapCalls }) => mapCalls),
    unmapCalls: sum(({ unmapCalls }) => unmapCalls),
    entriesWritten: sum(({ table }) => table.entriesWritten),
    entriesCleared: sum(({ table }) => table.entriesCleared),
    invalidationCommands: iotlbPage + iotlbDomain + iotlbGlobal,
    invalidationWaits: waits,
  };
}

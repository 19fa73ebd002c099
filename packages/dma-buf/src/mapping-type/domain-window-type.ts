// The mapping type of domain windows: an importer names a page table and a place in it, and the exporter, or the core for it,
// shows its memory there. The importer never learns where that memory lies.
// Source followed: our own, from the review of the RFC: the exporter maps its backing into a given IOMMU domain at an IOVA, an
// offset and a size (C. König); iommufd offers its domain and only the core sees both sides (J. Gunthorpe).
// Simplified: none.

import type { ModelTask } from '@sgfree/hw-model';
import type { PagingDomain } from '@sgfree/iommu';
import type { Outcome } from '@sgfree/mm';
import type { DmaBufAttachment } from '../buffer/dma-buf-attachment.ts';
import type { DmaBufMappingMatch, DmaBufMappingType } from './mapping-match.ts';
import { plainMappingType } from './plain-mapping-type.ts';

/**
 * Which bytes of a buffer an importer wants to be shown, and where.
 * @beta
 */
export interface DmaBufDomainWindow {
  readonly domain: PagingDomain;
  /** Units of the page table in 4 KiB: 1, or more for a domain whose pages are smaller. */
  readonly unitsPerPage: number;
  /** The IOVA of the first byte: its page of 4 KiB, and the byte in that. */
  readonly iovaPage: number;
  readonly iovaByte: number;
  /** The first byte within the buffer, and how many. */
  readonly offset: number;
  readonly length: number;
  /** IOMMU_READ and IOMMU_WRITE bits; the memory is a device's whatever they say, and never cached. */
  readonly prot: number;
  /** No page larger than 4 KiB may be used. */
  readonly smallPages: boolean;
}

/**
 * A window that is shown. What more there is to it is its maker's.
 * @beta
 */
export interface DmaBufDomainMapping {
  readonly window: DmaBufDomainWindow;
}

/**
 * What an exporter does for windows; all with the reservation lock held.
 * @beta
 */
export interface DmaBufDomainExpOps {
  /** 0 when windows can be shown now, else the errno that showing one would give. */
  domainReady(attach: DmaBufAttachment<unknown>): ModelTask<number>;
  /** All of the window or nothing. The window lies within the buffer. */
  mapDomain(
    attach: DmaBufAttachment<unknown>,
    window: DmaBufDomainWindow,
  ): ModelTask<Outcome<DmaBufDomainMapping>>;
  /** When this returns nothing is left in the page table or in what hardware remembers of it. */
  unmapDomain(attach: DmaBufAttachment<unknown>, mapping: DmaBufDomainMapping): ModelTask<void>;
}

/**
 * The mapping type of domain windows. It has no condition.
 * @alpha
 */
export const dmaBufDomainWindowType: DmaBufMappingType = plainMappingType('IOMMU Domain Window');

/**
 * The offer of an exporter that shows its memory itself.
 * @alpha
 */
export const domainExporterMatch = (ops: DmaBufDomainExpOps): DmaBufMappingMatch => ({
  type: dmaBufDomainWindowType,
  expOps: ops,
});

/**
 * The offer of an importer with page tables.
 * @alpha
 */
export const domainImporterMatch: DmaBufMappingMatch = { type: dmaBufDomainWindowType, expOps: null };

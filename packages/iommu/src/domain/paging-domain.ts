// PagingDomain: an address space of DMA, a page table and the driver that keeps the hardware's caches in step with it.
// Source followed: include/linux/iommu.h, struct iommu_domain with its type, geometry, iommu_domain_ops and iommu_dirty_ops.
// Simplified: generic_pt domains only; no fault handler, no nesting.

import { EventLog } from '@sgfree/hw-model';
import type { DirtyBits } from '../page-table/dirty-bits.ts';
import { IotlbGather } from '../page-table/iotlb-gather.ts';
import type { PageTable } from '../page-table/page-table.ts';
import { iommuIotlbSync } from './iommu-unmap.ts';

/**
 * What a domain is for: in-kernel DMA with immediate (`dma`) or queued (`dma-fq`) invalidation, or a caller of its own.
 * @public
 */
export type PagingDomainType = 'dma' | 'dma-fq' | 'unmanaged';

/**
 * What the driver of an IOMMU does for a paging domain.
 * @public
 */
export interface IommuDomainOps {
  /** Flushes what the gather holds; its tables are freed by the caller afterwards. */
  iotlbSync(domain: PagingDomain, gather: IotlbGather): void;
  /** Flushes the whole domain. */
  flushIotlbAll(domain: PagingDomain): void;
  /** After mapping, 0 or a negative errno; null: nothing to do. */
  readonly iotlbSyncMap: ((domain: PagingDomain, iovaFrame: number, frames: number) => number) | null;
  /** The domain is gone with its tables; absent: the driver keeps nothing for it. */
  domainFree?(domain: PagingDomain): void;
}

/**
 * What the driver of an IOMMU does for a domain whose hardware records writes.
 * @kernel iommu_dirty_ops
 * @public
 */
export interface IommuDirtyOps {
  /** Makes the hardware record writes, or stop; 0 or a negative errno. */
  setDirtyTracking(domain: PagingDomain, enable: boolean): number;
  /** Where it records them. */
  readonly bits: DirtyBits;
}

/**
 * The addresses a domain offers, as page frames, both inclusive.
 * @public
 */
export interface DomainGeometry {
  readonly apertureFirstFrame: number;
  readonly apertureLastFrame: number;
  /** Addresses outside are refused to DMA users. */
  readonly forceAperture: boolean;
}

/**
 * What a domain is made of.
 * @public
 */
export interface PagingDomainOptions {
  readonly table: PageTable;
  readonly ops: IommuDomainOps;
  /** Default null: the domain was not made to record writes. */
  readonly dirtyOps?: IommuDirtyOps | null;
  readonly type?: PagingDomainType;
  readonly geometry?: DomainGeometry;
  readonly log?: EventLog;
}

/**
 * A domain with a page table.
 * @public
 */
export class PagingDomain {
  readonly table: PageTable;
  readonly ops: IommuDomainOps;
  readonly dirtyOps: IommuDirtyOps | null;
  type: PagingDomainType;
  readonly geometry: DomainGeometry;
  readonly log: EventLog;
  /** Map events: calls of iommuMapNosync that reached the table. */
  mapCalls = 0;
  /** Unmap events, those that undo a failed map included. */
  unmapCalls = 0;
  /** Flushes that were handed to the driver. */
  syncCalls = 0;
  /** What a user of the domain gives up when it is freed; null = nothing. @internal */
  putCookie: (() => void) | null = null;
  /** The gather of unmap calls that flush before they return. */
  readonly ownGather: IotlbGather = new IotlbGather();

  constructor(options: PagingDomainOptions) {
    this.table = options.table;
    this.ops = options.ops;
    this.dirtyOps = options.dirtyOps ?? null;
    this.type = options.type ?? 'unmanaged';
    this.log = options.log ?? new EventLog();
    this.geometry = options.geometry ?? tableGeometry(options.table);
    this.table.iotlbSync = (gather) => iommuIotlbSync(this, gather);
  }

  /** Page sizes in use, one bit each. */
  get pgsizeBitmap(): number {
    return this.table.pgsizeBitmap;
  }
}

/** The lower half of a sign-extended space, else all that the width holds. */
function tableGeometry(table: PageTable): DomainGeometry {
  const bits = table.format.features.signExtend === true ? table.vaBits - 1 : table.vaBits;
  return { apertureFirstFrame: 0, apertureLastFrame: 2 ** (bits - 12) - 1, forceAperture: true };
}

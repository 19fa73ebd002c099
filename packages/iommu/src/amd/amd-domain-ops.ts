// AmdDomainOps: what the AMD driver does for a paging domain.
// Source followed: drivers/iommu/amd/iommu.c, amdv1_ops (iotlb_sync, iotlb_sync_map, flush_iotlb_all, free).
// Simplified: whether a domain has to flush after mapping is decided when it is made.

import type { IommuDomainOps, PagingDomain } from '../domain/paging-domain.ts';
import type { IotlbGather } from '../page-table/iotlb-gather.ts';
import type { ProtectionDomain } from './protection-domain.ts';
import type { ProtectionDomainIds } from './protection-domain-ids.ts';

/**
 * Driver side of one paging domain.
 * @internal
 */
export class AmdDomainOps implements IommuDomainOps {
  readonly protection: ProtectionDomain;
  /** Where the domain's id comes from: the machine it belongs to. */
  readonly ids: ProtectionDomainIds;
  readonly iotlbSyncMap: ((domain: PagingDomain, iovaFrame: number, frames: number) => number) | null;

  constructor(protection: ProtectionDomain, ids: ProtectionDomainIds, notPresentCache: boolean) {
    this.protection = protection;
    this.ids = ids;
    this.iotlbSyncMap = notPresentCache ? this.#syncMap.bind(this) : null;
  }

  /** The tables above the leaves are flushed only when some were taken out. */
  iotlbSync(_domain: PagingDomain, gather: IotlbGather): void {
    this.protection.flushPages(gather.startFrame, gather.endFrame, gather.freelist.length > 0);
  }

  flushIotlbAll(_domain: PagingDomain): void {
    this.protection.flushAll();
  }

  /** The id goes back when the domain is freed. */
  domainFree(_domain: PagingDomain): void {
    this.ids.release(this.protection.id);
  }

  #syncMap(_domain: PagingDomain, iovaFrame: number, frames: number): number {
    this.protection.flushPages(iovaFrame, iovaFrame + frames - 1, true);
    return 0;
  }
}

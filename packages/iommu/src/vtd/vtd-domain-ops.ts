// VtdDomainOps: what VT-d does for a paging domain, and what the domain is to each unit it is attached to.
// Source followed: drivers/iommu/intel/iommu.c, intel_fs_paging_domain_ops, intel_ss_paging_domain_ops,
// domain_attach_iommu() and domain_detach_iommu().
// Every flush is done when its call returns; a queue of deferred flushes calls flushIotlbAll.
// Simplified: whether a domain has to flush after mapping is decided by the unit it was made for.

import type { VtdCapabilities } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import type { IommuDomainOps, PagingDomain } from '../domain/paging-domain.ts';
import type { IotlbGather } from '../page-table/iotlb-gather.ts';
import { CacheTags } from './cache-tag.ts';
import type { DomainIds } from './domain-ids.ts';
import type { FlushTarget } from './flush-target.ts';
import type { PagingStage } from './paging-stage.ts';

interface UnitUse {
  readonly domainId: number;
  devices: number;
}

/**
 * Driver side of one paging domain.
 * @internal
 */
export class VtdDomainOps implements IommuDomainOps {
  readonly stage: PagingStage;
  readonly tags: CacheTags;
  readonly iotlbSyncMap: ((domain: PagingDomain, iovaFrame: number, frames: number) => number) | null;
  readonly #preferredId: number | null;
  readonly #units = new Map<FlushTarget, UnitUse>();

  /** `preferredId`: domain id to take while it is free, null = the lowest free one. */
  constructor(capabilities: VtdCapabilities, stage: PagingStage, preferredId: number | null) {
    this.stage = stage;
    this.#preferredId = preferredId;
    this.tags = new CacheTags(stage === 'first');
    const needed = capabilities.writeBufferFlush || (stage === 'second' && capabilities.cachingMode);
    this.iotlbSyncMap = needed ? this.#syncMap.bind(this) : null;
  }

  iotlbSync(_domain: PagingDomain, gather: IotlbGather): void {
    const { startFrame, startOffset, endFrame, endOffset, freelist } = gather;
    this.tags.flushRange(startFrame, startOffset, endFrame, endOffset, freelist.length === 0);
  }

  flushIotlbAll(_domain: PagingDomain): void {
    this.tags.flushAll();
  }

  /** Id of the domain in the unit of `target`; -1 when it is not attached there. */
  domainIdIn(target: FlushTarget): number {
    return this.#units.get(target)?.domainId ?? -1;
  }

  /** Counts one more device behind `target`; returns the domain id there, or -ENOSPC. */
  attachUnit(target: FlushTarget, ids: DomainIds): number {
    const use = this.#units.get(target);
    if (use !== undefined) {
      use.devices += 1;
      return use.domainId;
    }
    const domainId = ids.take(this.#preferredId);
    if (domainId < 0) return -Errno.ENOSPC;
    this.#units.set(target, { domainId, devices: 1 });
    return domainId;
  }

  /** Takes back one {@link VtdDomainOps.attachUnit}; the id goes back with the last device. */
  detachUnit(target: FlushTarget, ids: DomainIds): void {
    const use = this.#units.get(target);
    if (use === undefined) return;
    use.devices -= 1;
    if (use.devices > 0) return;
    this.#units.delete(target);
    ids.release(use.domainId);
  }

  #syncMap(_domain: PagingDomain, iovaFrame: number, frames: number): number {
    this.tags.flushRangeNp(iovaFrame, frames);
    return 0;
  }
}

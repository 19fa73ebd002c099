// VtdBoundDevice: a device behind a VT-d unit as a driver binds it: its page tables are the unit's second-stage tables.
// Source followed: what drivers/iommu/iommufd asks of drivers/iommu/intel/iommu.c (intel_iommu_domain_alloc_paging_flags,
// intel_iommu_attach_device, intel_iommu_get_resv_regions).
// Simplified: no nesting, no dirty tracking, no PASIDs; the devices of a group are attached one by one, all or none.

import type { ModelTask } from '@sgfree/hw-model';
import { type IntelIommu, iommuDomainFree, type ReservedRegion } from '@sgfree/iommu';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import type { IommufdBoundDevice, IommuUserData } from '../objects/bound-device.ts';
import { IommuGroup } from '../objects/iommu-group.ts';
import { IoptDomain } from './iopt-domain.ts';

/**
 * A device and the unit in front of it.
 * @public
 */
export interface VtdBoundDeviceOptions {
  readonly name: string;
  readonly iommu: IntelIommu;
  readonly requesterId: number;
  /** Devices that the unit cannot tell from it; default a group of its own. */
  readonly group?: IommuGroup;
  /** Requester ids of the whole group; default this device's. */
  readonly groupRequesterIds?: readonly number[];
}

/**
 * A device behind a VT-d unit.
 * @public
 */
export class VtdBoundDevice implements IommufdBoundDevice {
  readonly name: string;
  readonly group: IommuGroup;
  readonly reservedRegions: readonly ReservedRegion[];
  readonly cacheCoherent = true;
  readonly dirtyTracking = false;
  readonly iommuDriver: object;
  /** What the group's DMA goes through; null = blocked. */
  domain: IoptDomain | null = null;
  readonly #iommu: IntelIommu;
  readonly #requesterIds: readonly number[];

  constructor(options: VtdBoundDeviceOptions) {
    const { name, iommu, requesterId } = options;
    this.name = name;
    this.group = options.group ?? new IommuGroup(name);
    this.iommuDriver = iommu;
    this.reservedRegions = iommu.reservedRegions(requesterId);
    this.#iommu = iommu;
    this.#requesterIds = options.groupRequesterIds ?? [requesterId];
  }

  *allocPagingDomain(flags: number, data: IommuUserData | null): ModelTask<Outcome<IoptDomain>> {
    yield { at: 'vtd:alloc-domain' };
    if (flags !== 0 || data !== null) return failure(Errno.EOPNOTSUPP);
    const domain = this.#iommu.openPagingDomain(null, 'unmanaged');
    return domain.ok ? success(new IoptDomain(domain.value)) : domain;
  }

  freeDomain({ domain }: IoptDomain): void {
    iommuDomainFree(domain);
  }

  attachGroup(domain: IoptDomain): number {
    for (const requesterId of this.#requesterIds) {
      const errno = this.#iommu.attachDevice(domain.domain, requesterId);
      if (errno === 0) continue;
      this.detachGroup();
      return errno;
    }
    this.domain = domain;
    return 0;
  }

  detachGroup(): void {
    this.domain = null;
    for (const requesterId of this.#requesterIds) this.#iommu.detachDevice(requesterId);
  }
}

// AmdBoundDevice: a device behind an AMD-Vi unit as a driver binds it: its page tables are host (v1) tables, in which a unit that
// can do so records what the device writes.
// Source followed: what drivers/iommu/iommufd asks of drivers/iommu/amd/iommu.c (amd_iommu_domain_alloc_paging_flags,
// amd_iommu_attach_device, amd_iommu_get_resv_regions, amd_iommu_capable) and of iommufd.c beside it (amd_iommufd_hw_info).
// Simplified: no nesting, no PASIDs; the second feature register reads 0.

import type { ModelTask, RegisterPair } from '@sgfree/hw-model';
import type { AmdIommu } from '@sgfree/iommu';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import { IommuHwptAllocFlag, type IommuUserData } from '../objects/bound-device.ts';
import { IoptDomain } from './iopt-domain.ts';
import { UnitBoundDevice, type UnitBoundDeviceOptions } from './unit-bound-device.ts';

/** IOMMU_HW_INFO_TYPE_AMD. */
const AMD = 4;

/**
 * A device and the unit in front of it.
 * @public
 */
export type AmdBoundDeviceOptions = UnitBoundDeviceOptions<AmdIommu>;

/**
 * A device behind an AMD-Vi unit.
 * @public
 */
export class AmdBoundDevice extends UnitBoundDevice<AmdIommu> {
  get dirtyTracking(): boolean {
    return this.iommuDriver.dirtyTracking;
  }

  protected get hardware(): { readonly type: number; readonly registers: readonly RegisterPair[] } {
    return { type: AMD, registers: [this.iommuDriver.unit.features.extendedFeatures, [0, 0]] };
  }

  *allocPagingDomain(flags: number, data: IommuUserData | null): ModelTask<Outcome<IoptDomain>> {
    yield { at: 'amd:alloc-domain' };
    const { DIRTY_TRACKING } = IommuHwptAllocFlag;
    if ((flags & ~DIRTY_TRACKING) !== 0 || data !== null) return failure(Errno.EOPNOTSUPP);
    const domain = this.iommuDriver.openPagingDomain('unmanaged', (flags & DIRTY_TRACKING) !== 0);
    return domain.ok ? success(new IoptDomain(domain.value)) : domain;
  }
}

// VtdBoundDevice: a device behind a VT-d unit as a driver binds it: its page tables are the unit's second-stage tables.
// Source followed: what drivers/iommu/iommufd asks of drivers/iommu/intel/iommu.c (intel_iommu_domain_alloc_paging_flags,
// intel_iommu_attach_device, intel_iommu_get_resv_regions).
// Simplified: no nesting, no dirty tracking, no PASIDs.

import type { ModelTask } from '@sgfree/hw-model';
import type { IntelIommu } from '@sgfree/iommu';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import type { IommuUserData } from '../objects/bound-device.ts';
import { IoptDomain } from './iopt-domain.ts';
import { UnitBoundDevice, type UnitBoundDeviceOptions } from './unit-bound-device.ts';

/**
 * A device and the unit in front of it.
 * @public
 */
export type VtdBoundDeviceOptions = UnitBoundDeviceOptions<IntelIommu>;

/**
 * A device behind a VT-d unit.
 * @public
 */
export class VtdBoundDevice extends UnitBoundDevice<IntelIommu> {
  readonly dirtyTracking = false;

  *allocPagingDomain(flags: number, data: IommuUserData | null): ModelTask<Outcome<IoptDomain>> {
    yield { at: 'vtd:alloc-domain' };
    if (flags !== 0 || data !== null) return failure(Errno.EOPNOTSUPP);
    const domain = this.iommuDriver.openPagingDomain(null, 'unmanaged');
    return domain.ok ? success(new IoptDomain(domain.value)) : domain;
  }
}

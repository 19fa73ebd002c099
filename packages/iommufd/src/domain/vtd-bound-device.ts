// VtdBoundDevice: a device behind a VT-d unit as a driver binds it: its page tables are the unit's second-stage tables.
// Source followed: what drivers/iommu/iommufd asks of drivers/iommu/intel/iommu.c (intel_iommu_domain_alloc_paging_flags,
// intel_iommu_attach_device, intel_iommu_get_resv_regions, intel_iommu_hw_info).
// Simplified: no nesting, no dirty tracking, no PASIDs.

import type { ModelTask, RegisterPair } from '@sgfree/hw-model';
import type { IntelIommu } from '@sgfree/iommu';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import type { IommuUserData } from '../objects/bound-device.ts';
import { IoptDomain } from './iopt-domain.ts';
import { UnitBoundDevice, type UnitBoundDeviceOptions } from './unit-bound-device.ts';

/** IOMMU_HW_INFO_TYPE_INTEL_VTD. */
const VTD = 1;
/** No flags: no erratum of the hardware that user space would have to know. */
const NO_FLAGS: RegisterPair = [0, 0];

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

  protected get hardware(): { readonly type: number; readonly registers: readonly RegisterPair[] } {
    const { cap, ecap } = this.iommuDriver.unit.capabilities;
    return { type: VTD, registers: [NO_FLAGS, cap, ecap] };
  }

  *allocPagingDomain(flags: number, data: IommuUserData | null): ModelTask<Outcome<IoptDomain>> {
    yield { at: 'vtd:alloc-domain' };
    if (flags !== 0 || data !== null) return failure(Errno.EOPNOTSUPP);
    const domain = this.iommuDriver.openPagingDomain(null, 'unmanaged');
    return domain.ok ? success(new IoptDomain(domain.value)) : domain;
  }
}

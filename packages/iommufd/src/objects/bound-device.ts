// BoundDevice: what iommufd asks of a device that a driver binds to a context, and of the IOMMU driver behind it.
// Source followed: what drivers/iommu/iommufd/device.c and hw_pagetable.c call of struct iommu_ops, struct
// iommu_domain_ops and the group functions of drivers/iommu/iommu.c.
// Who builds the machine implements it: the drivers of this floor do not know each other.
// Simplified: no PASIDs; a group is attached and detached as a whole.

import type { ModelTask } from '@sgfree/hw-model';
import type { ReservedRegion } from '@sgfree/iommu';
import type { Outcome } from '@sgfree/mm';
import type { IoptDomain } from '../domain/iopt-domain.ts';
import type { IommuGroup } from './iommu-group.ts';

/**
 * Driver data of a page table, as user space hands it over.
 * @kernel iommu_user_data
 * @public
 */
export interface IommuUserData {
  readonly type: number;
  /** Bytes. */
  readonly length: number;
  /** The first `bytes.length` bytes; 0, -EFAULT or -ENOMEM. */
  read(bytes: Uint8Array): ModelTask<number>;
}

/**
 * What the IOMMU driver says of its hardware to user space.
 * @public
 */
export interface IommuHardwareInfo {
  /** Never 0. */
  readonly type: number;
  readonly data: Uint8Array;
}

/**
 * A device as its driver binds it.
 * @public
 */
export interface IommufdBoundDevice {
  readonly name: string;
  readonly group: IommuGroup;
  /** IOVAs that the device or its bus claims. */
  readonly reservedRegions: readonly ReservedRegion[];
  /** Its DMA takes part in the coherence of the caches; a device without cannot be bound. */
  readonly cacheCoherent: boolean;
  /** Its IOMMU can record which pages are written. */
  readonly dirtyTracking: boolean;
  /** A device of a test, which goes away with the context; any other keeps the context open. Default false. */
  readonly selftest?: boolean;
  /** Identity of the IOMMU driver: page tables of another one do not fit. */
  readonly iommuDriver: object;
  /**
   * Makes a domain; `flags` are those of {@link IommuHwptAllocFlag} but for the fault queue's. -EOPNOTSUPP: flags or data
   * that this driver does not take; -ENOMEM.
   */
  allocPagingDomain(flags: number, data: IommuUserData | null): ModelTask<Outcome<IoptDomain>>;
  /** Frees a domain that nothing is attached to. */
  freeDomain(domain: IoptDomain): void;
  /** The group's DMA goes through `domain` from now on. -EINVAL: it does not fit the hardware; others. */
  attachGroup(domain: IoptDomain): number;
  /** The group's DMA is blocked from now on. */
  detachGroup(domain: IoptDomain): void;
  /** Makes the group's own table on top of a parent's; absent: the driver cannot nest. -EOPNOTSUPP, -EINVAL, -EFAULT. */
  allocNestedDomain?(parent: IoptDomain, flags: number, data: IommuUserData): ModelTask<Outcome<object>>;
  /** The group's DMA goes through a nested table. */
  attachGroupNested?(nested: object): number;
  /** Absent: the driver says nothing of its hardware. `wanted` is the type user space asks for, 0 = the driver's own. */
  hardwareInfo?(wanted: number): Outcome<IommuHardwareInfo>;
}

/**
 * Flags of a new page table.
 * @public
 */
export const IommuHwptAllocFlag = {
  NEST_PARENT: 1,
  DIRTY_TRACKING: 2,
  FAULT_ID_VALID: 4,
  PASID: 8,
} as const;

// IommuGroup: devices that the IOMMU cannot tell apart, and who directs their DMA.
// Source followed: struct iommu_group and the owner functions of drivers/iommu/iommu.c.
// Simplified: the owner is whoever claims first; default domains and their teardown are not this package's.

import { Errno } from '@sgfree/mm';

/**
 * Devices that the IOMMU cannot tell apart: they share one domain and one owner.
 * @kernel iommu_group
 * @public
 */
export class IommuGroup {
  readonly name: string;
  /** Who directs the DMA of the group; null = its kernel drivers. */
  owner: object | null = null;
  /** Claims of that owner. */
  ownerCount = 0;

  constructor(name: string) {
    this.name = name;
  }
}

/**
 * `owner` takes over the DMA of the group. -EPERM when another one has it.
 * @kernel iommu_device_claim_dma_owner
 * @public
 */
export function iommuDeviceClaimDmaOwner(group: IommuGroup, owner: object): number {
  if (group.ownerCount > 0 && group.owner !== owner) return -Errno.EPERM;
  group.owner = owner;
  group.ownerCount += 1;
  return 0;
}

/**
 * Gives a claim back.
 * @kernel iommu_device_release_dma_owner
 * @public
 */
export function iommuDeviceReleaseDmaOwner(group: IommuGroup): void {
  group.ownerCount -= 1;
  if (group.ownerCount === 0) group.owner = null;
}

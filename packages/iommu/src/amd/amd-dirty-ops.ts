// amdDirtyOps: what the AMD driver does for a domain that records writes: the bits stand in the host table, and device table
// entries say whether the units set them.
// Source followed: drivers/iommu/amd/iommu.c, amdv1_dirty_ops (amd_iommu_set_dirty_tracking).
// Simplified: none.

import type { PhysicalMemory } from '@sgfree/hw-model';
import type { IommuDirtyOps } from '../domain/paging-domain.ts';
import { DirtyBits } from '../page-table/dirty-bits.ts';
import type { PageTable } from '../page-table/page-table.ts';
import type { ProtectionDomain } from './protection-domain.ts';

/** @internal */
export function amdDirtyOps(
  protection: ProtectionDomain,
  table: PageTable,
  memory: PhysicalMemory,
): IommuDirtyOps {
  return {
    bits: new DirtyBits(table, memory),
    setDirtyTracking(_domain, enable) {
      protection.setDirtyTracking(enable);
      return 0;
    },
  };
}

// AMD page tables: the host table that a paging domain of the AMD driver starts with.
// Source followed: drivers/iommu/amd/iommu.c, amd_iommu_domain_alloc_paging_v1(); init.c for the levels of the machine.
// A table starts with three levels and grows; ranges are gathered over gaps except where a hypervisor would pay for them.
// Simplified: no guest (v2) tables; page sizes are not narrowed by the command line.

import { amdHostLevels, type PhysicalMemory, type RegisterPair } from '@sgfree/hw-model';
import type { FrameAllocator, Outcome } from '@sgfree/mm';
import { AmdV1Format } from '../page-table/formats/amd-v1.ts';
import { PageTable } from '../page-table/page-table.ts';

const MAX_OUTPUT_BITS = 52;
const START_LEVEL = 2;

/**
 * Address bits of tables on a machine whose firmware reports the feature register `extendedFeatures`: 48, 57 or 64; 0 =
 * no host tables. Firmware that reports none (an IVHD block of type 10h) gives 48 whatever the unit could do.
 * @public
 */
export function amdAddressBits(extendedFeatures: RegisterPair): number {
  const levels = amdHostLevels(extendedFeatures);
  return levels === 0 ? 0 : Math.min(64, (levels - 1) * 9 + 21);
}

/**
 * A new table for addresses of `vaBits`, or -ENOMEM.
 * @internal
 */
export function openAmdPageTable(
  memory: PhysicalMemory,
  frames: FrameAllocator,
  vaBits: number,
  notPresentCache: boolean,
): Outcome<PageTable> {
  const flush = notPresentCache ? { flushRangeNoGaps: true } : { flushRange: true };
  const format = new AmdV1Format({ dynamicTop: true, forceCoherence: true, ...flush });
  return PageTable.open({ format, memory, frames, vaBits, oaBits: MAX_OUTPUT_BITS, topLevel: START_LEVEL });
}

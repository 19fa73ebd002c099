// Paging stage: which kind of page table a unit calls for, and that table.
// Source followed: drivers/iommu/intel/iommu.c, intel_iommu_domain_alloc_first_stage() and _second_stage(),
// compute_vasz_lg2_fs(), iommu_paging_structure_coherency().
// First-stage tables (x86-64) are used in scalable mode where the unit has them, second-stage tables everywhere else.
// Simplified: no nesting parents and no dirty tracking, which would force the second stage.

import type { PhysicalMemory, VtdCapabilities } from '@sgfree/hw-model';
import { Errno, type FrameAllocator, failure, type Outcome } from '@sgfree/mm';
import { VtdSecondStageFormat } from '../page-table/formats/vtd-second-stage.ts';
import { X8664Format } from '../page-table/formats/x86-64.ts';
import { PageTable } from '../page-table/page-table.ts';
import type { TableMemory } from '../page-table/table-memory.ts';
import { secondStageGeometry } from './second-stage-geometry.ts';

/**
 * Which of the two kinds of table translates a domain's addresses.
 * @public
 */
export type PagingStage = 'first' | 'second';

const MAX_OUTPUT_BITS = 52;
const FIRST_STAGE_SIZES = 0x201000;
const GIGABYTE = 0x40000000;

/**
 * The stage that a unit's paging domains use.
 * @internal
 */
export const pagingStage = (capabilities: VtdCapabilities, scalable: boolean): PagingStage =>
  scalable && capabilities.scalableFirstStage ? 'first' : 'second';

/**
 * True when the unit's page walks see what is in the processor's caches.
 * @internal
 */
export const walksAreCoherent = (capabilities: VtdCapabilities, scalable: boolean): boolean =>
  scalable ? capabilities.scalableCoherent : capabilities.coherent;

/**
 * A new page table as `capabilities` call for; -EOPNOTSUPP when the unit has no stage that can be used, -ENOMEM.
 * @internal
 */
export function openPageTable(
  capabilities: VtdCapabilities,
  scalable: boolean,
  memory: PhysicalMemory,
  frames: FrameAllocator,
  tableMemory: TableMemory | null = null,
): Outcome<PageTable> {
  const features = { flushRange: true, dmaIncoherent: !walksAreCoherent(capabilities, scalable) };
  const common = { memory, frames, tableMemory, oaBits: MAX_OUTPUT_BITS };
  if (pagingStage(capabilities, scalable) === 'first') {
    const fiveLevels = capabilities.maxGuestWidth > 48 && capabilities.firstStage5Level;
    return PageTable.open({
      ...common,
      format: new X8664Format({ ...features, signExtend: true }),
      vaBits: Math.min(fiveLevels ? 57 : 48, capabilities.maxGuestWidth),
      topLevel: fiveLevels ? 4 : 3,
      pgsizeBitmap: FIRST_STAGE_SIZES + (capabilities.firstStageGigabyte ? GIGABYTE : 0),
    });
  }
  const geometry = secondStageGeometry(capabilities);
  if (geometry === null || (scalable && !capabilities.scalableSecondStage)) return failure(Errno.EOPNOTSUPP);
  return PageTable.open({
    ...common,
    format: new VtdSecondStageFormat(features),
    vaBits: geometry.addressBits,
    topLevel: geometry.levels - 1,
    pgsizeBitmap: geometry.pgsizeBitmap,
  });
}

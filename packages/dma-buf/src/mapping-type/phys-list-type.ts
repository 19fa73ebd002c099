// The mapping type of physical address lists: the exporter says where its memory lies, and whoever is told programs an IOMMU
// or a table of its own with it. No DMA address: routes and bus offsets have not been applied.
// Source followed: the RFC's PAL type, "Physical Address List". Each exporter may offer it; its importer calls are exported to
// the module iommufd alone, here through the entry `iommufd`, which no other package may import.
// Simplified: none.

import type { ModelTask } from '@sgfree/hw-model';
import type { Outcome } from '@sgfree/mm';
import type { DmaBufAttachment } from '../buffer/dma-buf-attachment.ts';
import type { PhysVec } from '../phys-vec.ts';
import type { DmaBufMappingMatch, DmaBufMappingType } from './mapping-match.ts';
import { plainMappingType } from './plain-mapping-type.ts';

/**
 * The physical ranges of a buffer in the order of its bytes; all of it is device memory. The exporter's until it is given back.
 * @kernel dma_buf_phys_list
 * @alpha
 */
export interface DmaBufPhysList {
  readonly phys: readonly PhysVec[];
}

/**
 * What an exporter does for physical lists; both with the reservation lock held. It knows no device.
 * @kernel dma_buf_mapping_pal_exp_ops
 * @alpha
 */
export interface DmaBufMappingPalExpOps {
  mapPhys(attach: DmaBufAttachment<DmaBufPhysList>): ModelTask<Outcome<DmaBufPhysList>>;
  unmapPhys(attach: DmaBufAttachment<DmaBufPhysList>, list: DmaBufPhysList): ModelTask<void>;
}

/**
 * The mapping type of physical address lists. It has no condition.
 * @kernel dma_buf_mapping_pal_type
 * @alpha
 */
export const dmaBufMappingPalType: DmaBufMappingType = plainMappingType('Physical Address List');

/**
 * An exporter's offer.
 * @alpha
 */
export const palExporterMatch = (ops: DmaBufMappingPalExpOps): DmaBufMappingMatch => ({
  type: dmaBufMappingPalType,
  expOps: ops,
});

// The importer's half of physical address lists.
// Source followed: the RFC (dma_buf_pal_map_phys, exported to iommufd only, and dma_buf_pal_unmap_phys).
// Simplified: none.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, warnViolation } from '@sgfree/mm';
import type { DmaBufAttachment } from '../buffer/dma-buf-attachment.ts';
import { needsLock } from '../buffer/lock-rules.ts';
import { mapTypeOf } from './mapping-attachment.ts';
import type { DmaBufMappingMatch } from './mapping-match.ts';
import { takePhysList } from './phys-list-taken.ts';
import { type DmaBufMappingPalExpOps, type DmaBufPhysList, dmaBufMappingPalType } from './phys-list-type.ts';

/**
 * iommufd's offer: it takes physical lists of whoever has them.
 * @alpha
 */
export const palImporterMatch: DmaBufMappingMatch = { type: dmaBufMappingPalType, expOps: null };

/**
 * The physical list of an attachment that agreed on one, with the reservation lock held. The errors of the exporter; -EINVAL for
 * another attachment (a violation `dma-buf-no-phys-list`) and for a list that is none (`dma-buf-phys-list`).
 * @kernel dma_buf_pal_map_phys
 * @alpha
 */
export function* dmaBufPalMapPhys(
  attach: DmaBufAttachment<DmaBufPhysList>,
): ModelTask<Outcome<DmaBufPhysList>> {
  const ops = opsOf(attach, 'dma_buf_pal_map_phys');
  if (ops === null) return failure(Errno.EINVAL);
  return yield* takePhysList(attach, ops);
}

/**
 * Gives a list back, with the reservation lock held.
 * @kernel dma_buf_pal_unmap_phys
 * @alpha
 */
export function* dmaBufPalUnmapPhys(
  attach: DmaBufAttachment<DmaBufPhysList>,
  list: DmaBufPhysList,
): ModelTask<void> {
  const ops = opsOf(attach, 'dma_buf_pal_unmap_phys');
  if (ops !== null) yield* ops.unmapPhys(attach, list);
}

function opsOf(attach: DmaBufAttachment<DmaBufPhysList>, call: string): DmaBufMappingPalExpOps | null {
  const { dmabuf } = attach;
  needsLock(dmabuf, call);
  const matched = mapTypeOf(attach);
  if (matched?.type === dmaBufMappingPalType) return matched.expOps as DmaBufMappingPalExpOps;
  warnViolation(dmabuf.platform.log, 'dma-buf-no-phys-list', { buffer: dmabuf.expName, call });
  return null;
}

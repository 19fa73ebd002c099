// Tables as one kind of mapping among several: offers, attach calls under their own names, and what an attachment agreed on.
// Source followed: the RFC's SGT type (its offers, dma_buf_sgt_attach, dma_buf_sgt_dynamic_attach, the accessors).
// Simplified: none.

import type { Device } from '@sgfree/dma-core';
import type { SgTable } from '@sgfree/dma-sg';
import type { ModelTask } from '@sgfree/hw-model';
import type { Outcome } from '@sgfree/mm';
import type { PciDev } from '@sgfree/p2p';
import type { DmaBuf } from '../buffer/dma-buf.ts';
import type { DmaBufAttachment } from '../buffer/dma-buf-attachment.ts';
import type { DmaBufAttachOps, DmaBufOps } from '../buffer/dma-buf-ops.ts';
import type { DmaBufMappingAttachment } from '../mapping-type/mapping-attachment.ts';
import type { DmaBufMappingMatch } from '../mapping-type/mapping-match.ts';
import {
  tableExporterMatch,
  tableImporterMatch,
  tableMatchOf,
  tableOpsOf,
} from '../mapping-type/sgt-type.ts';
import { attachTableImporter } from '../mapping-type/table-importer-attach.ts';

/**
 * What an exporter with mapping types does for tables; both with the reservation lock held.
 * @kernel dma_buf_mapping_sgt_exp_ops
 * @alpha
 */
export type DmaBufMappingSgtExpOps = Pick<DmaBufOps<SgTable>, 'mapDmaBuf' | 'unmapDmaBuf'>;

/**
 * An exporter's offer of tables. `peer` = the exporting device, which importers must reach by peer-to-peer DMA; null for memory
 * that every device reaches.
 * @alpha
 */
export const sgtExporterMatch = (ops: DmaBufMappingSgtExpOps, peer: PciDev | null): DmaBufMappingMatch =>
  tableExporterMatch<SgTable>(ops, peer);

/**
 * An importer's offer to take tables for `dev`.
 * @alpha
 */
export const sgtImporterMatch = (dev: Device, acceptsP2p: boolean): DmaBufMappingMatch =>
  tableImporterMatch(dev, acceptsP2p);

/**
 * Attaches an importer that takes tables and nothing else. -EINVAL without a device (a violation) or when the exporter has no
 * tables for it; otherwise as `dmaBufMappingAttach`.
 * @kernel dma_buf_sgt_dynamic_attach
 * @alpha
 */
export function* dmaBufSgtDynamicAttach(
  dmabuf: DmaBuf<SgTable>,
  dev: Device | null,
  importerOps: DmaBufAttachOps<SgTable> | null,
  importerPriv: unknown,
): ModelTask<Outcome<DmaBufMappingAttachment<SgTable>>> {
  return yield* attachTableImporter(dmabuf, dev, importerOps, importerPriv);
}

/**
 * {@link dmaBufSgtDynamicAttach} of a static importer, which takes no peer's memory.
 * @kernel dma_buf_sgt_attach
 * @alpha
 */
export function* dmaBufSgtAttach(
  dmabuf: DmaBuf<SgTable>,
  dev: Device | null,
): ModelTask<Outcome<DmaBufMappingAttachment<SgTable>>> {
  return yield* dmaBufSgtDynamicAttach(dmabuf, dev, null, null);
}

/**
 * The device that tables are made for; null for an attachment that agreed on something else.
 * @kernel dma_buf_sgt_dma_device
 * @alpha
 */
export const dmaBufSgtDmaDevice = <M>(attach: DmaBufAttachment<M>): Device | null =>
  tableMatchOf(attach)?.importingDmaDevice ?? null;

/**
 * True when an offer was agreed on that requires peer-to-peer DMA: the table may hold a peer's memory.
 * @kernel dma_buf_sgt_p2p_allowed
 * @alpha
 */
export const dmaBufSgtP2pAllowed = <M>(attach: DmaBufAttachment<M>): boolean =>
  tableMatchOf(attach)?.exporterRequiresP2p === 'exporter-requires-p2p-distance';

/**
 * The exporter's operations for tables; null for an attachment that agreed on something else.
 * @alpha
 */
export const sgtOpsOf = (attach: DmaBufAttachment<SgTable>): DmaBufMappingSgtExpOps | null =>
  tableOpsOf(attach);

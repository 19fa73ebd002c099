// The attach calls of importers that know nothing of mapping types, in the era in which they are on their way out: they offer
// tables.
// Source followed: the RFC's wrappers (dma_buf_attach, dma_buf_dynamic_attach); its first version reads the operations of a
// dynamic importer that has none, which here means no peer-to-peer.
// Simplified: none.

import type { Device } from '@sgfree/dma-core';
import type { ModelTask } from '@sgfree/hw-model';
import type { Outcome } from '@sgfree/mm';
import type { DmaBuf } from '../buffer/dma-buf.ts';
import type { DmaBufAttachment } from '../buffer/dma-buf-attachment.ts';
import type { DmaBufAttachOps } from '../buffer/dma-buf-ops.ts';
import { attachTableImporter } from './table-importer-attach.ts';

/**
 * Attaches `dev` as an importer of tables. -EINVAL (a violation without a device) also when the exporter has none for it.
 * @deprecated since stage 5; absent from stage 8; use {@link dmaBufMappingAttach}: the importer says which kinds of mapping it
 * takes, and a table is only one of them.
 * @kernel dma_buf_dynamic_attach
 * @public
 */
export function* dmaBufDynamicAttach<M>(
  dmabuf: DmaBuf<M>,
  dev: Device | null,
  importerOps: DmaBufAttachOps<M> | null,
  importerPriv: unknown,
): ModelTask<Outcome<DmaBufAttachment<M>>> {
  return yield* attachTableImporter(dmabuf, dev, importerOps, importerPriv);
}

/**
 * Attaches a static importer of tables, which takes no peer's memory.
 * @deprecated since stage 5; absent from stage 8; use {@link dmaBufMappingAttach}: without operations the importer stays
 * static.
 * @kernel dma_buf_attach
 * @public
 */
export function* dmaBufAttach<M>(
  dmabuf: DmaBuf<M>,
  dev: Device | null,
): ModelTask<Outcome<DmaBufAttachment<M>>> {
  return yield* dmaBufDynamicAttach(dmabuf, dev, null, null);
}

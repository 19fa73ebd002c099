// Attaching an importer that takes tables and nothing else: what the old attach calls and those of the tables' own kind do.
// Source followed: the RFC (dma_buf_sgt_dynamic_attach, and dma_buf_dynamic_attach as a wrapper around it).
// Simplified: none.

import type { Device } from '@sgfree/dma-core';
import type { ModelTask } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, warnViolation } from '@sgfree/mm';
import type { DmaBuf } from '../buffer/dma-buf.ts';
import type { DmaBufAttachOps } from '../buffer/dma-buf-ops.ts';
import { dmaBufMappingAttach } from './mapping-attach.ts';
import type { DmaBufMappingAttachment } from './mapping-attachment.ts';
import { tableImporterMatch } from './sgt-type.ts';

/** -EINVAL without a device (a violation), otherwise as {@link dmaBufMappingAttach} with the one offer. @internal */
export function* attachTableImporter<M>(
  dmabuf: DmaBuf<M>,
  dev: Device | null,
  importerOps: DmaBufAttachOps<M> | null,
  importerPriv: unknown,
): ModelTask<Outcome<DmaBufMappingAttachment<M>>> {
  if (dev === null) {
    warnViolation(dmabuf.platform.log, 'dma-buf-attach-null', { buffer: dmabuf.expName });
    return failure(Errno.EINVAL);
  }
  const offer = tableImporterMatch(dev, importerOps?.allowPeer2peer ?? false);
  return yield* dmaBufMappingAttach(dmabuf, [offer], importerOps, importerPriv);
}

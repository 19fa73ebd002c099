// Attaching after a negotiation: the match first, without the reservation lock; then the exporter's attach, then the list.
// Source followed: the RFC (dma_buf_mapping_attach).
// Simplified: the allocation is that of the attachment.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno, failure, type Outcome } from '@sgfree/mm';
import type { DmaBuf } from '../buffer/dma-buf.ts';
import { ATTACHMENT_BYTES, publishAttachment } from '../buffer/dma-buf-attachment.ts';
import type { DmaBufAttachOps } from '../buffer/dma-buf-ops.ts';
import { DmaBufMappingAttachment } from './mapping-attachment.ts';
import type { DmaBufMappingMatch, DmaBufMatchMapping } from './mapping-match.ts';
import { blankMatch } from './matched-attachment.ts';

/** An importer's side of a negotiation. @internal */
export interface NegotiatingImporter<Mapping> {
  readonly matches: readonly DmaBufMappingMatch[];
  readonly ops: DmaBufAttachOps<Mapping> | null;
  readonly priv: unknown;
}

/** Attaches with what `matchMapping` agrees on; its errno, -ENOMEM, or the exporter's refusal. @internal */
export function* negotiatedAttach<M>(
  dmabuf: DmaBuf<M>,
  matchMapping: DmaBufMatchMapping,
  importer: NegotiatingImporter<M>,
): ModelTask<Outcome<DmaBufMappingAttachment<M>>> {
  if (!dmabuf.platform.allocate(ATTACHMENT_BYTES)) return failure(Errno.ENOMEM);
  const attach = blankMatch();
  const error = yield* matchMapping({ dmabuf, attach, impMatches: importer.matches });
  if (error !== 0) return failure(-error as Errno);
  return yield* publishAttachment(new DmaBufMappingAttachment(dmabuf, attach, importer.ops, importer.priv));
}

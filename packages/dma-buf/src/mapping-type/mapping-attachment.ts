// DmaBufMappingAttachment: an attachment whose kind of mapping was agreed on when it was made, for its whole life.
// Source followed: the RFC (dma_buf_attachment.map_type).
// Simplified: none.

import { InternalError } from '@sgfree/hw-model';
import type { DmaBuf } from '../buffer/dma-buf.ts';
import { DmaBufAttachment } from '../buffer/dma-buf-attachment.ts';
import type { DmaBufAttachOps } from '../buffer/dma-buf-ops.ts';
import type { DmaBufMappingMatch } from './mapping-match.ts';
import type { MatchedAttachment } from './matched-attachment.ts';

/**
 * An attachment with its mapping type. `dev` throws for a type that knows no device.
 * @alpha
 */
export class DmaBufMappingAttachment<Mapping> extends DmaBufAttachment<Mapping> {
  /** What was agreed on. */
  readonly mapType: DmaBufMappingMatch;

  /** @internal */
  constructor(
    dmabuf: DmaBuf<Mapping>,
    matched: MatchedAttachment,
    importerOps: DmaBufAttachOps<Mapping> | null,
    importerPriv: unknown,
  ) {
    super(dmabuf, matched.dev, importerOps, importerPriv);
    if (matched.mapType === null) throw new InternalError('a finished match names no mapping type');
    this.mapType = matched.mapType;
    this.peer2peer = matched.peer2peer;
  }
}

/**
 * What an attachment agreed on; null for one that was made without a negotiation.
 * @alpha
 */
export function mapTypeOf<M>(attach: DmaBufAttachment<M>): DmaBufMappingMatch | null {
  return attach instanceof DmaBufMappingAttachment ? attach.mapType : null;
}

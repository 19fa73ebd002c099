// MatchedAttachment: what a finished match leaves behind, before there is an attachment to keep it.
// Source followed: the RFC's finish_match callbacks, which fill a fresh struct dma_buf_attachment.
// Simplified: none.

import type { Device } from '@sgfree/dma-core';
import type { DmaBufMappingMatch } from './mapping-match.ts';

/**
 * The outcome of a negotiation.
 * @alpha
 */
export interface MatchedAttachment {
  /** The offer that was agreed on. */
  mapType: DmaBufMappingMatch | null;
  /** The importer's device, for kinds that have one. */
  dev: Device | null;
  /** The importer takes a peer's memory. */
  peer2peer: boolean;
}

/** Nothing agreed on yet. @internal */
export const blankMatch = (): MatchedAttachment => ({ mapType: null, dev: null, peer2peer: false });

// Mapping types: the kinds of mapping that exporters and importers can agree on, and the offers that each side makes.
// Source followed: the RFC "dma-buf mapping types" of February 2026 (struct dma_buf_mapping_type, dma_buf_mapping_match,
// dma_buf_match_args). A kind is one object; two offers are of one kind when they name the same object.
// Simplified: what the RFC keeps in a union is what each kind adds to its own offers.

import type { ModelTask } from '@sgfree/hw-model';
import type { DmaBuf } from '../buffer/dma-buf.ts';
import type { MatchedAttachment } from './matched-attachment.ts';

/**
 * What an exporter does for one kind of mapping; each kind has operations of its own.
 * @kernel dma_buf_mapping_exp_ops
 * @alpha
 */
export type DmaBufMappingExpOps = object;

/**
 * One offer, of an exporter or an importer.
 * @kernel dma_buf_mapping_match
 * @alpha
 */
export interface DmaBufMappingMatch {
  readonly type: DmaBufMappingType;
  /** Null in an importer's offer. */
  readonly expOps: DmaBufMappingExpOps | null;
}

/**
 * A kind of mapping.
 * @kernel dma_buf_mapping_type
 * @alpha
 */
export interface DmaBufMappingType<Match extends DmaBufMappingMatch = DmaBufMappingMatch> {
  /** For people. */
  readonly name: string;
  /**
   * Whether two offers of this kind go together: 0; -EOPNOTSUPP = not these two, look on; any other errno ends the
   * attach with it. A kind without it takes every pair.
   */
  match?(dmabuf: DmaBuf<unknown>, exp: Match, imp: Match): number;
  /** Writes down in `args.attach` what was agreed on. */
  finishMatch(args: DmaBufMatchArgs, exp: Match, imp: Match): void;
  /** What a person who looks at an attachment wants to know. */
  debugfsDump?(matched: Match): string;
}

/**
 * What a negotiation is about.
 * @kernel dma_buf_match_args
 * @alpha
 */
export interface DmaBufMatchArgs {
  readonly dmabuf: DmaBuf<unknown>;
  /** Blank until the match is finished. */
  readonly attach: MatchedAttachment;
  readonly impMatches: readonly DmaBufMappingMatch[];
}

/**
 * An exporter's answer to a negotiation: 0 or a negative errno. Not held: no reservation lock.
 * @alpha
 */
export type DmaBufMatchMapping = (args: DmaBufMatchArgs) => ModelTask<number>;

// The matching loop: the exporter's offers from first to last, and within each the importer's.
// Source followed: the RFC's matching function. A pair that does not go together is no error; a failure inside a match is.
// Simplified: none.

import type { ModelTask, YieldPoint } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import type { DmaBufMappingMatch, DmaBufMatchArgs } from './mapping-match.ts';

/**
 * Finishes the first pair of offers that goes together. 0; -EINVAL when none does, also for an empty list; the errno of a
 * match that failed.
 * @kernel dma_buf_match_mapping
 * @alpha
 */
export function dmaBufMatchMapping(args: DmaBufMatchArgs, expMatches: readonly DmaBufMappingMatch[]): number {
  for (const exp of expMatches) {
    for (const imp of args.impMatches) {
      if (exp.type !== imp.type) continue;
      const verdict = exp.type.match?.(args.dmabuf, exp, imp) ?? 0;
      if (verdict === -Errno.EOPNOTSUPP) continue;
      if (verdict === 0) exp.type.finishMatch(args, exp, imp);
      return verdict;
    }
  }
  return -Errno.EINVAL;
}

const OFFER: YieldPoint = { at: 'dma-buf:match' };

/** The same as an exporter's answer to a negotiation. @internal */
export function* offer(args: DmaBufMatchArgs, expMatches: readonly DmaBufMappingMatch[]): ModelTask<number> {
  yield OFFER;
  return dmaBufMatchMapping(args, expMatches);
}

// Attaching with a list of offers: the call of every importer that knows mapping types.
// Source followed: the RFC (dma_buf_mapping_attach), without the check of its first version that an importer with operations
// has an invalidate callback: Linux has pinned importers without one since.
// Simplified: nobody's log hears of a missing buffer when no offer names a device either.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, warnViolation } from '@sgfree/mm';
import type { DmaBuf } from '../buffer/dma-buf.ts';
import type { DmaBufAttachOps } from '../buffer/dma-buf-ops.ts';
import { needsNoLock } from '../buffer/lock-rules.ts';
import type { DmaBufMappingAttachment } from './mapping-attachment.ts';
import type { DmaBufMappingMatch, DmaBufMatchMapping } from './mapping-match.ts';
import { offer } from './match-mapping.ts';
import { negotiatedAttach } from './negotiated-attach.ts';
import { OfferingDmaBuf } from './offering-dma-buf.ts';
import { importingDeviceOf } from './p2p-requirement.ts';
import { compatMatch } from './sgt-type.ts';

/**
 * Attaches with the first kind of mapping that exporter and importer have in common, in the exporter's order; an exporter
 * without mapping types has tables. -EINVAL without a buffer (a violation, on the log of the first device that is offered) or a
 * common kind, -ENOMEM, the errno of a match that failed, or the exporter's refusal. Called without the reservation lock; the match is made without it.
 * @kernel dma_buf_mapping_attach
 * @alpha
 */
export function* dmaBufMappingAttach<M>(
  dmabuf: DmaBuf<M> | null,
  importerMatches: readonly DmaBufMappingMatch[],
  importerOps: DmaBufAttachOps<M> | null,
  importerPriv: unknown,
): ModelTask<Outcome<DmaBufMappingAttachment<M>>> {
  if (dmabuf === null) return withoutBuffer(importerMatches);
  needsNoLock(dmabuf, 'dma_buf_mapping_attach');
  const importer = { matches: importerMatches, ops: importerOps, priv: importerPriv };
  return yield* negotiatedAttach(dmabuf, answerOf(dmabuf), importer);
}

function withoutBuffer(importerMatches: readonly DmaBufMappingMatch[]): Outcome<never> {
  const dev = importerMatches.map(importingDeviceOf).find((found) => found !== null);
  if (dev !== undefined) warnViolation(dev.log, 'dma-buf-attach-null', { device: dev.name });
  return failure(Errno.EINVAL);
}

function answerOf(dmabuf: DmaBuf<unknown>): DmaBufMatchMapping {
  if (dmabuf instanceof OfferingDmaBuf) return dmabuf.matchMapping;
  return (args) => offer(args, [compatMatch(dmabuf)]);
}

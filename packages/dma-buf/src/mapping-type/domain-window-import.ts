// The importer's half of domain windows: asking, showing, hiding. No call here gives or takes a physical address.
// Source followed: our own, in the manner of the RFC's calls for physical lists.
// Simplified: none.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, warnViolation } from '@sgfree/mm';
import type { DmaBufAttachment } from '../buffer/dma-buf-attachment.ts';
import { needsLock } from '../buffer/lock-rules.ts';
import {
  type DmaBufDomainExpOps,
  type DmaBufDomainMapping,
  type DmaBufDomainWindow,
  dmaBufDomainWindowType,
} from './domain-window-type.ts';
import { mapTypeOf } from './mapping-attachment.ts';

/**
 * 0 when windows can be shown now, else the exporter's errno; with the reservation lock held. -EINVAL for an attachment that did
 * not agree on windows (a violation `dma-buf-no-domain-window`), as in all calls here.
 * @beta
 */
export function* dmaBufDomainReady<M>(attach: DmaBufAttachment<M>): ModelTask<number> {
  const ops = opsOf(attach, 'ready');
  return ops === null ? -Errno.EINVAL : yield* ops.domainReady(attach);
}

/**
 * Shows bytes of the buffer in a domain, with the reservation lock held. -EINVAL for a window that is empty or passes the
 * buffer's end; the errors of the exporter and of the domain's driver. Then nothing is shown.
 * @beta
 */
export function* dmaBufMapDomain<M>(
  attach: DmaBufAttachment<M>,
  window: DmaBufDomainWindow,
): ModelTask<Outcome<DmaBufDomainMapping>> {
  const ops = opsOf(attach, 'map');
  const { offset, length } = window;
  const inside = offset >= 0 && length > 0 && offset + length <= attach.dmabuf.size;
  return ops === null || !inside ? failure(Errno.EINVAL) : yield* ops.mapDomain(attach, window);
}

/**
 * Hides a window, with the reservation lock held; also for one whose memory is being taken back.
 * @beta
 */
export function* dmaBufUnmapDomain<M>(
  attach: DmaBufAttachment<M>,
  mapping: DmaBufDomainMapping,
): ModelTask<void> {
  const ops = opsOf(attach, 'unmap');
  if (ops !== null) yield* ops.unmapDomain(attach, mapping);
}

function opsOf<M>(attach: DmaBufAttachment<M>, call: string): DmaBufDomainExpOps | null {
  const { dmabuf } = attach;
  needsLock(dmabuf, `domain window: ${call}`);
  const matched = mapTypeOf(attach);
  if (matched?.type === dmaBufDomainWindowType) return matched.expOps as DmaBufDomainExpOps;
  warnViolation(dmabuf.platform.log, 'dma-buf-no-domain-window', { buffer: dmabuf.expName, call });
  return null;
}

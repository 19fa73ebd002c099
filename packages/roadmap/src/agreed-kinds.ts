// What importers and exporters agreed on: attachments by the name of their mapping type.
// Source followed: our own.
// Simplified: none.

import { type DmaBufAttachment, mapTypeOf } from '@sgfree/dma-buf/stage-5';
import type { Outcome } from '@sgfree/mm';

/** Counts an attachment in `agreed`, unless there is none, and gives it back. @internal */
export function countAgreed<Mapping>(
  agreed: Record<string, number>,
  attach: Outcome<DmaBufAttachment<Mapping>>,
): Outcome<DmaBufAttachment<Mapping>> {
  if (!attach.ok) return attach;
  const name = mapTypeOf(attach.value)?.type.name ?? 'none';
  agreed[name] = (agreed[name] ?? 0) + 1;
  return attach;
}

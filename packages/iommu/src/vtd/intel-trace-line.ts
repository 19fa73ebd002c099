// intelTraceLine: an intel_iommu event as the kernel's trace buffer prints it.
// Source followed: drivers/iommu/intel/trace.h, the print formats of qi_submit and cache_tag_flush.
// Simplified: only the events that the driver posts; the line starts at the event's name.

import type { ModelEvent } from '@sgfree/hw-model';
import type { FlushedRange } from './flush-event.ts';

/** 64-bit value whose upper 52 bits are `frame` and lower 12 `offset`. */
function hexAddress(frame: number, offset: number): string {
  if (frame === 0) return `0x${offset.toString(16)}`;
  return `0x${frame.toString(16)}${offset.toString(16).padStart(3, '0')}`;
}

function hexPair(words: readonly number[], at: number): string {
  const low = words[at] ?? 0;
  const high = words[at + 1] ?? 0;
  return high === 0 ? `0x${low.toString(16)}` : `0x${high.toString(16)}${low.toString(16).padStart(8, '0')}`;
}

interface QiSubmitEvent {
  readonly type: string;
  readonly unit: string;
  readonly words: readonly number[];
}

interface FlushEvent extends FlushedRange {
  readonly unit: string;
  readonly device: string;
  readonly pasid: number;
  readonly type: string;
  readonly domainId: number;
}

const qiSubmitLine = ({ type, unit, words }: QiSubmitEvent): string =>
  `qi_submit: ${type} ${unit}: ${[0, 2, 4, 6].map((at) => hexPair(words, at)).join(' ')}`;

function flushLine(name: string, event: FlushEvent): string {
  const start = hexAddress(event.startFrame, event.startOffset);
  const end = hexAddress(event.endFrame, event.endOffset);
  const block = `addr ${hexAddress(event.blockFrame, 0)} mask 0x${event.order.toString(16)}`;
  const who = `${event.unit} ${event.device}[${event.pasid}] type ${event.type} did ${event.domainId}`;
  return `${name}: ${who} [${start}-${end}] ${block}`;
}

/**
 * The line of an `intel_iommu:` event; undefined for any other.
 * @public
 */
export function intelTraceLine(event: ModelEvent): string | undefined {
  const name = event.kind.replace('intel_iommu:', '');
  if (name === event.kind) return undefined;
  // The driver posts events of these two shapes only.
  if (name === 'qi_submit') return qiSubmitLine(event as unknown as QiSubmitEvent);
  return flushLine(name, event as unknown as FlushEvent);
}

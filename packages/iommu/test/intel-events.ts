// The events of the VT-d driver as tests write them down: in the words of the kernel's trace lines.
// Source followed: drivers/iommu/intel/trace.h, the print formats of qi_submit and cache_tag_flush.
// Simplified: no PASID but what the line says.

import type { EventLog, ModelEvent } from '@sgfree/hw-model';

const QI = /^qi_submit: (\w+) (\w+): 0x([0-9a-f]+) 0x([0-9a-f]+) 0x([0-9a-f]+) 0x([0-9a-f]+)$/;
const FLUSH =
  /^(cache_tag_flush_range(?:_np)?): (\S+) (\S+)\[(\d+)\] type (\w+) did (\d+) \[0x([0-9a-f]+)-0x([0-9a-f]+)\] addr 0x([0-9a-f]+) mask 0x([0-9a-f]+)$/;

/** Page frame and offset of a 64-bit address in hex. */
export const splitAddress = (hex: string): readonly [frame: number, offset: number] => [
  Number.parseInt(hex.slice(0, -3) || '0', 16),
  Number.parseInt(hex.slice(-3), 16),
];

/** Low and high word of a 64-bit number in hex. */
const wordsOf = (hex: string): number[] => [
  Number.parseInt(hex.slice(-8), 16),
  Number.parseInt(hex.slice(0, -8) || '0', 16),
];

/** The event that a line says; throws for a line of another form. */
export function intelEvent(line: string): ModelEvent {
  const [, type, queueUnit, ...quads] = QI.exec(line) ?? [];
  if (type !== undefined) {
    return { kind: 'intel_iommu:qi_submit', type, unit: queueUnit, words: quads.flatMap(wordsOf) };
  }
  const flush = FLUSH.exec(line);
  if (flush === null) throw new RangeError(`no line of the driver: ${line}`);
  const [, name, unit, device, pasid, tag, did, first = '', last = '', block = '', order = ''] = flush;
  const [startFrame, startOffset] = splitAddress(first);
  const [endFrame, endOffset] = splitAddress(last);
  return {
    kind: `intel_iommu:${name}`,
    unit,
    device,
    pasid: Number(pasid),
    type: tag,
    domainId: Number(did),
    startFrame,
    startOffset,
    endFrame,
    endOffset,
    blockFrame: splitAddress(block)[0],
    order: Number.parseInt(order, 16),
  };
}

/** What a log holds of the driver's events. */
export const intelEventsOf = (log: EventLog): ModelEvent[] =>
  log.events.filter(({ kind }) => kind.startsWith('intel_iommu:'));

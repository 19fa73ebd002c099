// The neutral values of an event, set before each line so that nothing of the line before remains.
// Source followed: the values that TraceEvent gives at its fields.
// Simplified: line, time, CPU and task are not touched here; the prefix of each line sets them.

import type { TraceEvent } from '../trace-event.ts';

const clearList = (list: number[]): void => {
  if (list.length > 0) list.length = 0;
};

/** Sets everything behind the prefix to its neutral value. */
export function clearEvent(event: TraceEvent): void {
  event.device = '';
  event.direction = '';
  event.attrs = '';
  event.dmaAddr = -1;
  event.addressText = '';
  event.physAddr = -1;
  event.size = 0;
  event.unmappedSize = 0;
  event.virtAddr = '';
  event.fullNents = 0;
  event.nents = 0;
  event.fullEnts = 0;
  event.ents = 0;
  event.truncated = false;
  clearList(event.dmaAddrs);
  clearList(event.sizes);
  clearList(event.physAddrs);
  event.code = 0;
  event.group = -1;
  event.unit = '';
  event.type = '';
  clearRanges(event);
  event.dmaMask = 0;
  event.forced = false;
  event.gfp = '';
  event.text = '';
}

function clearRanges(event: TraceEvent): void {
  event.domainId = -1;
  event.pasid = -1;
  event.rangeStart = -1;
  event.rangeLast = -1;
  event.blockAddr = -1;
  event.order = -1;
  event.pages = -1;
  event.slots = -1;
  event.usedSlots = -1;
  const { words } = event;
  for (let index = 0; index < 8; index += 1) words[index] = 0;
}

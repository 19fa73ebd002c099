// The copy between memory and the slots that stand in for it: real bytes, either way.
// Source followed: kernel/dma/swiotlb.c (swiotlb_bounce).
// Where the bytes belong follows from the slot, so that a part of a mapping can be copied; what reaches beyond the
// mapping is cut off (rule `swiotlb-overflow`).
// Simplified: one copy for low and high memory alike.

import { addOffset, type CpuView, lowWord, type PhysAddr, physAddr } from '@sgfree/hw-model';
import { warnViolation } from '@sgfree/mm';
import type { Device } from '../device.ts';
import { SLOT_BYTES, SLOTS_PER_SEGMENT, swiotlbAlignOffset } from './slot-size.ts';
import type { SlotTable } from './slot-table.ts';

/** Which way bytes go: `in` to the slots, `out` back to the memory they stand in for. @internal */
export type BounceWay = 'in' | 'out';

/**
 * Copies `size` bytes at `bounced`, which lies in slot `slot`, to or from the memory behind the slot. A slot that stands
 * in for nothing copies nothing; memory that is not there posts rule `swiotlb-no-memory`.
 * @internal
 * @kernel swiotlb_bounce
 */
export function swiotlbBounce(
  dev: Device,
  table: SlotTable,
  slot: number,
  bounced: PhysAddr,
  size: number,
  way: BounceWay,
): void {
  const slotOrig = table.origAddr[slot] as number;
  if (slotOrig < 0) return;
  const start = physAddr(slotOrig);
  // May be negative: at the head of a later slot the buffer started further up in its own.
  const into = (lowWord(bounced) & (SLOT_BYTES - 1)) - swiotlbAlignOffset(dev, 0, start);
  const left = (table.allocSize[slot] as number) - into;
  if (size > left) warnViolation(dev.log, 'swiotlb-overflow', { device: dev.name, bounced, size, left });
  const bytes = Math.min(size, left);
  const orig = addOffset(start, into);
  const memory = dev.platform.cpuView;
  const copied = way === 'in' ? copy(memory, orig, bounced, bytes) : copy(memory, bounced, orig, bytes);
  if (!copied) warnViolation(dev.log, 'swiotlb-no-memory', { device: dev.name, phys: orig, bounced, bytes });
}

const passing = new Uint8Array(SLOT_BYTES * SLOTS_PER_SEGMENT);

function copy(memory: CpuView, from: PhysAddr, to: PhysAddr, bytes: number): boolean {
  return bytes <= 0 || (memory.read(from, passing, 0, bytes) && memory.write(to, passing, 0, bytes));
}

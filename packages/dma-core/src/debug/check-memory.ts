// What kind of memory is handed to a device: stack, kernel text, RAM called MMIO, MMIO called RAM, a peer's BAR.
// Source followed: kernel/dma/debug.c (check_for_stack, check_for_illegal_area, the RAM test of debug_dma_map_phys).
// Linux looks at mappings only, and at RAM called MMIO only; links and the reverse are checked here too.
// Simplified: RAM is what the machine's memory holds; see the kernel regions.

import { addOffset, frameOf, liesWithin, type PhysAddr } from '@sgfree/hw-model';
import type { Device } from '../device.ts';
import type { DmaAttrs } from '../dma-attrs.ts';
import { intersectsAny, isWithinAny, sharesPageWithAny } from '../kernel-regions.ts';
import type { DmaDebug } from './dma-debug.ts';

const isRam = (dev: Device, phys: PhysAddr): boolean =>
  dev.platform.memory.ramRanges.some(({ base, bytes }) => liesWithin(phys, 1, base, bytes));

const onStack = (dev: Device, phys: PhysAddr): boolean =>
  sharesPageWithAny(dev.platform.kernelRegions.stack ?? [], phys);

const inText = (dev: Device, phys: PhysAddr, bytes: number): boolean =>
  intersectsAny(dev.platform.kernelRegions.textAndRodata ?? [], phys, bytes);

/**
 * True when the byte at `phys` is known to be no RAM.
 * @internal
 */
export const isNoRam = (debug: DmaDebug, dev: Device, phys: PhysAddr): boolean =>
  debug.knowsRam && !isRam(dev, phys);

/**
 * True when `phys` is known to be RAM whose page frame is not reserved.
 * @internal
 */
export const isOrdinaryRam = (debug: DmaDebug, dev: Device, phys: PhysAddr): boolean =>
  debug.knowsRam && isRam(dev, phys) && !isWithinAny(dev.platform.kernelRegions.reserved ?? [], phys);

/**
 * Check 18: the page at `phys` belongs to the stack that the call runs on. Only the first byte is looked at.
 * @internal
 * @kernel check_for_stack
 */
export function checkForStack(debug: DmaDebug, dev: Device, phys: PhysAddr): void {
  if (onStack(dev, phys)) debug.report.error(dev, 'dma-debug-stack-memory', { phys });
}

/**
 * Check 19: kernel text or read-only data.
 * @internal
 * @kernel check_for_illegal_area
 */
export function checkForIllegalArea(debug: DmaDebug, dev: Device, phys: PhysAddr, bytes: number): void {
  if (inText(dev, phys, bytes)) debug.report.error(dev, 'dma-debug-kernel-text', { phys, size: bytes });
}

/**
 * Memory that is no RAM wants the MMIO attribute, so that nobody bounces it or looks after its caches.
 * @internal
 */
export function checkMmioMark(
  debug: DmaDebug,
  dev: Device,
  phys: PhysAddr,
  bytes: number,
  attrs: DmaAttrs,
): void {
  if (attrs.mmio === true) return;
  const pagemap = dev.platform.frames.pagemapOf(frameOf(phys));
  const data = { phys, size: bytes };
  if (pagemap?.kind === 'pci-p2pdma') debug.report.shadow(dev, 'dma-shadow-p2p-unmarked', data);
  else if (
    pagemap === undefined &&
    (isNoRam(debug, dev, phys) || isNoRam(debug, dev, addOffset(phys, Math.max(bytes, 1) - 1)))
  ) {
    debug.report.shadow(dev, 'dma-shadow-mmio-unmarked', data);
  }
}

/**
 * What Linux checks of a mapping, for a piece of a two-step range.
 * @internal
 */
export function checkLinkedMemory(
  debug: DmaDebug,
  dev: Device,
  phys: PhysAddr,
  bytes: number,
  attrs: DmaAttrs,
): void {
  checkMmioMark(debug, dev, phys, bytes, attrs);
  const data = { phys, size: bytes };
  if (attrs.mmio === true) {
    if (isOrdinaryRam(debug, dev, phys)) debug.report.shadow(dev, 'dma-shadow-mmio-ram', data);
    return;
  }
  if (onStack(dev, phys)) debug.report.shadow(dev, 'dma-shadow-stack-memory', data);
  if (inText(dev, phys, bytes)) debug.report.shadow(dev, 'dma-shadow-kernel-text', data);
}

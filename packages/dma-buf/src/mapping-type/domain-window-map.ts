// Writing a window into its page table and taking it out again. Only the core calls this: it needs physical ranges.
// Source followed: our own; the order of iommu_map(): entries, then what the hardware has to be told, all or nothing.
// Simplified: none.

import { addOffset, frameOf, offsetWithin, PAGE_SIZE, type PhysAddr } from '@sgfree/hw-model';
import { IOMMU_CACHE, IOMMU_MMIO, mapFramesAndSync, unmapFramesAndSync } from '@sgfree/iommu';
import { warnViolation } from '@sgfree/mm';
import type { PhysVec } from '../phys-vec.ts';
import type { DmaBufDomainWindow } from './domain-window-type.ts';

/**
 * Shows `runs`, which are as long as the window, one behind the other. 0 or the driver's errno; then nothing is shown.
 * @internal
 */
export function mapWindowRuns(window: DmaBufDomainWindow, runs: readonly PhysVec[]): number {
  let done = 0;
  for (const { paddr, len } of runs) {
    const step = window.smallPages ? PAGE_SIZE : len;
    for (let at = 0; at < len; at += step) {
      const bytes = Math.min(step, len - at);
      const errno = mapRun(window, done, addOffset(paddr, at), bytes);
      if (errno !== 0) {
        if (done > 0) unmapWindow(window, done);
        return errno;
      }
      done += bytes;
    }
  }
  return 0;
}

function mapRun(window: DmaBufDomainWindow, at: number, paddr: PhysAddr, bytes: number): number {
  const { domain, unitsPerPage, prot } = window;
  const { unit, offset } = placeOf(window, at);
  const byte = offsetWithin(paddr, PAGE_SIZE) * unitsPerPage;
  const physUnit = frameOf(paddr) * unitsPerPage + Math.floor(byte / PAGE_SIZE);
  const size = bytes * unitsPerPage;
  const bits = (prot & ~IOMMU_CACHE) | IOMMU_MMIO;
  return mapFramesAndSync(domain, unit, offset, physUnit, offsetWithin(byte, PAGE_SIZE), size, bits);
}

/**
 * Hides the first `bytes` bytes of a window, all of which are shown; anything else is a violation `dma-buf-domain-unmap`.
 * @internal
 */
export function unmapWindow(window: DmaBufDomainWindow, bytes: number): void {
  const { domain, unitsPerPage } = window;
  const { unit, offset } = placeOf(window, 0);
  const unmapped = unmapFramesAndSync(domain, unit, offset, bytes * unitsPerPage) / unitsPerPage;
  if (unmapped !== bytes) warnViolation(domain.log, 'dma-buf-domain-unmap', { bytes, unmapped });
}

/** Unit of the page table and offset in it, stretched to a page, of byte `at` of the window. */
function placeOf(window: DmaBufDomainWindow, at: number): { readonly unit: number; readonly offset: number } {
  const { iovaPage, iovaByte, unitsPerPage } = window;
  const page = iovaPage + Math.floor((iovaByte + at) / PAGE_SIZE);
  const stretched = offsetWithin(iovaByte + at, PAGE_SIZE) * unitsPerPage;
  const unit = page * unitsPerPage + Math.floor(stretched / PAGE_SIZE);
  return { unit, offset: offsetWithin(stretched, PAGE_SIZE) };
}

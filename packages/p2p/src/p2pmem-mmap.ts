// P2pmemMmap: processes that map pool pages through the attribute `allocate`; each page comes back on its own.
// Source followed: drivers/pci/p2pdma.c (p2pmem_alloc_mmap, p2pdma_folio_free).
// A page returns to the pool with its last reference: the mapping has one, and whoever pins the page another.
// Simplified: no address spaces; a mapping is its pages in order.

import { addOffset, PAGE_SIZE, type PhysAddr } from '@sgfree/hw-model';
import { DmaApiViolation, Errno, failure, type Outcome, success } from '@sgfree/mm';
import { allocP2pmem, pciFreeP2pmem } from './p2pmem.ts';
import type { PciDev } from './pci-dev.ts';

/**
 * Pool pages that a process has mapped.
 * @public
 */
export class P2pmemMapping {
  readonly pdev: PciDev;
  /** CPU physical address of the first page. */
  readonly start: PhysAddr;
  readonly pages: number;
  readonly #references: Uint32Array;
  #isMapped = true;

  constructor(pdev: PciDev, start: PhysAddr, pages: number) {
    this.pdev = pdev;
    this.start = start;
    this.pages = pages;
    this.#references = new Uint32Array(pages).fill(1);
  }

  /** Takes a reference to page `index`, as pinning for direct I/O does; false when the page is gone already. */
  pin(index: number): boolean {
    if (!this.#isMapped || (this.#references[index] ?? 0) === 0) return false;
    this.#references[index] = (this.#references[index] ?? 0) + 1;
    return true;
  }

  /** Gives a reference back; throws {@link @sgfree/mm#DmaApiViolation} `p2p-unpin-of-unpinned` without one. */
  unpin(index: number): void {
    const held = (this.#references[index] ?? 0) - (this.#isMapped ? 1 : 0);
    if (held <= 0) throw new DmaApiViolation('p2p-unpin-of-unpinned', `page ${index} is not pinned`);
    this.#put(index);
  }

  /** Ends the mapping; a second call changes nothing. Pages that are pinned stay out until they are not. */
  unmap(): void {
    if (!this.#isMapped) return;
    this.#isMapped = false;
    this.pdev.p2pdma?.mappings.delete(this);
    for (let index = 0; index < this.pages; index += 1) this.#put(index);
  }

  /** The last reference returns exactly one page. */
  #put(index: number): void {
    const left = (this.#references[index] ?? 0) - 1;
    this.#references[index] = left;
    if (left === 0) pciFreeP2pmem(this.pdev, addOffset(this.start, index * PAGE_SIZE), PAGE_SIZE);
  }
}

/**
 * Maps `bytes` bytes, in whole pages, of fresh pool memory. Errors in the order of checks: EINVAL (a private mapping, or
 * one that does not start at offset 0), ENODEV (no pool), ENOMEM (not that much in one piece), ENODEV (the owner's driver
 * is on its way out).
 * @public
 * @kernel p2pmem_alloc_mmap
 */
export function p2pmemAllocMmap(
  pdev: PciDev,
  bytes: number,
  isShared: boolean,
  pageOffset: number,
): Outcome<P2pmemMapping> {
  if (!isShared || pageOffset !== 0) return failure(Errno.EINVAL);
  const { p2pdma } = pdev;
  if ((p2pdma?.pool ?? null) === null || p2pdma === null) return failure(Errno.ENODEV);
  const pages = Math.ceil(bytes / PAGE_SIZE);
  const start = allocP2pmem(pdev, pages, pages);
  if (start === null) return failure(Errno.ENOMEM);
  if (start === 'dying') return failure(Errno.ENODEV);
  const mapping = new P2pmemMapping(pdev, start, pages);
  p2pdma.mappings.add(mapping);
  return success(mapping);
}

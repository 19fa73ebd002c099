// P2P memory: blocks of the registered pages of a function, for queues and buffers that peers reach.
// Source followed: drivers/pci/p2pdma.c (pci_alloc_p2pmem, pci_free_p2pmem, pci_p2pmem_virt_to_bus, pci_p2pmem_publish).
// Simplified: a block comes back as it was taken; pages that processes mapped come back one by one.

import { PAGE_SIZE, type PciBusAddr, type PhysAddr, pciBusAddr } from '@sgfree/hw-model';
import { DmaApiViolation } from '@sgfree/mm';
import { chunkBusAddress } from './p2pmem-pool.ts';
import type { PciDev } from './pci-dev.ts';

/**
 * Takes `size` bytes, rounded up to pages; the CPU physical address stands for the kernel's virtual one. Null without
 * registered pages, when none are left in one piece, or when the owner's driver is on its way out.
 * @public
 * @kernel pci_alloc_p2pmem
 */
export function pciAllocP2pmem(pdev: PciDev, size: number): PhysAddr | null {
  const address = allocP2pmem(pdev, Math.ceil(size / PAGE_SIZE), 1);
  return address === 'dying' ? null : address;
}

/** Takes `pages` pages, with `blocks` references to their pagemap: as many as will be given back one by one. @internal */
export function allocP2pmem(pdev: PciDev, pages: number, blocks: number): PhysAddr | null | 'dying' {
  if (pages === 0) return null;
  for (const chunk of pdev.p2pdma?.pool?.chunks ?? []) {
    const address = chunk.take(pages);
    if (address === null) continue;
    if (chunk.dying) {
      chunk.give(address, pages);
      return 'dying';
    }
    chunk.liveBlocks += blocks;
    return address;
  }
  return null;
}

/**
 * Gives back what {@link pciAllocP2pmem} took; throws {@link @sgfree/mm#DmaApiViolation} `p2p-free-of-free` for pages that
 * are not all out, `p2p-free-of-foreign` for an address that is not the pool's.
 * @public
 * @kernel pci_free_p2pmem
 */
export function pciFreeP2pmem(pdev: PciDev, address: PhysAddr, size: number): void {
  const chunk = pdev.p2pdma?.pool?.chunkOf(address, size);
  if (chunk === undefined) {
    throw new DmaApiViolation('p2p-free-of-foreign', `${pdev.name} does not own ${size} bytes at ${address}`);
  }
  chunk.give(address, Math.ceil(size / PAGE_SIZE));
  chunk.liveBlocks -= 1;
}

/**
 * The bus address of pool memory; 0 for a null address or without registered pages, -1 for memory of someone else.
 * @public
 * @kernel pci_p2pmem_virt_to_bus
 */
export function pciP2pmemVirtToBus(pdev: PciDev, address: PhysAddr | null): PciBusAddr | -1 {
  const pool = pdev.p2pdma?.pool ?? null;
  if (address === null || pool === null) return pciBusAddr(0);
  const chunk = pool.chunkOf(address, 1);
  return chunk === undefined ? -1 : chunkBusAddress(chunk, address);
}

/**
 * Lets others find the function's memory, or hides it again; nothing happens without peer-to-peer state.
 * @public
 * @kernel pci_p2pmem_publish
 */
export function pciP2pmemPublish(pdev: PciDev, publish: boolean): void {
  if (pdev.p2pdma !== null) pdev.p2pdma.p2pmemPublished = publish;
}

/**
 * True when the function's memory is published.
 * @public
 * @kernel pci_has_p2pmem
 */
export const pciHasP2pmem = (pdev: PciDev): boolean => pdev.p2pdma?.p2pmemPublished ?? false;

// The page layer: struct pages for a range of a BAR, so that it can travel in scatterlists and bios like memory.
// Source followed: drivers/pci/p2pdma.c (pci_p2pdma_add_resource, pci_p2pdma_setup_pool), mm/memremap.c (conflicts).
// A page costs 64 bytes of RAM for its struct page; the provider layer beneath it costs none.
// The files of sysfs group `p2pmem` come with the first pool (p2pmem-attributes.ts, p2pmem-mmap.ts).
// Simplified: a range need not be a multiple of the hot-plug unit (2 MiB), and belongs to no NUMA node.

import { addOffset, frameOf, offsetWithin, PAGE_SIZE } from '@sgfree/hw-model';
import { type DevPagemap, Errno, warnViolation } from '@sgfree/mm';
import { P2pmemChunk, P2pmemPool } from './p2pmem-pool.ts';
import { type PciDev, pciResourceLen, pciResourceStart } from './pci-dev.ts';
import { pcimP2pdmaInit, pcimP2pdmaProvider } from './pcim-p2pdma.ts';

/**
 * Bytes of a struct page on x86-64.
 * @public
 */
export const STRUCT_PAGE_BYTES = 64;
/** About what a struct gen_pool and a pagemap record take. */
const GEN_POOL_BYTES = 64;
const PAGEMAP_BYTES = 192;

/**
 * RAM taken by the struct pages of all registered chunks of `pdev`, in bytes.
 * @public
 */
export const structPageBytes = (pdev: PciDev): number =>
  ((pdev.p2pdma?.pool?.size ?? 0) / PAGE_SIZE) * STRUCT_PAGE_BYTES;

/**
 * Gives `size` bytes of a BAR from `offset` on struct pages and adds them to the function's pool; size 0 is the rest of
 * the BAR. Errors in the order of checks: -EINVAL (no memory BAR, offset outside, size too long), those of
 * `pcimP2pdmaInit`, -ENOMEM (pool, pages; or pages are there already, rule `p2p-pages-conflict`), -EINVAL (the
 * provider is missing, rule `p2p-no-provider`; not whole pages).
 * @public
 * @kernel pci_p2pdma_add_resource
 */
export function pciP2pdmaAddResource(pdev: PciDev, bar: number, size: number, offset: number): number {
  const length = pciResourceLen(pdev, bar);
  if (length === 0 || offset >= length) return -Errno.EINVAL;
  const bytes = size === 0 ? length - offset : size;
  if (bytes + offset > length) return -Errno.EINVAL;
  const error = pcimP2pdmaInit(pdev);
  return error === 0 ? addPages(pdev, bar, bytes, offset) : error;
}

function addPages(pdev: PciDev, bar: number, bytes: number, offset: number): number {
  const { platform, p2pdma } = pdev;
  const start = pciResourceStart(pdev, bar);
  if (p2pdma === null || start === null) return -Errno.EINVAL;
  if (p2pdma.pool === null) {
    if (!platform.allocate(GEN_POOL_BYTES)) return -Errno.ENOMEM;
    p2pdma.pool = new P2pmemPool();
  }
  if (!platform.allocate(PAGEMAP_BYTES)) return -Errno.ENOMEM;
  const provider = pcimP2pdmaProvider(pdev, bar);
  if (provider === null) {
    warnViolation(platform.log, 'p2p-no-provider', { device: pdev.name, bar });
    return -Errno.EINVAL;
  }
  const first = addOffset(start, offset);
  const pagemap = devmMemremapPages(pdev, frameOf(first), offsetWithin(first, PAGE_SIZE), bytes);
  if (typeof pagemap === 'number') return pagemap;
  p2pdma.pool.chunks.unshift(new P2pmemChunk(provider, pagemap, first, bytes));
  return 0;
}

function devmMemremapPages(
  pdev: PciDev,
  firstFrame: number,
  inPage: number,
  bytes: number,
): DevPagemap | number {
  const { frames, log, allocate } = pdev.platform;
  const pages = bytes / PAGE_SIZE;
  if (inPage !== 0 || !Number.isInteger(pages)) return -Errno.EINVAL;
  const conflict = pdev.p2pdma?.pool?.chunks.find(
    ({ pagemap }) =>
      firstFrame < pagemap.firstFrame + pagemap.frameCount && pagemap.firstFrame < firstFrame + pages,
  );
  if (conflict !== undefined) {
    warnViolation(log, 'p2p-pages-conflict', { device: pdev.name, frame: firstFrame, pages });
    return -Errno.ENOMEM;
  }
  if (!allocate(pages * STRUCT_PAGE_BYTES)) return -Errno.ENOMEM;
  return frames.addZoneDevice('pci-p2pdma', firstFrame, pages);
}

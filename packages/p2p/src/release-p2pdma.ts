// The end of peer-to-peer state: what happens when the driver that offered the memory is unbound.
// Source followed: drivers/pci/p2pdma.c (pci_p2pdma_release), mm/memremap.c (memunmap_pages waits for references).
// The attribute that processes map goes first, and their mappings with it; pages that are pinned stay out.
// Simplified: where the kernel waits for blocks to come back, the call says so and is made again.

import type { PciDev } from './pci-dev.ts';

/**
 * Withdraws the pages of `pdev` and then its providers; remembered map types go with them. False while blocks of its
 * pool are out: no new ones are handed out, and the kernel would wait here.
 * @public
 */
export function releaseP2pdma(pdev: PciDev): boolean {
  for (const mapping of pdev.p2pdma?.mappings ?? []) mapping.unmap();
  const chunks = pdev.p2pdma?.pool?.chunks ?? [];
  for (const chunk of chunks) chunk.dying = true;
  if (chunks.some(({ liveBlocks }) => liveBlocks > 0)) return false;
  for (const { pagemap } of chunks) pdev.platform.frames.removeZoneDevice(pagemap);
  pdev.p2pdma = null;
  return true;
}

// Bus addresses in a scatterlist: entries whose pages are a peer's BAR on the same side of the root complex.
// Source followed: include/linux/pci-p2pdma.h (pci_p2pdma_bus_addr_map), include/linux/scatterlist.h
// (sg_dma_mark_bus_address, sg_dma_unmark_bus_address, sg_dma_is_bus_address).
// Simplified: none.

import type { Device, P2pdmaMapState } from '@sgfree/dma-core';
import { InternalError } from '@sgfree/hw-model';
import { type Scatterlist, SG_DMA_BUS_ADDRESS, sgPhys } from './scatterlist.ts';

/**
 * True when the DMA segment of entry `sg` is a bus address, which no IOMMU translates.
 * @public
 * @kernel sg_dma_is_bus_address
 */
export const sgDmaIsBusAddress = (sgl: Scatterlist, sg: number): boolean =>
  ((sgl.dmaFlags[sg] as number) & SG_DMA_BUS_ADDRESS) !== 0;

/**
 * Marks the DMA segment of entry `sg` as a bus address.
 * @public
 * @kernel sg_dma_mark_bus_address
 */
export function sgDmaMarkBusAddress(sgl: Scatterlist, sg: number): void {
  sgl.dmaFlags[sg] = (sgl.dmaFlags[sg] as number) | SG_DMA_BUS_ADDRESS;
}

/**
 * Withdraws the mark of {@link sgDmaMarkBusAddress}.
 * @public
 * @kernel sg_dma_unmark_bus_address
 */
export function sgDmaUnmarkBusAddress(sgl: Scatterlist, sg: number): void {
  sgl.dmaFlags[sg] = (sgl.dmaFlags[sg] as number) & ~SG_DMA_BUS_ADDRESS;
}

/** Maps entry `s` to what its provider, found in `state`, answers to on the bus. */
export function mapBusAddress(dev: Device, sgl: Scatterlist, s: number, state: P2pdmaMapState): void {
  const { p2p } = dev.platform;
  if (p2p === null || state.pagemap === null) throw new InternalError('a peer page without a classifier');
  sgl.dmaAddress[s] = p2p.busAddress(state.pagemap, sgPhys(sgl, s));
  sgl.dmaLength[s] = sgl.length[s] as number;
  sgDmaMarkBusAddress(sgl, s);
}

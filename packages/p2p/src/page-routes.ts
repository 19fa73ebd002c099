// PageRoutes: the routes behind BAR pages in a scatterlist or bio, as the DMA layer asks for them.
// Source followed: include/linux/pci-p2pdma.h (pci_p2pdma_state, pci_p2pdma_bus_addr_map), page_pgmap of a page.
// It is handed to the DMA layer as its classifier; the memo of one mapping call is the DMA layer's.
// Simplified: none.

import { type DmaAddr, dmaAddr, InternalError, type PhysAddr, rawOffset } from '@sgfree/hw-model';
import type { DevPagemap } from '@sgfree/mm';
import type { P2pdmaMapType } from './calc-map-type.ts';
import type { P2pClient } from './p2p-client.ts';
import type { P2pPlatform } from './p2p-platform.ts';
import type { P2pdmaProvider } from './pci-p2pdma.ts';
import { pciP2pdmaMapType } from './pci-p2pdma-map-type.ts';

/**
 * The bus address of CPU address `phys` of a provider.
 * @public
 * @kernel pci_p2pdma_bus_addr_map
 */
export const pciP2pdmaBusAddrMap = (provider: P2pdmaProvider, phys: PhysAddr): DmaAddr =>
  dmaAddr(rawOffset(phys, provider.busOffset));

/**
 * Answers the DMA layer's questions about pages of registered BARs.
 * @public
 */
export class PageRoutes {
  readonly #platform: P2pPlatform;
  readonly #known = new Map<DevPagemap, P2pdmaProvider>();

  constructor(platform: P2pPlatform) {
    this.#platform = platform;
  }

  /** The route from `client` to the provider behind `pagemap`. */
  mapType(pagemap: DevPagemap, client: P2pClient): P2pdmaMapType {
    return pciP2pdmaMapType(this.providerOf(pagemap), client);
  }

  /** What the BAR behind `pagemap` answers to for CPU address `phys`. */
  busAddress(pagemap: DevPagemap, phys: PhysAddr): DmaAddr {
    return pciP2pdmaBusAddrMap(this.providerOf(pagemap), phys);
  }

  /** The provider whose pages `pagemap` covers; throws {@link @sgfree/hw-model#InternalError} for any other pagemap. */
  providerOf(pagemap: DevPagemap): P2pdmaProvider {
    const known = this.#known.get(pagemap);
    if (known !== undefined) return known;
    for (const { p2pdma } of this.#platform.devices()) {
      const chunk = p2pdma?.pool?.chunks.find((candidate) => candidate.pagemap === pagemap);
      if (chunk === undefined) continue;
      this.#known.set(pagemap, chunk.provider);
      return chunk.provider;
    }
    throw new InternalError(`pagemap ${pagemap.id} covers no registered BAR`);
  }
}

// PageLayerMemory: a peer's BAR with struct pages, as scatterlists and bios carry it: registered, published, allocated.
// Source followed: drivers/pci/p2pdma.c (pci_p2pdma_add_resource, pci_p2pmem_publish, pci_alloc_p2pmem).
// Simplified: the whole BAR is registered, and one block of it taken.

import type { P2pClassifier } from '@sgfree/dma-core';
import type { PhysAddr } from '@sgfree/hw-model';
import {
  type P2pdmaMapType,
  PageRoutes,
  type PciDev,
  pciAllocP2pmem,
  pciFreeP2pmem,
  pciP2pdmaAddResource,
  pciP2pdmaDistance,
  pciP2pmemPublish,
  releaseP2pdma,
  structPageBytes,
} from '@sgfree/p2p/stage-0';
import type { PeerMemory, PeerMemoryParts } from './peer-memory.ts';

class PageLayerMemory implements PeerMemory {
  readonly classifier: P2pClassifier;
  readonly #pdev: PciDev;
  readonly #disk: PciDev;
  readonly #routes: PageRoutes;
  #taken: { readonly address: PhysAddr; readonly bytes: number } | null = null;

  /** `disk`: the function that stands for the one client, the DMA layer's device. */
  constructor(pdev: PciDev, disk: PciDev, forceBusAddress: boolean) {
    const routes = new PageRoutes(pdev.platform);
    this.#pdev = pdev;
    this.#disk = disk;
    this.#routes = routes;
    this.classifier = {
      mapType: (pagemap) => (forceBusAddress ? 'bus-addr' : routes.mapType(pagemap, disk)),
      busAddress: (pagemap, phys) => routes.busAddress(pagemap, phys),
    };
  }

  get capacity(): number {
    return this.#pdev.p2pdma?.pool?.size ?? 0;
  }

  get structPageBytes(): number {
    return structPageBytes(this.#pdev);
  }

  get liveBlocks(): number {
    const chunks = this.#pdev.p2pdma?.pool?.chunks ?? [];
    return chunks.reduce((blocks, chunk) => blocks + chunk.liveBlocks, 0);
  }

  get mapType(): P2pdmaMapType {
    const [chunk] = this.#pdev.p2pdma?.pool?.chunks ?? [];
    return chunk === undefined ? 'not-supported' : this.#routes.mapType(chunk.pagemap, this.#disk);
  }

  get distance(): number {
    return pciP2pdmaDistance(this.#pdev, this.#disk, false);
  }

  take(bytes: number): PhysAddr | null {
    const address = pciAllocP2pmem(this.#pdev, bytes);
    if (address !== null) this.#taken = { address, bytes };
    return address;
  }

  give(): void {
    if (this.#taken !== null) pciFreeP2pmem(this.#pdev, this.#taken.address, this.#taken.bytes);
    this.#taken = null;
  }

  release(): boolean {
    return releaseP2pdma(this.#pdev);
  }
}

/** Registers and publishes the whole BAR. @internal */
export function pageLayerMemory({ site, platform, forceBusAddress }: PeerMemoryParts): PeerMemory | number {
  const pdev = platform.devOf(site.target);
  const errno = pciP2pdmaAddResource(pdev, site.bar, 0, 0);
  if (errno !== 0) return errno;
  pciP2pmemPublish(pdev, true);
  return new PageLayerMemory(pdev, platform.devOf(site.disk.endpoint), forceBusAddress);
}

// ProviderLayerMemory: a peer's BAR as a provider and a physical range: no struct page, no pool.
// Source followed: drivers/pci/p2pdma.c (pcim_p2pdma_init, pcim_p2pdma_provider, pci_p2pdma_map_type).
// Who may use which part of the BAR is its owner's business: here the run takes it from the start.
// Simplified: one taker.

import type { Device, P2pClassifier } from '@sgfree/dma-core';
import type { DmaAddr, PhysAddr } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import {
  type P2pdmaMapType,
  type P2pdmaProvider,
  type PciDev,
  pcimP2pdmaInit,
  pcimP2pdmaProvider,
  pciP2pdmaBusAddrMap,
  pciP2pdmaDistance,
  pciP2pdmaMapType,
  releaseP2pdma,
} from '@sgfree/p2p/stage-2';
import type { PeerMemory, PeerMemoryParts } from './peer-memory.ts';

/**
 * Answers about providers, by the shape in which a driver asks.
 * @internal
 */
export interface ProviderRoutes {
  mapType(provider: P2pdmaProvider, client: Device): P2pdmaMapType;
  busAddress(provider: P2pdmaProvider, phys: PhysAddr): DmaAddr;
}

/**
 * The memory of one provider.
 * @internal
 */
export class ProviderLayerMemory implements PeerMemory {
  readonly provider: P2pdmaProvider;
  readonly capacity: number;
  readonly classifier: P2pClassifier | null = null;
  readonly structPageBytes = 0;
  liveBlocks = 0;
  /** The routes as a driver asks for them. */
  readonly routes: ProviderRoutes;
  readonly #start: PhysAddr;
  /** The function that stands for the one client, the DMA layer's device. */
  readonly #disk: PciDev;

  constructor(provider: P2pdmaProvider, { site, forceBusAddress }: PeerMemoryParts) {
    this.provider = provider;
    this.#disk = provider.owner.platform.devOf(site.disk.endpoint);
    this.capacity = site.target.bar(site.bar)?.bytes ?? 0;
    this.#start = site.fabric.barPhys(site.target, site.bar);
    this.routes = {
      mapType: (asked) => (forceBusAddress ? 'bus-addr' : pciP2pdmaMapType(asked, this.#disk)),
      busAddress: pciP2pdmaBusAddrMap,
    };
  }

  get mapType(): P2pdmaMapType {
    return pciP2pdmaMapType(this.provider, this.#disk);
  }

  get distance(): number {
    return pciP2pdmaDistance(this.provider.owner, this.#disk, false);
  }

  take(bytes: number): PhysAddr | null {
    if (this.liveBlocks > 0 || bytes > this.capacity) return null;
    this.liveBlocks = 1;
    return this.#start;
  }

  give(): void {
    this.liveBlocks = 0;
  }

  release(): boolean {
    return releaseP2pdma(this.provider.owner);
  }
}

/** Makes a provider of the BAR. @internal */
export function providerLayerMemory(parts: PeerMemoryParts): ProviderLayerMemory | number {
  const { site, platform } = parts;
  const pdev = platform.devOf(site.target);
  const errno = pcimP2pdmaInit(pdev);
  if (errno !== 0) return errno;
  const provider = pcimP2pdmaProvider(pdev, site.bar);
  return provider === null ? -Errno.EINVAL : new ProviderLayerMemory(provider, parts);
}

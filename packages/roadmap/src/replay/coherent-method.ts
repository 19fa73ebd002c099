// CoherentMethod: coherent memory, whose pages the trace names: one range of addresses, mapped in contiguous runs.
// Source followed: drivers/iommu/dma-iommu.c (__iommu_dma_alloc_noncontiguous, iommu_dma_free), kernel/dma/direct.c.
// Without an IOMMU the address is the physical one, and nothing is mapped.
// Simplified: the memory itself is not allocated; the caller keeps address and CPU pointer anyway, so that nothing is
// counted as tracking memory.

import { dmaInfoToProt, iommuDmaAllocIova, iommuDmaFreeIova, iommuDmaUnmapRange } from '@sgfree/dma-core';
import { iommuMapSg, Scatterlist } from '@sgfree/dma-sg';
import { type DmaAddr, dmaAddr, rawOffset } from '@sgfree/hw-model';
import { DMA_VEC, type MappingMethod } from './mapping-method.ts';
import type { ReplayMapping } from './replay-mapping.ts';
import type { RunDevice } from './run-device.ts';
import { fillScatterlist } from './scatterlist-fill.ts';

/** Maps what dma_alloc_attrs allocated. */
export class CoherentMethod implements MappingMethod {
  readonly failure = 'coherent-alloc-failed';
  readonly structure: number = DMA_VEC;
  readonly entries = 0;
  readonly rangesOut = 1;
  /** By slot. */
  readonly #addresses: number[] = [];
  readonly #list = new Scatterlist();
  readonly #translated: boolean;

  /** `translated`: the run has an IOMMU that translates. */
  constructor(translated: boolean) {
    this.#translated = translated;
  }

  map(device: RunDevice, mapping: ReplayMapping): number {
    const address = device.domain === null ? (mapping.phys[0] as number) : this.#mapPages(device, mapping);
    this.#addresses[mapping.slot] = address;
    return address;
  }

  unmap({ dev, domain }: RunDevice, { slot, totalBytes }: ReplayMapping): void {
    if (domain !== null) iommuDmaUnmapRange(dev, this.#addressOf(slot), totalBytes);
  }

  /** Without an IOMMU the kernel would have taken one contiguous block, so that the pieces' places say nothing. */
  lastByte({ slot, phys, totalBytes }: ReplayMapping): number {
    return phys.length === 1 || this.#translated ? rawOffset(this.#addressOf(slot), totalBytes - 1) : -1;
  }

  #mapPages({ dev, domain }: RunDevice, mapping: ReplayMapping): number {
    const { totalBytes } = mapping;
    const iova = iommuDmaAllocIova(dev, totalBytes, dev.coherentDmaMask);
    if (iova === 0 || domain === null) return -1;
    fillScatterlist(this.#list, mapping);
    const prot = dmaInfoToProt('bidirectional', dev.dmaCoherent, mapping.attrs);
    if (iommuMapSg(domain, iova, this.#list, this.#list.entryCount, prot) === totalBytes) return iova;
    iommuDmaFreeIova(dev, iova, totalBytes);
    return -1;
  }

  #addressOf(slot: number): DmaAddr {
    return dmaAddr(this.#addresses[slot] as number);
  }
}

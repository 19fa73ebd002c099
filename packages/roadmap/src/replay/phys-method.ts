// PhysMethod: one contiguous range through dma_map_phys; the caller remembers address and length.
// Source followed: kernel/dma/mapping.c; struct nvme_dma_vec of drivers/nvme/host/pci.c is what remembering costs.
// Simplified: none.

import { dmaMapPhys, dmaNeedUnmap, dmaUnmapPhys } from '@sgfree/dma-core';
import { dmaAddr, physAddr } from '@sgfree/hw-model';
import { DMA_VEC, type MappingMethod } from './mapping-method.ts';
import type { ReplayMapping } from './replay-mapping.ts';
import type { RunDevice } from './run-device.ts';

/** Maps with dma_map_phys. */
export class PhysMethod implements MappingMethod {
  readonly failure = 'map-phys-failed';
  readonly structure: number = DMA_VEC;
  entries = 0;
  readonly rangesOut = 1;
  /** By slot. */
  readonly #addresses: number[] = [];

  map({ dev }: RunDevice, { slot, phys, totalBytes, direction, attrs }: ReplayMapping): number {
    const address = dmaMapPhys(dev, physAddr(phys[0] as number), totalBytes, direction, attrs);
    this.#addresses[slot] = address;
    this.entries = dmaNeedUnmap(dev) ? 1 : 0;
    return address;
  }

  unmap({ dev }: RunDevice, { slot, totalBytes, direction, attrs }: ReplayMapping): void {
    dmaUnmapPhys(dev, dmaAddr(this.#addresses[slot] as number), totalBytes, direction, attrs);
  }

  lastByte({ slot, totalBytes }: ReplayMapping): number {
    return (this.#addresses[slot] as number) + totalBytes - 1;
  }
}

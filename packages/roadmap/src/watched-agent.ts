// WatchedAgent: an IOMMU unit with the checker looking over its shoulder: every request of the disk is held against what
// its driver mapped.
// Source followed: none; a kernel does not see a device's accesses.
// Simplified: a request is checked at its first byte, which is all that a translation is asked for.

import { checkDmaAccess, type Device } from '@sgfree/dma-core';
import type { DmaAddr, PhysAddr, TranslationAgent } from '@sgfree/hw-model';

/**
 * Passes requests on to a unit after they were checked.
 * @internal
 */
export class WatchedAgent implements TranslationAgent {
  readonly #unit: TranslationAgent;
  readonly #dev: Device;

  constructor(unit: TranslationAgent, dev: Device) {
    this.#unit = unit;
    this.#dev = dev;
  }

  translate(requesterId: number, address: DmaAddr, write: boolean): PhysAddr | -1 {
    if (requesterId === this.#dev.requesterId)
      checkDmaAccess(this.#dev, address, 1, write ? 'write' : 'read');
    return this.#unit.translate(requesterId, address, write);
  }
}

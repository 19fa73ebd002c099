// NvmeBar: the controller's registers and doorbells as the CPU reaches them, by loads and stores to BAR 0.
// Source followed: drivers/nvme/host/pci.c (readl, writel, lo_hi_writeq on dev->bar); include/linux/nvme.h (NVME_REG_*).
// Simplified: every access succeeds or the machine is broken; doorbell stride 0.

import { addOffset, hex, InternalError, type PhysAddr, type PhysicalMemory } from '@sgfree/hw-model';
import { putLe64 } from './submission-entry.ts';

/** Register offsets the driver uses. */
export const NVME_REG: {
  readonly cap: 0x00;
  readonly cc: 0x14;
  readonly csts: 0x1c;
  readonly aqa: 0x24;
  readonly asq: 0x28;
  readonly acq: 0x30;
  readonly doorbells: 0x1000;
} = { cap: 0x00, cc: 0x14, csts: 0x1c, aqa: 0x24, asq: 0x28, acq: 0x30, doorbells: 0x1000 };

/**
 * Access to one controller's BAR 0.
 * @public
 */
export class NvmeBar {
  readonly #memory: PhysicalMemory;
  readonly #base: PhysAddr;
  readonly #bytes = new Uint8Array(8);
  readonly #view = new DataView(this.#bytes.buffer);

  constructor(memory: PhysicalMemory, base: PhysAddr) {
    this.#memory = memory;
    this.#base = base;
  }

  read32(offset: number): number {
    if (!this.#memory.read(addOffset(this.#base, offset), this.#bytes.subarray(0, 4)))
      throw this.#broken(offset);
    return this.#view.getUint32(0, true);
  }

  write32(offset: number, value: number): void {
    this.#view.setUint32(0, value, true);
    this.#store(offset, 4);
  }

  write64(offset: number, value: number): void {
    putLe64(this.#view, 0, value);
    this.#store(offset, 8);
  }

  /** Tells the controller the new tail of submission queue `id`. */
  ringSubmission(id: number, tail: number): void {
    this.write32(NVME_REG.doorbells + 8 * id, tail);
  }

  /** Tells the controller the new head of completion queue `id`. */
  ringCompletion(id: number, head: number): void {
    this.write32(NVME_REG.doorbells + 8 * id + 4, head);
  }

  #store(offset: number, bytes: number): void {
    const address = addOffset(this.#base, offset);
    if (!this.#memory.write(address, this.#bytes.subarray(0, bytes))) throw this.#broken(offset);
  }

  #broken(offset: number): InternalError {
    return new InternalError(`no controller answers at ${hex(this.#base)}+${hex(offset)}`);
  }
}

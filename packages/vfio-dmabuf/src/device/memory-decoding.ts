// MemoryDecoding: whether a function answers memory requests: its command register, and what stops it in spite of that.
// Source followed: PCI Power Management 1.2, section 5.4 (a function in D3hot answers configuration requests only); PCI
// Express Base Specification 6.0, section 6.6.2 (function-level reset).
// Simplified: the modelled function knows only its command bit, so that a function which is stopped for another reason has
// the bit cleared until the reason is gone; readers of the register are shown what was written.

import type { PciFunction } from '@sgfree/hw-model';

/** Offset of the command register. @internal */
export const PCI_COMMAND = 0x04;
/** Command bit: memory requests are answered. @internal */
export const PCI_COMMAND_MEMORY = 0x2;
/** Command bit: requests may be issued. @internal */
export const PCI_COMMAND_MASTER = 0x4;

/**
 * Why a function does not answer though its command register says so.
 * @internal
 */
export type DecodingStop = 'power' | 'reset' | 'suspend';

/**
 * Memory decoding of one function.
 * @internal
 */
export class MemoryDecoding {
  readonly #fn: PciFunction;
  /** The bit is hardwired and decoding is always on, as in a virtual function. */
  readonly #always: boolean;
  readonly #stops = new Set<DecodingStop>();
  #written: boolean;

  constructor(fn: PciFunction, always: boolean) {
    this.#fn = fn;
    this.#always = always;
    this.#written = always || fn.memoryEnabled;
    this.#apply();
  }

  /** The memory bit as hardware would show it. */
  get bit(): boolean {
    return this.#written && !this.#always;
  }

  /** Takes over what was just written to the command register. */
  commandWritten(): void {
    if (!this.#always) this.#written = (this.#fn.config.read(PCI_COMMAND, 2) & PCI_COMMAND_MEMORY) !== 0;
    this.#apply();
  }

  /** The function stops answering. */
  stop(why: DecodingStop): void {
    this.#stops.add(why);
    this.#apply();
  }

  /** One reason less; it answers again when none is left and the command register allows. */
  resume(why: DecodingStop): void {
    this.#stops.delete(why);
    this.#apply();
  }

  #apply(): void {
    const { config } = this.#fn;
    const memory = this.#written && this.#stops.size === 0 ? PCI_COMMAND_MEMORY : 0;
    config.preset(PCI_COMMAND, 2, (config.read(PCI_COMMAND, 2) & ~PCI_COMMAND_MEMORY) | memory);
  }
}

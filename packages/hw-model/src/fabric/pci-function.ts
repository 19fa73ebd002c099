// PciFunction: one function on a bus: configuration bytes, BARs, and the id its requests carry.
// Source followed: PCI Express Base Specification 6.0, section 7.5.1 (header) and 2.2.6.2 (transaction ID).
// Decoded fields are cached and dropped whenever a configuration byte changes: the bytes are the truth.
// Simplified: no resets, no virtual functions, no ARI (three bits of function number).

import type { TranslationAgent } from '../translation-agent.ts';
import { acsOffset } from './access-control-services.ts';
import { PCI_COMMAND, PCI_COMMAND_MASTER, PCI_COMMAND_MEMORY } from './config-header.ts';
import type { ConfigSpace } from './config-space.ts';
import { type BarSpec, PciBar } from './pci-bar.ts';
import type { PciBus } from './pci-bus.ts';
import { type TlpSizes, tlpSizes } from './pci-express-capability.ts';

/**
 * Where a function sits, and its bytes.
 * @public
 */
export interface FunctionPlace {
  readonly name: string;
  readonly bus: PciBus;
  readonly device: number;
  readonly functionNumber: number;
  readonly config: ConfigSpace;
}

/**
 * A PCI function.
 * @public
 */
export class PciFunction {
  readonly name: string;
  readonly bus: PciBus;
  readonly device: number;
  readonly functionNumber: number;
  readonly config: ConfigSpace;
  readonly bars: readonly PciBar[];
  /** Bus behind this function; null unless it is a bridge. */
  readonly secondaryBus: PciBus | null = null;
  /** The IOMMU unit that covers this function's requests at the root complex; null = none. */
  translationAgent: TranslationAgent | null = null;
  #generation = -1;
  #command = 0;
  #acsAt = 0;
  #sizes: TlpSizes = { maxPayloadBytes: 128, maxReadRequestBytes: 512 };
  readonly #barBase: Float64Array;

  constructor(place: FunctionPlace, bars: readonly BarSpec[]) {
    this.name = place.name;
    this.bus = place.bus;
    this.device = place.device;
    this.functionNumber = place.functionNumber;
    this.config = place.config;
    this.bars = bars.map((spec) => new PciBar(place.config, spec));
    this.#barBase = new Float64Array(bars.length);
  }

  /** Device and function number: device \<\< 3 | function. */
  get devfn(): number {
    return this.device * 8 + this.functionNumber;
  }

  /** What this function's requests carry: bus \<\< 8 | devfn. */
  get requesterId(): number {
    return this.bus.number * 256 + this.devfn;
  }

  /** Command register: requests may be issued (or, in a bridge, forwarded upstream). */
  get busMaster(): boolean {
    this.#decode();
    return (this.#command & PCI_COMMAND_MASTER) !== 0;
  }

  /** Command register: memory requests are answered (or, in a bridge, forwarded downstream). */
  get memoryEnabled(): boolean {
    this.#decode();
    return (this.#command & PCI_COMMAND_MEMORY) !== 0;
  }

  /** TLP sizes set in Device Control now. */
  get tlpSizes(): TlpSizes {
    this.#decode();
    return this.#sizes;
  }

  /** Offset of the ACS capability; 0 = none. */
  get acsAt(): number {
    this.#decode();
    return this.#acsAt;
  }

  /** A configuration write to the command register. */
  setCommand(bits: { readonly memory: boolean; readonly busMaster: boolean }): void {
    const kept = this.config.read(PCI_COMMAND, 2) & ~(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    const memory = bits.memory ? PCI_COMMAND_MEMORY : 0;
    this.config.write(PCI_COMMAND, 2, kept | memory | (bits.busMaster ? PCI_COMMAND_MASTER : 0));
  }

  /** The BAR with this register number; undefined when the function has none there. */
  bar(index: number): PciBar | undefined {
    return this.bars.find((bar) => bar.index === index);
  }

  /** The BAR of this function that answers all of [address, end) now; null when none does. */
  claim(address: number, end: number): PciBar | null {
    if (!this.memoryEnabled) return null;
    for (let i = 0; i < this.bars.length; i += 1) {
      const bar = this.bars[i] as PciBar;
      const base = this.#barBase[i] as number;
      if (base !== 0 && address >= base && end <= base + bar.bytes) return bar;
    }
    return null;
  }

  #decode(): void {
    if (this.#generation === this.config.generation) return;
    this.#generation = this.config.generation;
    this.#command = this.config.read(PCI_COMMAND, 2);
    this.#sizes = tlpSizes(this.config);
    this.#acsAt = acsOffset(this.config);
    for (const [i, bar] of this.bars.entries()) this.#barBase[i] = bar.address;
  }
}

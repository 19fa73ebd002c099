// PciBar: one memory base address register: how large it is, where software put it, and what answers there.
// Source followed: PCI Express Base Specification 6.0, section 7.5.1.2.1.
// Simplified: memory BARs only; a BAR still at address 0 counts as unassigned and answers nothing.

import { highWord, lowWord, type PciBusAddr, pciBusAddr } from '../addresses.ts';
import { InternalError } from '../internal-error.ts';
import type { MmioTarget } from '../physical-memory.ts';
import { PCI_BASE_ADDRESS_0 } from './config-header.ts';
import type { ConfigSpace } from './config-space.ts';
import { pciRebarGetPossibleSizes, setRebarSize } from './resizable-bar.ts';

/**
 * What a device offers behind one base address register.
 * @public
 */
export interface BarSpec {
  /** Register number 0 to 5; a 64-bit BAR also takes the next one. */
  readonly index: number;
  /** A power of two, at least 16. */
  readonly bytes: number;
  /** Default 64. */
  readonly width?: 32 | 64;
  /** Default false. */
  readonly prefetchable?: boolean;
  /** Sizes that software may choose, in bytes, each a power of two from 1 MiB on; default: `bytes` for ever. */
  readonly resizable?: readonly number[];
  readonly target: MmioTarget;
}

/**
 * A memory BAR of a function.
 * @public
 */
export class PciBar {
  readonly index: number;
  readonly width: 32 | 64;
  readonly prefetchable: boolean;
  readonly target: MmioTarget;
  /** Clock step of the last request of a device (not of the CPU) that reached this BAR; -1 = never. */
  lastAccessStep = -1;
  readonly #config: ConfigSpace;
  readonly #offset: number;
  #bytes: number;

  /** Takes the register(s) in `config`: size bits read-only, type bits set, address 0. */
  constructor(config: ConfigSpace, spec: BarSpec) {
    this.index = spec.index;
    this.#bytes = spec.bytes;
    this.width = spec.width ?? 64;
    this.prefetchable = spec.prefetchable ?? false;
    this.target = spec.target;
    this.#config = config;
    this.#offset = PCI_BASE_ADDRESS_0 + 4 * spec.index;
    const lastIndex = this.width === 64 ? 4 : 5;
    if (!Number.isInteger(Math.log2(spec.bytes)) || spec.bytes < 16 || spec.index > lastIndex) {
      throw new InternalError(`BAR ${spec.index} of ${spec.bytes} bytes`);
    }
    this.#presetRegisters();
  }

  /** Bytes that the BAR decodes; a power of two. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Software chooses another size with memory decoding off: the BAR forgets its address. False for a size that the device
   * does not offer; nothing is changed then.
   */
  resize(bytes: number): boolean {
    if (!pciRebarGetPossibleSizes(this.#config, this.index).includes(bytes)) return false;
    setRebarSize(this.#config, this.index, bytes);
    this.#bytes = bytes;
    this.#config.preset(this.#offset, 4, 0);
    if (this.width === 64) this.#config.preset(this.#offset + 4, 4, 0);
    this.#presetRegisters();
    return true;
  }

  /** The bus address programmed now (decoding or not); 0 = unassigned. */
  get address(): PciBusAddr {
    const low = this.#config.read(this.#offset, 4);
    const high = this.width === 64 ? this.#config.read(this.#offset + 4, 4) : 0;
    return pciBusAddr(high * 2 ** 32 + low - (low & 0xf));
  }

  /** Programs the register(s) as software does; bits below the size stay zero. */
  assign(address: PciBusAddr): void {
    const high = highWord(address);
    this.#config.write(this.#offset, 4, lowWord(address));
    if (this.width === 64) this.#config.write(this.#offset + 4, 4, high);
    else if (high !== 0) throw new InternalError(`BAR ${this.index} is 32 bits wide`);
  }

  #presetRegisters(): void {
    const flags = (this.width === 64 ? 4 : 0) + (this.prefetchable ? 8 : 0);
    this.#config.preset(this.#offset, 4, flags);
    this.#config.permit(this.#offset, 4, this.bytes >= 2 ** 32 ? 0 : 2 ** 32 - this.bytes);
    if (this.width === 32) return;
    const highMask = this.bytes >= 2 ** 32 ? 2 ** 32 - this.bytes / 2 ** 32 : 0xffffffff;
    this.#config.permit(this.#offset + 4, 4, highMask);
  }
}

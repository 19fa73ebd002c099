// VfioVirtualConfig: the configuration space that the user sees: some bits are VFIO's own copy, the rest is hardware's.
// Source followed: vfio_config_init, vfio_default_config_read and vfio_default_config_write in
// drivers/vfio/pci/vfio_pci_config.c.
// Simplified: writable are the command register, BARs (a copy only), power management, Device Control and the AF control;
// all other bits are read-only. A function's BARs survive its reset, so none has to be restored.

import { CONFIG_SPACE_BYTES, type ConfigWidth, findCapability, type PciFunction } from '@sgfree/hw-model';
import { type MemoryDecoding, PCI_COMMAND, PCI_COMMAND_MEMORY } from '../device/memory-decoding.ts';

const PCI_COMMAND_INTX_DISABLE = 0x400;
const PCI_BASE_ADDRESS_0 = 0x10;
const PCI_CAP_ID_PM = 0x01;
const PCI_CAP_ID_EXP = 0x10;
const PCI_CAP_ID_AF = 0x13;
/** Power management control: all but the power state, which only VFIO writes, and the wake-up bits. */
const PM_CTRL_WRITABLE = 0x7efc;
/** Offset of the power management control in its capability. @internal */
export const PM_CTRL = 4;
/** Device Control: a function-level reset is asked for. @internal */
export const PCI_EXP_DEVCTL_BCR_FLR = 0x8000;
/** AF control: a function-level reset is asked for. @internal */
export const PCI_AF_CTRL_FLR = 0x1;

/**
 * A configuration space with bits that hardware never sees.
 * @public
 */
export class VfioVirtualConfig {
  /** Offsets of the capabilities that can stop the memory; 0 = not there. */
  readonly pmAt: number;
  readonly expAt: number;
  readonly afAt: number;
  readonly #fn: PciFunction;
  readonly #decoding: MemoryDecoding;
  readonly #noCommandMemory: boolean;
  readonly #fault: (offset: number, value: number) => number;
  #copy: DataView = new DataView(new ArrayBuffer(CONFIG_SPACE_BYTES));
  /** Bits that come from the copy, and bits that the user may write. */
  readonly #virtual: DataView = new DataView(new ArrayBuffer(CONFIG_SPACE_BYTES));
  readonly #writable: DataView = new DataView(new ArrayBuffer(CONFIG_SPACE_BYTES));

  /** @internal */
  constructor(
    fn: PciFunction,
    decoding: MemoryDecoding,
    noCommandMemory: boolean,
    fault: (offset: number, value: number) => number = () => 0,
  ) {
    this.#fn = fn;
    this.#decoding = decoding;
    this.#noCommandMemory = noCommandMemory;
    this.#fault = fault;
    this.pmAt = findCapability(fn.config, PCI_CAP_ID_PM);
    this.expAt = findCapability(fn.config, PCI_CAP_ID_EXP);
    this.afAt = findCapability(fn.config, PCI_CAP_ID_AF);
    this.#permit();
    this.init();
  }

  /** Copies hardware's bytes; a function without a memory bit shows one that is set. @internal */
  init(): void {
    this.#copy = new DataView(this.#fn.config.dump().buffer);
    const hardware = this.hardware(PCI_COMMAND, 2);
    const always = this.#noCommandMemory ? PCI_COMMAND_MEMORY : 0;
    this.#copy.setUint16(PCI_COMMAND, hardware | always, true);
  }

  /** The copy, all of it: what VFIO goes by. */
  read(offset: number, width: ConfigWidth): number {
    return get(this.#copy, offset, width);
  }

  /** Changes the copy alone. @internal */
  set(offset: number, width: ConfigWidth, value: number): void {
    put(this.#copy, offset, width, value);
  }

  /** What the user reads. */
  userRead(offset: number, width: ConfigWidth): number {
    const mask = get(this.#virtual, offset, width);
    return merge(this.hardware(offset, width), this.read(offset, width), mask);
  }

  /** Hardware's registers, with the memory bit as it was written. @internal */
  hardware(offset: number, width: ConfigWidth): number {
    const raw = this.#fn.config.read(offset, width);
    // The bit is in the register's first byte; a field of the register that starts there holds it at the same place.
    if (offset !== PCI_COMMAND) return raw;
    const bit = PCI_COMMAND_MEMORY;
    return merge(raw, this.#decoding.bit ? bit : 0, bit);
  }

  /** A write of the user to an aligned field: 0, or the negative errno of the write to hardware. @internal */
  userWrite(offset: number, width: ConfigWidth, value: number): number {
    const writable = get(this.#writable, offset, width);
    const virtual = get(this.#virtual, offset, width);
    const toCopy = merge(0, writable, virtual);
    this.set(offset, width, merge(this.read(offset, width), value, toCopy));
    this.#fitBars(offset);
    const toHardware = merge(writable, 0, virtual);
    return toHardware === 0 ? 0 : this.#writeHardware(offset, width, value, toHardware);
  }

  #writeHardware(offset: number, width: ConfigWidth, value: number, mask: number): number {
    const { config } = this.#fn;
    const error = this.#fault(offset, value);
    if (error !== 0) return error;
    config.write(offset, width, merge(this.hardware(offset, width), value, mask));
    if (offset === PCI_COMMAND) this.#decoding.commandWritten();
    return 0;
  }

  /** A BAR shows its size: address bits below it cannot be set, type bits cannot be changed. */
  #fitBars(offset: number): void {
    for (const { index, width, bytes } of this.#fn.bars) {
      const at = PCI_BASE_ADDRESS_0 + 4 * index;
      if (offset < at || offset >= at + width / 8) continue;
      const low = bytes >= 2 ** 32 ? 0 : 2 ** 32 - bytes;
      const flags = this.#fn.config.read(at, 4) & 0xf;
      this.set(at, 4, merge(flags, this.read(at, 4), low));
      if (width === 64 && bytes > 2 ** 32) {
        this.set(at + 4, 4, merge(0, this.read(at + 4, 4), 2 ** 32 - bytes / 2 ** 32));
      }
    }
  }

  #permit(): void {
    put(this.#virtual, PCI_COMMAND, 2, PCI_COMMAND_INTX_DISABLE);
    if (this.#noCommandMemory)
      put(this.#virtual, PCI_COMMAND, 2, PCI_COMMAND_INTX_DISABLE + PCI_COMMAND_MEMORY);
    put(this.#writable, PCI_COMMAND, 2, 0xffff);
    for (let at = PCI_BASE_ADDRESS_0; at < 0x28; at += 4) {
      put(this.#virtual, at, 4, 0xffffffff);
      put(this.#writable, at, 4, 0xffffffff);
    }
    if (this.pmAt !== 0) put(this.#writable, this.pmAt + PM_CTRL, 2, PM_CTRL_WRITABLE);
    if (this.expAt !== 0) {
      put(this.#virtual, this.expAt + 8, 2, PCI_EXP_DEVCTL_BCR_FLR);
      put(this.#writable, this.expAt + 8, 2, 0xffff);
    }
    if (this.afAt === 0) return;
    put(this.#virtual, this.afAt + 4, 1, PCI_AF_CTRL_FLR);
    put(this.#writable, this.afAt + 4, 1, PCI_AF_CTRL_FLR);
  }
}

/** `base` with the bits of `mask` from `from`. */
const merge = (base: number, from: number, mask: number): number => ((base & ~mask) | (from & mask)) >>> 0;

function get(view: DataView, offset: number, width: ConfigWidth): number {
  if (width === 1) return view.getUint8(offset);
  return width === 2 ? view.getUint16(offset, true) : view.getUint32(offset, true);
}

function put(view: DataView, offset: number, width: ConfigWidth, value: number): void {
  if (width === 1) view.setUint8(offset, value);
  else if (width === 2) view.setUint16(offset, value, true);
  else view.setUint32(offset, value, true);
}

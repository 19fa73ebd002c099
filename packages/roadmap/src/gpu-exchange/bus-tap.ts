// BusTap: a bus analyser on one computer: it tells of every access of a device to the card's memory and to the system memory of its
// objects, by whom it was made.
// Source followed: none; it is clipped onto the objects of the model, which know nothing of it.
// Simplified: accesses of the processor are not told: they are made by no function.

import {
  byteDistance,
  frameOf,
  PAGE_SIZE,
  type PciFunction,
  type PhysAddr,
  type PhysicalMemory,
  type PhysRange,
} from '@sgfree/hw-model';
import type { ExchangeComputer } from './exchange-computer.ts';
import type { ObjectPage } from './object-places.ts';

/** An access. @internal */
export interface TappedAccess extends ObjectPage {
  /** Null: the card's own engine, inside the card. */
  readonly by: PciFunction | null;
}

/** Clips on; `heard` is told, before the access is made. System memory counts where it lies in `ram`. @internal */
export class BusTap {
  #by: PciFunction | null = null;
  readonly #ram: PhysRange;
  readonly #heard: (access: TappedAccess) => void;

  constructor(
    { fabric, gpu, memory }: ExchangeComputer,
    ram: PhysRange,
    heard: (access: TappedAccess) => void,
  ) {
    this.#ram = ram;
    this.#heard = heard;
    this.#tapFabric(fabric);
    this.#tapVram(gpu.vram);
    this.#tapMemory(memory);
  }

  #tapFabric(fabric: ExchangeComputer['fabric']): void {
    const read = fabric.read.bind(fabric);
    const write = fabric.write.bind(fabric);
    fabric.read = (by, ...rest) => this.#during(by, () => read(by, ...rest));
    fabric.write = (by, ...rest) => this.#during(by, () => write(by, ...rest));
  }

  #tapVram(vram: ExchangeComputer['gpu']['vram']): void {
    const read = vram.mmioRead.bind(vram);
    const write = vram.mmioWrite.bind(vram);
    vram.mmioRead = (offset, into) => {
      this.#tell(true, Math.floor(offset / PAGE_SIZE));
      return read(offset, into);
    };
    vram.mmioWrite = (offset, from) => {
      this.#tell(true, Math.floor(offset / PAGE_SIZE));
      return write(offset, from);
    };
  }

  #tapMemory(memory: PhysicalMemory): void {
    const read = memory.read.bind(memory);
    const write = memory.write.bind(memory);
    memory.read = (address, ...rest) => {
      this.#tellFrame(address);
      return read(address, ...rest);
    };
    memory.write = (address, ...rest) => {
      this.#tellFrame(address);
      return write(address, ...rest);
    };
  }

  #during<T>(by: PciFunction, access: () => T): T {
    this.#by = by;
    const result = access();
    this.#by = null;
    return result;
  }

  #tellFrame(address: PhysAddr): void {
    const { base, bytes } = this.#ram;
    const into = byteDistance(base, address);
    if (this.#by === null || into < 0 || into >= bytes) return;
    this.#tell(false, frameOf(address));
  }

  #tell(vram: boolean, page: number): void {
    this.#heard({ by: this.#by, vram, page });
  }
}

// Device and page tables of a VT-d unit, written into memory by hand: what an IOMMU driver leaves behind, no driver.
// Source followed: VT-d specification 9.1 (root), 9.3 (context), 9.8 (second-stage entries); legacy mode, four levels.
// Simplified: one device, one domain, 4 KiB leaves; tables are never freed.

import { PAGE_SIZE, type PhysicalMemory, VtdCommand, VtdRegister, type VtdUnit } from '../src/index.ts';

/** Permission bits of an entry. */
export const READ_ONLY = 1;
export const WRITE_ONLY = 2;
export const READ_WRITE = 3;

const DOMAIN = 2;

/** The tables of one device, in frames from `firstFrame` on. */
export class VtdTables {
  readonly #memory: PhysicalMemory;
  readonly #root: number;
  readonly #pageTable: number;
  #next: number;

  constructor(memory: PhysicalMemory, firstFrame: number, requesterId: number) {
    this.#memory = memory;
    this.#root = firstFrame;
    this.#pageTable = firstFrame + 2;
    this.#next = firstFrame + 3;
    const context = firstFrame + 1;
    const device = (requesterId & 0xff) * 4;
    memory.frameWords(this.#root)[(requesterId >> 8) * 4] = context * PAGE_SIZE + 1;
    // Translate untranslated requests, present; width 2 = four levels.
    memory.frameWords(context).set([this.#pageTable * PAGE_SIZE + 1, 0, DOMAIN * 256 + 2, 0], device);
  }

  /** Points the unit at the root table and turns translation on. */
  install(unit: VtdUnit): void {
    unit.writeRegister64(VtdRegister.RTADDR, [this.#root * PAGE_SIZE, 0]);
    unit.writeRegister32(VtdRegister.GCMD, VtdCommand.setRootPointer);
    unit.writeRegister32(VtdRegister.GCMD, VtdCommand.translationEnable);
  }

  /** Maps one page; permission 0 takes it away. */
  map(iovaFrame: number, frame: number, permissions: number): void {
    const words = this.#memory.frameWords(this.#leafTable(iovaFrame));
    words[(iovaFrame % 512) * 2] = permissions === 0 ? 0 : frame * PAGE_SIZE + permissions;
  }

  #leafTable(iovaFrame: number): number {
    let table = this.#pageTable;
    for (const span of [512 ** 3, 512 ** 2, 512]) {
      const words = this.#memory.frameWords(table);
      const at = (Math.floor(iovaFrame / span) % 512) * 2;
      if (words[at] === 0) words[at] = this.#next++ * PAGE_SIZE + READ_WRITE;
      table = (words[at] as number) >>> 12;
    }
    return table;
  }
}

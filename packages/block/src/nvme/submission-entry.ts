// NvmeSubmissionEntry: the 64 bytes a driver writes into a submission queue, field by field.
// Source followed: include/linux/nvme.h (struct nvme_command); NVM Express Base Specification 2.0, section 3.3.3.1.
// Simplified: the fields that queue management, Identify, Read, Write and Flush use.

import type { DmaAddr } from '@sgfree/hw-model';

/**
 * Flag bit of the entry: the data pointer is an SGL (`NVME_CMD_SGL_METABUF`, PSDT 1).
 * @public
 */
export const NVME_CMD_SGL_METABUF = 0x40;

const ENTRY_BYTES = 64;
const DATA_POINTER = 24;

/**
 * Stores `value` (below 2^53) as 8 little-endian bytes.
 * @internal
 */
export function putLe64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 2 ** 32, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}

/**
 * The 8 little-endian bytes at `at` as a number.
 * @internal
 */
export function le64At(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
}

/**
 * A command under construction.
 * @public
 */
export class NvmeSubmissionEntry {
  readonly bytes: Uint8Array = new Uint8Array(ENTRY_BYTES);
  readonly #view: DataView = new DataView(this.bytes.buffer);

  get opcode(): number {
    return this.bytes[0] as number;
  }

  set opcode(value: number) {
    this.bytes[0] = value;
  }

  get flags(): number {
    return this.bytes[1] as number;
  }

  set flags(value: number) {
    this.bytes[1] = value;
  }

  get commandId(): number {
    return this.#view.getUint16(2, true);
  }

  set commandId(value: number) {
    this.#view.setUint16(2, value, true);
  }

  get namespaceId(): number {
    return this.#view.getUint32(4, true);
  }

  set namespaceId(value: number) {
    this.#view.setUint32(4, value, true);
  }

  /** Command dwords 10 to 15. */
  setDword(number: 10 | 11 | 12 | 13 | 14 | 15, value: number): void {
    this.#view.setUint32(4 * number, value, true);
  }

  /** Starting block of a read or write: dwords 10 and 11. */
  get startLba(): number {
    return le64At(this.#view, 40);
  }

  set startLba(value: number) {
    putLe64(this.#view, 40, value);
  }

  get prp1(): number {
    return le64At(this.#view, DATA_POINTER);
  }

  get prp2(): number {
    return le64At(this.#view, DATA_POINTER + 8);
  }

  setPrps(prp1: DmaAddr | 0, prp2: DmaAddr | 0): void {
    putLe64(this.#view, DATA_POINTER, prp1);
    putLe64(this.#view, DATA_POINTER + 8, prp2);
  }

  /** The 16 bytes of the data pointer as an SGL descriptor, live. */
  get dataPointer(): DataView {
    return new DataView(this.bytes.buffer, DATA_POINTER, 16);
  }
}

// NvmeCommand: the 64 bytes of a submission queue entry, decoded in place.
// Source followed: NVM Express Base Specification 2.0, section 3.3.3.1, figure 87.
// Simplified: metadata pointer and command dwords 2, 3, 14 and 15 are not looked at.

/**
 * Bytes of a submission queue entry.
 * @public
 */
export const NVME_SUBMISSION_ENTRY_BYTES = 64;

/**
 * Where the 16 bytes of the data pointer (PRP1 and PRP2, or one SGL descriptor) stand in an entry.
 * @public
 */
export const NVME_DATA_POINTER_OFFSET = 24;

/**
 * An unsigned 64-bit field as a number; above 2^53 the low bits round, far outside every address space.
 * @internal
 */
export function readUint64(view: DataView, offset: number): number {
  return view.getUint32(offset + 4, true) * 2 ** 32 + view.getUint32(offset, true);
}

/**
 * Stores a number below 2^53 as an unsigned 64-bit field.
 * @internal
 */
export function writeUint64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value % 2 ** 32, true);
  view.setUint32(offset + 4, Math.floor(value / 2 ** 32), true);
}

/**
 * A fetched command.
 * @internal
 */
export class NvmeCommand {
  readonly #view: DataView;

  constructor(entry: Uint8Array) {
    this.#view = new DataView(entry.buffer, entry.byteOffset, NVME_SUBMISSION_ENTRY_BYTES);
  }

  get opcode(): number {
    return this.#view.getUint8(0);
  }

  /** Fused operation, bits 9:8 of dword 0; 0 = normal. */
  get fuse(): number {
    return this.#view.getUint8(1) & 3;
  }

  /** PRP or SGL for Data Transfer, bits 15:14 of dword 0: 0 PRP, 1 and 2 SGL. */
  get psdt(): number {
    return this.#view.getUint8(1) >> 6;
  }

  get commandId(): number {
    return this.#view.getUint16(2, true);
  }

  get namespaceId(): number {
    return this.#view.getUint32(4, true);
  }

  get prp1(): number {
    return readUint64(this.#view, NVME_DATA_POINTER_OFFSET);
  }

  get prp2(): number {
    return readUint64(this.#view, NVME_DATA_POINTER_OFFSET + 8);
  }

  /** The data pointer read as an SGL descriptor. */
  get sgl(): DataView {
    return new DataView(this.#view.buffer, this.#view.byteOffset + NVME_DATA_POINTER_OFFSET, 16);
  }

  /** Command dword 10 to 15. */
  dword(number: 10 | 11 | 12 | 13 | 14 | 15): number {
    return this.#view.getUint32(4 * number, true);
  }

  /** Starting LBA of a read or write: dwords 10 and 11. */
  get startLba(): number {
    return readUint64(this.#view, 40);
  }
}

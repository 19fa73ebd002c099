// The I/O commands of the NVM command set: Flush, Write, Read on one namespace.
// Source followed: NVM Express NVM Command Set 1.0, sections 3.2.2 to 3.2.6; Base Specification 2.0, section 7.1 (Flush).
// Simplified: one namespace (id 1); a write reaches the medium when all its data has arrived, or not at all.

import type { ModelTask } from '../../yield-point.ts';
import type { BlockMedium } from './block-medium.ts';
import type { NvmeCommand } from './nvme-command.ts';
import type { NvmeDataPath } from './nvme-data-path.ts';
import { NVME_STATUS, type NvmeOutcome, nvmeOutcome } from './nvme-status.ts';

/**
 * Opcodes of the I/O commands.
 * @public
 */
export const NVME_IO: { readonly flush: 0x00; readonly write: 0x01; readonly read: 0x02 } = {
  flush: 0x00,
  write: 0x01,
  read: 0x02,
};

/** 128 KiB. */
const LEAST_BUFFER_BYTES = 0x20000;
const BROADCAST_NAMESPACE = 0xffffffff;

/**
 * Executes I/O commands on a medium.
 * @internal
 */
export class NvmeIoCommands {
  readonly #medium: BlockMedium;
  readonly #data: NvmeDataPath;
  readonly #maxBytes: number;
  readonly #buffers: Uint8Array[] = [];

  constructor(medium: BlockMedium, data: NvmeDataPath, maxBytes: number) {
    this.#medium = medium;
    this.#data = data;
    this.#maxBytes = maxBytes;
  }

  *execute(command: NvmeCommand): ModelTask<NvmeOutcome> {
    const { opcode, namespaceId } = command;
    if (opcode !== NVME_IO.flush && opcode !== NVME_IO.write && opcode !== NVME_IO.read) {
      return nvmeOutcome(NVME_STATUS.invalidOpcode);
    }
    if (command.fuse !== 0 || command.psdt === 3 || (command.psdt !== 0 && this.#data.sgls === 0)) {
      return nvmeOutcome(NVME_STATUS.invalidField);
    }
    if (namespaceId !== 1 && !(opcode === NVME_IO.flush && namespaceId === BROADCAST_NAMESPACE)) {
      return nvmeOutcome(NVME_STATUS.invalidNamespace);
    }
    if (opcode === NVME_IO.flush) return nvmeOutcome(NVME_STATUS.success);
    return nvmeOutcome(yield* this.#transfer(command, opcode === NVME_IO.write));
  }

  *#transfer(command: NvmeCommand, write: boolean): ModelTask<number> {
    const blocks = (command.dword(12) & 0xffff) + 1;
    const bytes = blocks * this.#medium.blockBytes;
    if (bytes > this.#maxBytes) return NVME_STATUS.invalidField;
    const lba = command.startLba;
    if (!this.#medium.holds(lba, blocks)) return NVME_STATUS.lbaOutOfRange;
    const buffer = this.#takeBuffer(bytes);
    const data = buffer.subarray(0, bytes);
    let status: number;
    if (write) {
      status = yield* this.#data.fromHost(command, data);
      if (status === NVME_STATUS.success) this.#medium.write(lba, data);
    } else {
      this.#medium.read(lba, data);
      status = yield* this.#data.toHost(command, data);
    }
    this.#buffers.push(buffer);
    return status;
  }

  /** A buffer that no running command uses. A write puts only bytes on the medium that have all arrived in it. */
  #takeBuffer(bytes: number): Uint8Array {
    const at = this.#buffers.findIndex((buffer) => buffer.length >= bytes);
    const [buffer] = at < 0 ? [] : this.#buffers.splice(at, 1);
    return buffer ?? new Uint8Array(Math.max(bytes, LEAST_BUFFER_BYTES));
  }
}

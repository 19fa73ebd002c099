// NvmeDataPath: moves a command's data between a buffer of the controller and the host, by its data pointer.
// Source followed: NVM Express Base Specification 2.0, section 3.3.3.1 (DPTR, PSDT) and 4.1.
// Simplified: data goes through a buffer of the whole command; ranges in order, one after the other.

import { dmaAddr } from '../../addresses.ts';
import type { ModelTask } from '../../yield-point.ts';
import type { DmaEngine } from '../dma-engine.ts';
import type { NvmeCommand } from './nvme-command.ts';
import type { NvmeCounters } from './nvme-counters.ts';
import { NVME_STATUS } from './nvme-status.ts';
import { walkPrp } from './prp-walk.ts';
import { walkSgl } from './sgl-walk.ts';
import { onBus, TransferRanges } from './transfer-ranges.ts';

/**
 * SGL support as Identify reports it (SGLS bits 1:0): 0 none, 1 byte granular, 2 dword granular.
 * @public
 */
export type NvmeSglSupport = 0 | 1 | 2;

/**
 * The data mover of one controller.
 * @internal
 */
export class NvmeDataPath {
  /** Memory page size, set by CC.MPS when the controller is enabled. */
  pageBytes = 4096;
  readonly sgls: NvmeSglSupport;
  readonly #dma: DmaEngine;
  readonly #counters: NvmeCounters;

  constructor(dma: DmaEngine, sgls: NvmeSglSupport, counters: NvmeCounters) {
    this.#dma = dma;
    this.sgls = sgls;
    this.#counters = counters;
  }

  /** Writes `data` to where the command points; returns a status code (0 = success). */
  *toHost(command: NvmeCommand, data: Uint8Array): ModelTask<number> {
    const ranges = new TransferRanges();
    const status = yield* this.#ranges(command, data.length, ranges);
    if (status !== 0) return status;
    for (let i = 0, at = 0; i < ranges.count; i += 1) {
      const address = ranges.addressAt(i);
      const bytes = ranges.lengthAt(i);
      if (!onBus(address, bytes)) return NVME_STATUS.dataTransferError;
      const moved = yield* this.#dma.write(dmaAddr(address), data, at, bytes);
      if (moved !== 'success') return NVME_STATUS.dataTransferError;
      this.#counters.bytesToHost += bytes;
      at += bytes;
    }
    return NVME_STATUS.success;
  }

  /** Fills `data` from where the command points; returns a status code (0 = success). */
  *fromHost(command: NvmeCommand, data: Uint8Array): ModelTask<number> {
    const ranges = new TransferRanges();
    const status = yield* this.#ranges(command, data.length, ranges);
    if (status !== 0) return status;
    for (let i = 0, at = 0; i < ranges.count; i += 1) {
      const address = ranges.addressAt(i);
      const bytes = ranges.lengthAt(i);
      if (!onBus(address, bytes)) return NVME_STATUS.dataTransferError;
      const moved = yield* this.#dma.read(dmaAddr(address), data, at, bytes);
      if (moved !== 'success') return NVME_STATUS.dataTransferError;
      this.#counters.bytesFromHost += bytes;
      at += bytes;
    }
    return NVME_STATUS.success;
  }

  *#ranges(command: NvmeCommand, bytes: number, ranges: TransferRanges): ModelTask<number> {
    const dma = this.#dma;
    if (command.psdt === 0) {
      return yield* walkPrp(dma, this.#counters, this.pageBytes, command, bytes, ranges);
    }
    return yield* walkSgl(dma, this.#counters, this.sgls === 2, command.sgl, bytes, ranges);
  }
}

// RdmaMemoryPort: moves bytes between the NIC and memory through a key, one bus request at a time.
// Source followed: the kernel's rxe driver (rxe_mr.c, rxe_mr_copy: the key is looked at again for each piece) and the
// mlx5 driver (odp.c: a missing block of an on-demand key stops the work until software has filled it in).
// A key that goes bad stops the transfer before its next request; the one on the bus still ends.
// Simplified: a transfer that meets a missing block waits at its place; peers are not told to retry later.

import { ADDRESS_LIMIT, type DmaAddr, dmaAddr, offsetWithin } from '../../addresses.ts';
import type { PciFunction } from '../../fabric/pci-function.ts';
import type { ModelTask } from '../../yield-point.ts';
import type { DmaEngine, TransferStatus } from '../dma-engine.ts';
import type { RdmaKeyEntry } from './rdma-key-entry.ts';
import type { RdmaKeyUse } from './rdma-key-use.ts';
import type { RdmaPageFaultSink } from './rdma-page-fault.ts';

/**
 * How a transfer ended: `denied` = the key is not good (any more) or has no block there; `bus-error` = the fabric or the
 * IOMMU refused a request; `stopped` = its queue pair or its device was stopped under it.
 * @internal
 */
export type RdmaAccessResult = 'success' | 'denied' | 'bus-error' | 'stopped';

/**
 * Whose transfer it is: counts its requests on the bus, and can be stopped: its life number then changes.
 * @public
 */
export interface RdmaAccessor {
  requestsInFlight: number;
  readonly life: number;
}

/**
 * The bytes that a transfer moves, on the NIC's side.
 * @internal
 */
export interface RdmaPiece {
  readonly buffer: Uint8Array;
  readonly at: number;
  readonly bytes: number;
}

/**
 * The memory side of one NIC.
 * @internal
 */
export class RdmaMemoryPort {
  readonly #dma: DmaEngine;
  readonly #endpoint: PciFunction;
  readonly #faults: RdmaPageFaultSink;

  constructor(dma: DmaEngine, endpoint: PciFunction, faults: RdmaPageFaultSink) {
    this.#dma = dma;
    this.#endpoint = endpoint;
    this.#faults = faults;
  }

  /** Moves a piece from (`write` false) or to memory at `iova` of a key that has been looked up, in its bounds. */
  *move(
    who: RdmaAccessor,
    use: RdmaKeyUse,
    iova: number,
    piece: RdmaPiece,
    write: boolean,
  ): ModelTask<RdmaAccessResult> {
    const { life } = who;
    const { region } = use;
    for (let done = 0; done < piece.bytes; ) {
      if (who.life !== life) return 'stopped';
      if (!use.good) return 'denied';
      const left = piece.bytes - done;
      if (!hasBlock(region, iova + done, write)) {
        const wanted = { iova: iova + done, bytes: left, write };
        if (!region.onDemand || !(yield* this.#faults.raise(who, use, wanted))) {
          return who.life === life ? 'denied' : 'stopped';
        }
        continue;
      }
      const address = addressOf(region, iova + done);
      if (address === null) return 'bus-error';
      const bytes = Math.min(left, this.#requestLimit(region, iova + done, address, write));
      const status = yield* this.#request(who, use, address, piece, done, bytes, write);
      if (status !== 'success') return status === 'halted' ? 'stopped' : 'bus-error';
      done += bytes;
    }
    return 'success';
  }

  /** One request; while it is on the bus its queue pair and its keys know of it. */
  *#request(
    who: RdmaAccessor,
    { entry, region }: RdmaKeyUse,
    address: DmaAddr,
    piece: RdmaPiece,
    done: number,
    bytes: number,
    write: boolean,
  ): ModelTask<TransferStatus> {
    who.requestsInFlight += 1;
    entry.requestStarted();
    region.requestStarted();
    const status = write
      ? yield* this.#dma.write(address, piece.buffer, piece.at + done, bytes)
      : yield* this.#dma.read(address, piece.buffer, piece.at + done, bytes);
    region.requestFinished();
    entry.requestFinished();
    who.requestsInFlight -= 1;
    return status;
  }

  /** Bytes up to the end of the block and of what one request of the device may carry. */
  #requestLimit(region: RdmaKeyEntry, iova: number, address: DmaAddr, write: boolean): number {
    const sizes = this.#endpoint.tlpSizes;
    const limit = write ? sizes.maxPayloadBytes : sizes.maxReadRequestBytes;
    const inRequest = limit - offsetWithin(address, limit);
    const { translation } = region;
    if (translation === null) return inRequest;
    return Math.min(
      inRequest,
      translation.pageBytes - offsetWithin(region.blockOffset(iova), translation.pageBytes),
    );
  }
}

function hasBlock(region: RdmaKeyEntry, iova: number, write: boolean): boolean {
  if (region.kind === 'dma') return true;
  const { translation } = region;
  if (translation === null) return false;
  return translation.permits(Math.floor(region.blockOffset(iova) / translation.pageBytes), write);
}

/** Null when no bus has such an address. */
function addressOf(region: RdmaKeyEntry, iova: number): DmaAddr | null {
  const { translation } = region;
  if (translation === null) return iova < ADDRESS_LIMIT ? dmaAddr(iova) : null;
  const offset = region.blockOffset(iova);
  const index = Math.floor(offset / translation.pageBytes);
  return translation.address(index, offsetWithin(offset, translation.pageBytes));
}

// DmaEngine: the part of a device that moves data over the bus: it cuts a transfer into requests and issues them.
// Source followed: PCI Express Base Specification 6.0, section 2.2.2 (4 KiB rule, Max_Payload_Size,
// Max_Read_Request_Size), read from the configuration space before each request.
// Simplified: one request per clock step, in address order; a transfer ends at its first failing request.

import { addOffset, type DmaAddr, offsetWithin, PAGE_SIZE } from '../addresses.ts';
import type { CompletionStatus } from '../fabric/completion-status.ts';
import type { PciFabric } from '../fabric/pci-fabric.ts';
import type { PciFunction } from '../fabric/pci-function.ts';
import type { ModelTask, YieldPoint } from '../yield-point.ts';

const READ_POINT: YieldPoint = { at: 'dma:read' };
const WRITE_POINT: YieldPoint = { at: 'dma:write' };

/**
 * How a transfer ended; `halted` when its device was stopped under it.
 * @public
 */
export type TransferStatus = CompletionStatus | 'halted';

/**
 * Issues the bus requests of one function, as tasks that can be caught between any two requests.
 * @public
 */
export class DmaEngine {
  /** Requests issued and bytes moved by this engine. */
  readonly counters: { requests: number; bytesRead: number; bytesWritten: number } = {
    requests: 0,
    bytesRead: 0,
    bytesWritten: 0,
  };
  readonly #fabric: PciFabric;
  readonly #requester: PciFunction;
  #epoch = 0;

  constructor(fabric: PciFabric, requester: PciFunction) {
    this.#fabric = fabric;
    this.#requester = requester;
  }

  /** Stops every transfer in flight before its next request, as a reset of the device does. */
  halt(): void {
    this.#epoch += 1;
  }

  /**
   * Fills `count` bytes of `into` from index `at` on (default: all) from bus address `address` on.
   * Bytes behind a failing request stay as they were.
   */
  *read(
    address: DmaAddr,
    into: Uint8Array,
    at = 0,
    count: number = into.length - at,
  ): ModelTask<TransferStatus> {
    const epoch = this.#epoch;
    for (let done = 0; done < count; ) {
      yield READ_POINT;
      if (epoch !== this.#epoch) return 'halted';
      const limit = this.#requester.tlpSizes.maxReadRequestBytes;
      const from = addOffset(address, done);
      const bytes = requestBytes(from, count - done, limit);
      this.#fabric.clock.tick();
      this.counters.requests += 1;
      const status = this.#fabric.read(this.#requester, from, into, at + done, bytes);
      if (status !== 'success') return status;
      this.counters.bytesRead += bytes;
      done += bytes;
    }
    return 'success';
  }

  /**
   * Writes `count` bytes of `from`, from index `at` on (default: all), to bus address `address` on.
   * Bytes before a failing request have arrived.
   */
  *write(
    address: DmaAddr,
    from: Uint8Array,
    at = 0,
    count: number = from.length - at,
  ): ModelTask<TransferStatus> {
    const epoch = this.#epoch;
    for (let done = 0; done < count; ) {
      yield WRITE_POINT;
      if (epoch !== this.#epoch) return 'halted';
      const limit = this.#requester.tlpSizes.maxPayloadBytes;
      const to = addOffset(address, done);
      const bytes = requestBytes(to, count - done, limit);
      this.#fabric.clock.tick();
      this.counters.requests += 1;
      const status = this.#fabric.write(this.#requester, to, from, at + done, bytes);
      if (status !== 'success') return status;
      this.counters.bytesWritten += bytes;
      done += bytes;
    }
    return 'success';
  }
}

/** Bytes of the next request: up to the size limit and the next 4 KiB boundary, cut at multiples of the limit. */
function requestBytes(address: DmaAddr, left: number, limit: number): number {
  const inPage = offsetWithin(address, PAGE_SIZE);
  return Math.min(left, limit - (inPage % limit));
}

// RdmaInboundMessage: a message of the peer that is being taken: where its next bytes go, what receive it has taken.
// Source followed: the kernel's rxe driver (struct rxe_resp_info).
// Simplified: one message at a time per queue pair, as the wire keeps the order.

import type { ModelTask } from '../../yield-point.ts';
import type { RdmaKeyTable } from './rdma-key-table.ts';
import type { RdmaKeyUse } from './rdma-key-use.ts';
import { RdmaLocalBuffer } from './rdma-local-buffer.ts';
import type { RdmaAccessResult, RdmaMemoryPort } from './rdma-memory-port.ts';
import type { RdmaRequestPacket } from './rdma-packet.ts';
import type { RdmaQueuePair } from './rdma-queue-pair.ts';
import { RDMA_STATUS, type RdmaStatus } from './rdma-status.ts';
import { type RdmaReceiveRequest, sgeBytes } from './rdma-work-request.ts';

/**
 * A message between its first and its last packet.
 * @internal
 */
export class RdmaInboundMessage {
  readonly isSend: boolean;
  readonly isAtomic: boolean;
  readonly #remoteAddress: number;
  readonly #length: number;
  /** The key that the peer named; null for sends and when no byte moves. */
  use: RdmaKeyUse | null = null;
  #receive: RdmaReceiveRequest | null = null;
  #local: RdmaLocalBuffer | null = null;
  #received = 0;

  constructor({ opcode, remoteAddress, length }: RdmaRequestPacket) {
    this.isSend = opcode.startsWith('send');
    this.isAtomic = opcode === 'compare-swap' || opcode === 'fetch-add';
    this.#remoteAddress = remoteAddress;
    this.#length = length;
  }

  get hasReceive(): boolean {
    return this.#receive !== null;
  }

  /** The receive it has taken. */
  get receive(): RdmaReceiveRequest | null {
    return this.#receive;
  }

  /** False when a piece of the receive is not the queue pair's to write. Writes with immediate data store nothing there. */
  receiveInto(receive: RdmaReceiveRequest, keys: RdmaKeyTable, pd: number): boolean {
    this.#receive = receive;
    if (!this.isSend) return true;
    this.#local = RdmaLocalBuffer.resolve(keys, pd, receive.sges, true);
    return this.#local !== null;
  }

  /** False when this packet brings more than the receive, or than the write that was announced, has room for. */
  fits({ payload }: RdmaRequestPacket): boolean {
    const room = this.isSend ? sgeBytes(this.#receive?.sges ?? []) : this.#length;
    return this.#received + payload.length <= room;
  }

  /** Stores the next bytes. */
  *store(port: RdmaMemoryPort, pair: RdmaQueuePair, payload: Uint8Array): ModelTask<RdmaAccessResult> {
    const offset = this.isAtomic ? 0 : this.#received;
    const bytes = payload.length;
    let result: RdmaAccessResult = 'success';
    if (bytes > 0 && this.isSend) {
      result =
        this.#local === null ? 'denied' : yield* this.#local.move(port, pair, offset, payload, bytes, true);
    } else if (bytes > 0) {
      result = yield* this.#move(port, pair, offset, payload, true);
    }
    if (result === 'success') this.#received += bytes;
    return result;
  }

  /** Fetches the bytes from `offset` on that the peer wants. */
  *load(
    port: RdmaMemoryPort,
    pair: RdmaQueuePair,
    offset: number,
    into: Uint8Array,
  ): ModelTask<RdmaAccessResult> {
    if (into.length === 0) return 'success';
    return yield* this.#move(port, pair, offset, into, false);
  }

  /** Reports the receive that this message has taken; false when it has taken none. */
  complete(
    pair: RdmaQueuePair,
    status: RdmaStatus,
    { immediate, invalidateKey }: RdmaRequestPacket,
  ): boolean {
    const receive = this.#receive;
    if (receive === null) return false;
    this.#receive = null;
    const good = status === RDMA_STATUS.SUCCESS;
    pair.completeReceive({
      wrId: receive.wrId,
      status,
      opcode: this.isSend ? 'receive' : 'receive-rdma-with-imm',
      byteLength: this.isSend ? this.#received : this.#length,
      ...(good && immediate !== undefined ? { immediate } : {}),
      ...(good && invalidateKey !== undefined ? { invalidatedKey: invalidateKey } : {}),
    });
    return true;
  }

  *#move(
    port: RdmaMemoryPort,
    pair: RdmaQueuePair,
    offset: number,
    buffer: Uint8Array,
    write: boolean,
  ): ModelTask<RdmaAccessResult> {
    if (this.use === null) return 'denied';
    const piece = { buffer, at: 0, bytes: buffer.length };
    return yield* port.move(pair, this.use, this.#remoteAddress + offset, piece, write);
  }
}

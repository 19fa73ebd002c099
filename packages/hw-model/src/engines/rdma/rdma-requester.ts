// RdmaRequester: turns the requests of a send queue into packets, reading local memory on the way.
// Source followed: the kernel's rxe driver (rxe_req.c): messages are cut at the path's MTU; a fenced request waits for all
// earlier reads and atomics; unreliable sends are done when their last packet has left.
// A local error stops the queue behind the request; earlier ones still end as they would have.
// Simplified: no credits and no limit of packets on the wire; a message is sent without pausing for acknowledgements.

import type { ModelTask } from '../../yield-point.ts';
import type { RdmaEngineParts } from './rdma-engine-parts.ts';
import { RdmaLocalBuffer } from './rdma-local-buffer.ts';
import { runLocalOperation } from './rdma-local-operations.ts';
import { NO_BYTES, type RdmaRequestPacket } from './rdma-packet.ts';
import type { RdmaQueuePair } from './rdma-queue-pair.ts';
import type { RdmaRetry } from './rdma-retry.ts';
import type { RdmaSendEntry } from './rdma-send-entry.ts';
import { RDMA_STATUS } from './rdma-status.ts';

/**
 * The sending side of one queue pair.
 * @internal
 */
export class RdmaRequester {
  readonly #parts: RdmaEngineParts;
  readonly #pair: RdmaQueuePair;
  readonly #retry: RdmaRetry;

  constructor(parts: RdmaEngineParts, pair: RdmaQueuePair, retry: RdmaRetry) {
    this.#parts = parts;
    this.#pair = pair;
    this.#retry = retry;
  }

  /** Works until nothing can be sent now; whoever changes that starts it again. */
  *run(): ModelTask<void> {
    for (let entry = this.nextEntry(); entry !== undefined; entry = this.nextEntry()) {
      entry.busy = true;
      yield* this.#issue(entry);
      entry.busy = false;
      this.#pair.drain();
    }
  }

  /** The first entry that is not all sent; undefined when it must wait, or when there is none. */
  nextEntry(): RdmaSendEntry | undefined {
    const { state, sends, attributes } = this.#pair;
    if ((state !== 'rts' && state !== 'sqd') || this.#retry.pausing) return undefined;
    let answersDue = 0;
    for (const entry of sends) {
      if (entry.failed) return undefined;
      if (!entry.done && entry.sent < entry.packets) {
        if (state === 'sqd' && !entry.begun) return undefined;
        if (entry.request.fence && answersDue > 0) return undefined;
        return entry.isAnswered && answersDue >= attributes.maxRdAtomic ? undefined : entry;
      }
      if (entry.isAnswered && !entry.done) answersDue += 1;
    }
    return undefined;
  }

  *#issue(entry: RdmaSendEntry): ModelTask<void> {
    if (!entry.begun && !this.#begin(entry)) return;
    if (entry.isAnswered) {
      this.#send(entry, entry.answered, NO_BYTES);
      entry.sent = entry.packets;
      return;
    }
    const { rewinds } = this.#retry;
    const { life } = this.#pair;
    while (entry.sent < entry.packets && !entry.done) {
      const payload = yield* this.#payload(entry, entry.sent);
      if (payload === null || entry.done || this.#pair.life !== life || rewinds !== this.#retry.rewinds)
        return;
      this.#send(entry, entry.sent, payload);
      entry.sent += 1;
    }
    if (this.#pair.type === 'uc' && !entry.done) entry.finish(RDMA_STATUS.SUCCESS);
  }

  /** False when the request is over already: done locally, or in error. */
  #begin(entry: RdmaSendEntry): boolean {
    const { keys } = this.#parts;
    const pair = this.#pair;
    if (entry.isLocal) {
      entry.finish(runLocalOperation(keys, pair, entry.request));
      return false;
    }
    // An unreliable connection has no answers.
    if (entry.isAnswered && pair.type === 'uc') {
      entry.finish(RDMA_STATUS.LOC_QP_OP_ERR);
      return false;
    }
    if (entry.request.inlineData === undefined) {
      entry.local = RdmaLocalBuffer.resolve(keys, pair.pd, entry.request.sges, entry.isAnswered);
      if (entry.local === null) {
        entry.finish(RDMA_STATUS.LOC_PROT_ERR);
        return false;
      }
    }
    entry.packets = Math.max(1, Math.ceil(entry.bytes / pair.attributes.mtu));
    entry.firstPsn = pair.sendPsn;
    entry.lastPsn = pair.sendPsn + entry.packets - 1;
    pair.sendPsn += entry.packets;
    return true;
  }

  /** Payload of packet `index`; null when local memory does not give it. */
  *#payload(entry: RdmaSendEntry, index: number): ModelTask<Uint8Array | null> {
    const { mtu } = this.#pair.attributes;
    const offset = index * mtu;
    const bytes = Math.min(mtu, entry.bytes - offset);
    const { inlineData } = entry.request;
    if (inlineData !== undefined) return inlineData.slice(offset, offset + bytes);
    if (bytes === 0 || entry.local === null) return NO_BYTES;
    const payload = new Uint8Array(bytes);
    const { memory, counters } = this.#parts;
    const result = yield* entry.local.move(memory, this.#pair, offset, payload, bytes, false);
    if (result === 'success') {
      counters.bytesGathered += bytes;
      return payload;
    }
    // The specification names keys and bounds only; as in rxe, memory that the bus refuses is a protection error, too.
    if (result !== 'stopped' && !entry.done) entry.finish(RDMA_STATUS.LOC_PROT_ERR);
    return null;
  }

  #send(entry: RdmaSendEntry, index: number, payload: Uint8Array): void {
    const { attributes } = this.#pair;
    this.#parts.transmit(packetOf(entry, index, payload, attributes), attributes.destination);
    this.#retry.expectAnswer();
  }
}

function packetOf(
  entry: RdmaSendEntry,
  index: number,
  payload: Uint8Array,
  { mtu, destinationQp }: { readonly mtu: number; readonly destinationQp: number },
): RdmaRequestPacket {
  const { request, packets, isAnswered } = entry;
  // A read that is asked for again wants only what has not arrived.
  const skip = isAnswered ? index * mtu : 0;
  return {
    kind: 'request',
    qpNumber: destinationQp,
    psn: entry.firstPsn + index,
    opcode: request.opcode,
    first: isAnswered || index === 0,
    last: isAnswered || index === packets - 1,
    payload,
    remoteAddress: (request.remoteAddress ?? 0) + skip,
    rkey: request.rkey ?? 0,
    length: entry.bytes - skip,
    compareAdd: request.compareAdd ?? 0n,
    swap: request.swap ?? 0n,
    ...(request.immediate === undefined ? {} : { immediate: request.immediate }),
    ...(request.invalidateKey === undefined ? {} : { invalidateKey: request.invalidateKey }),
  };
}

// RdmaResponder: does what the peer asks for, or says why not.
// Source followed: the kernel's rxe driver (rxe_resp.c): order of the checks: sequence, rights of the queue pair, something
// to receive into, length, key; InfiniBand Architecture Specification 1.3, section 9.9.3 (responder errors).
// Reliable pairs answer an error with a code and go into the error state; unreliable ones drop the message in silence.
// Simplified: a repeated read is checked again from scratch; the last results of atomics are kept for repeats.

import type { ModelTask } from '../../yield-point.ts';
import { atomicResult } from './rdma-atomic.ts';
import type { RdmaEngineParts } from './rdma-engine-parts.ts';
import { RdmaInboundMessage } from './rdma-inbound-message.ts';
import { invalidateKeyOf } from './rdma-local-operations.ts';
import type { RdmaAccessResult } from './rdma-memory-port.ts';
import {
  NO_BYTES,
  RDMA_NAK,
  type RdmaNak,
  type RdmaRequestPacket,
  type RdmaResponsePacket,
} from './rdma-packet.ts';
import type { RdmaQueuePair } from './rdma-queue-pair.ts';
import { accessCheck, consumesReceive, QP_RIGHT, type RdmaRefusal, REFUSALS } from './rdma-request-checks.ts';
import { RDMA_STATUS } from './rdma-status.ts';

/**
 * The serving side of one queue pair.
 * @internal
 */
export class RdmaResponder {
  readonly #parts: RdmaEngineParts;
  readonly #pair: RdmaQueuePair;
  readonly #atomicResults = new Map<number, Uint8Array>();
  /** A send or write whose last packet has not come. A read that is asked for again may come between its packets. */
  #message: RdmaInboundMessage | null = null;
  #gapReported = false;
  #dropping = false;

  constructor(parts: RdmaEngineParts, pair: RdmaQueuePair) {
    this.#parts = parts;
    this.#pair = pair;
  }

  /** Works until no request waits. */
  *run(): ModelTask<void> {
    const { requests } = this.#pair;
    for (let packet = requests.shift(); packet !== undefined; packet = requests.shift()) {
      if (this.#inSequence(packet)) yield* this.#serve(packet);
      else if (packet.psn < this.#pair.receivePsn && this.#pair.type === 'rc') yield* this.#repeat(packet);
    }
  }

  /** Forgets a message that was cut off, as a reset does. */
  reset(): void {
    this.#message = null;
    this.#gapReported = false;
    this.#dropping = false;
    this.#atomicResults.clear();
  }

  #inSequence(packet: RdmaRequestPacket): boolean {
    const pair = this.#pair;
    if (pair.type === 'uc') return this.#inUnreliableSequence(packet);
    if (packet.psn === pair.receivePsn) {
      this.#gapReported = false;
      return true;
    }
    if (packet.psn > pair.receivePsn && !this.#gapReported) {
      this.#gapReported = true;
      this.#negative(pair.receivePsn, RDMA_NAK.sequence);
    }
    return false;
  }

  /** A lost packet costs its message; the next message is taken again. */
  #inUnreliableSequence(packet: RdmaRequestPacket): boolean {
    const pair = this.#pair;
    if (packet.first) {
      this.#giveBack();
      this.#dropping = false;
      pair.receivePsn = packet.psn;
      return true;
    }
    if (this.#dropping || packet.psn !== pair.receivePsn || this.#message === null) this.#drop();
    return !this.#dropping;
  }

  *#serve(packet: RdmaRequestPacket): ModelTask<void> {
    const message = packet.first ? this.#open(packet) : this.#message;
    if (message === null) return;
    const refusal = this.#take(message, packet);
    if (refusal !== null) {
      this.#refuse(packet, message, refusal);
      return;
    }
    if (packet.opcode === 'rdma-read') yield* this.#read(message, packet);
    else if (message.isAtomic) yield* this.#atomic(message, packet);
    else {
      this.#message = message;
      yield* this.#store(message, packet);
    }
  }

  /** Null when the request is refused at once. */
  #open(packet: RdmaRequestPacket): RdmaInboundMessage | null {
    const { attributes } = this.#pair;
    const message = new RdmaInboundMessage(packet);
    const right = QP_RIGHT[packet.opcode] ?? 0;
    if ((right & ~attributes.remoteAccess) !== 0) {
      this.#refuse(packet, message, REFUSALS.opcode);
      return null;
    }
    return message;
  }

  /** What must hold before the bytes of this packet may move; null = all of it. */
  #take(message: RdmaInboundMessage, packet: RdmaRequestPacket): RdmaRefusal | null {
    const { keys } = this.#parts;
    const pair = this.#pair;
    const answered = packet.opcode === 'rdma-read' || message.isAtomic;
    if (answered && pair.attributes.maxDestRdAtomic === 0) return REFUSALS.opcode;
    if (consumesReceive(packet) && !message.hasReceive) {
      const receive = pair.receives.shift();
      if (receive === undefined) return REFUSALS.notReady;
      if (!message.receiveInto(receive, keys, pair.pd)) return REFUSALS.receiveKey;
    }
    if (packet.first) {
      const refusal = accessCheck(message, packet, keys, pair.pd);
      if (refusal !== null) return refusal;
    }
    return message.fits(packet) ? null : REFUSALS.length;
  }

  /** Payload of a send or a write. */
  *#store(message: RdmaInboundMessage, packet: RdmaRequestPacket): ModelTask<void> {
    const pair = this.#pair;
    const { life } = pair;
    const result = yield* message.store(this.#parts.memory, pair, packet.payload);
    if (pair.life !== life) return;
    if (result !== 'success') {
      this.#refuse(packet, message, storeRefusal(message, result));
      return;
    }
    this.#parts.counters.bytesScattered += packet.payload.length;
    pair.receivePsn = packet.psn + 1;
    if (packet.last) this.#close(message, packet);
  }

  #close(message: RdmaInboundMessage, packet: RdmaRequestPacket): void {
    const { invalidateKey } = packet;
    this.#message = null;
    const { keys } = this.#parts;
    if (invalidateKey !== undefined && packet.opcode === 'send-with-inv') {
      if (!invalidateKeyOf(keys, this.#pair.pd, invalidateKey)) {
        // As rxe has it: the data is here and is acknowledged; the receiver alone learns that the key was no good.
        message.complete(this.#pair, RDMA_STATUS.REM_INV_REQ_ERR, packet);
        this.#acknowledge(packet.psn);
        this.#pair.fail('qp-request-error');
        return;
      }
    }
    message.complete(this.#pair, RDMA_STATUS.SUCCESS, packet);
    this.#acknowledge(packet.psn);
  }

  *#read(message: RdmaInboundMessage, packet: RdmaRequestPacket): ModelTask<void> {
    const pair = this.#pair;
    const { mtu } = pair.attributes;
    const { life } = pair;
    const packets = Math.max(1, Math.ceil(packet.length / mtu));
    for (let index = 0; index < packets; index += 1) {
      const payload = new Uint8Array(Math.min(mtu, packet.length - index * mtu));
      const result = yield* message.load(this.#parts.memory, pair, index * mtu, payload);
      if (pair.life !== life) return;
      const psn = packet.psn + index;
      if (result !== 'success') {
        this.#refuse({ ...packet, psn }, message, storeRefusal(message, result));
        return;
      }
      this.#parts.counters.bytesGathered += payload.length;
      this.#respond('read-response', psn, payload);
    }
    pair.receivePsn = Math.max(pair.receivePsn, packet.psn + packets);
  }

  *#atomic(message: RdmaInboundMessage, packet: RdmaRequestPacket): ModelTask<void> {
    const pair = this.#pair;
    // Misalignment is looked for after the key, as in rxe.
    if (packet.remoteAddress % 8 !== 0) {
      this.#refuse(packet, message, REFUSALS.opcode);
      return;
    }
    const old = new Uint8Array(8);
    const { life } = pair;
    const { memory, atomics } = this.#parts;
    yield* atomics.lock();
    let result = yield* message.load(memory, pair, 0, old);
    if (result === 'success') result = yield* message.store(memory, pair, atomicResult(packet, old));
    atomics.unlock();
    if (pair.life !== life) return;
    if (result !== 'success') {
      this.#refuse(packet, message, storeRefusal(message, result));
      return;
    }
    this.#remember(packet.psn, old);
    pair.receivePsn = packet.psn + 1;
    this.#respond('atomic-response', packet.psn, old);
  }

  /** A request that was served already: its answer was lost. */
  *#repeat(packet: RdmaRequestPacket): ModelTask<void> {
    const pair = this.#pair;
    const old = this.#atomicResults.get(packet.psn);
    if (packet.opcode === 'rdma-read') {
      const message = this.#open(packet);
      if (message === null) return;
      const refusal = this.#take(message, packet);
      if (refusal === null) yield* this.#read(message, packet);
      else this.#refuse(packet, message, refusal);
    } else if (old !== undefined) this.#respond('atomic-response', packet.psn, old);
    else if (packet.opcode !== 'compare-swap' && packet.opcode !== 'fetch-add') {
      this.#acknowledge(pair.receivePsn - 1);
    }
  }

  #refuse(packet: RdmaRequestPacket, message: RdmaInboundMessage, refusal: RdmaRefusal): void {
    const pair = this.#pair;
    this.#message = message;
    if (pair.type === 'uc') {
      this.#drop();
      return;
    }
    if (refusal === REFUSALS.notReady) {
      if (packet.first) this.#message = null;
      this.#gapReported = true;
      this.#negative(packet.psn, refusal.nak);
      return;
    }
    this.#message = null;
    this.#negative(packet.psn, refusal.nak);
    const consumed = message.complete(pair, refusal.receiveStatus, packet);
    // A receive that reports the error makes the event superfluous.
    pair.fail(consumed ? null : refusal.event);
  }

  /** Unreliable pairs: nothing more of this message is taken, and nobody is told. */
  #drop(): void {
    this.#giveBack();
    this.#dropping = true;
  }

  #giveBack(): void {
    const receive = this.#message?.receive ?? null;
    if (receive !== null) this.#pair.receives.unshift(receive);
    this.#message = null;
  }

  #remember(psn: number, old: Uint8Array): void {
    this.#atomicResults.set(psn, old);
    if (this.#atomicResults.size <= this.#pair.attributes.maxDestRdAtomic) return;
    for (const oldest of this.#atomicResults.keys()) {
      this.#atomicResults.delete(oldest);
      return;
    }
  }

  #acknowledge(psn: number): void {
    if (this.#pair.type === 'rc') this.#respond('acknowledge', psn, NO_BYTES);
  }

  #negative(psn: number, nak: RdmaNak): void {
    const { counters } = this.#parts;
    counters.naksSent += 1;
    if (nak === RDMA_NAK.receiverNotReady) counters.rnrNaksSent += 1;
    this.#respond('negative', psn, NO_BYTES, nak);
  }

  #respond(kind: RdmaResponsePacket['kind'], psn: number, payload: Uint8Array, nak: RdmaNak | 0 = 0): void {
    const { destination, destinationQp, rnrTimerMs } = this.#pair.attributes;
    const pause = nak === RDMA_NAK.receiverNotReady ? { pauseMs: rnrTimerMs } : {};
    this.#parts.transmit({ kind, qpNumber: destinationQp, psn, payload, nak, ...pause }, destination);
  }
}

/** A key that went bad under the transfer is the peer's to hear; memory that the bus refuses is this side's failure. */
function storeRefusal(message: RdmaInboundMessage, result: RdmaAccessResult): RdmaRefusal {
  if (message.isSend) return REFUSALS.receiveKey;
  return result === 'denied' ? REFUSALS.remoteKey : REFUSALS.operation;
}

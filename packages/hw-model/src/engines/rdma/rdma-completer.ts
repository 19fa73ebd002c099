// RdmaCompleter: takes the answers of the peer, writes what was read into local memory, and ends requests.
// Source followed: the kernel's rxe driver (rxe_comp.c): an answer acknowledges everything before it; one that is missing
// makes the requester go back; the codes of negative acknowledgements become statuses.
// Simplified: an acknowledgement carries no credits and no message number.

import type { ModelTask } from '../../yield-point.ts';
import type { RdmaEngineParts } from './rdma-engine-parts.ts';
import type { RdmaAccessResult } from './rdma-memory-port.ts';
import { RDMA_NAK, type RdmaNak, type RdmaResponsePacket } from './rdma-packet.ts';
import type { RdmaQueuePair } from './rdma-queue-pair.ts';
import { holds, type RdmaRetry } from './rdma-retry.ts';
import type { RdmaSendEntry } from './rdma-send-entry.ts';
import { RDMA_STATUS, type RdmaStatus } from './rdma-status.ts';

const NAK_STATUS: Readonly<Partial<Record<RdmaNak, RdmaStatus>>> = {
  [RDMA_NAK.invalidRequest]: RDMA_STATUS.REM_INV_REQ_ERR,
  [RDMA_NAK.remoteAccess]: RDMA_STATUS.REM_ACCESS_ERR,
  [RDMA_NAK.remoteOperation]: RDMA_STATUS.REM_OP_ERR,
};

/**
 * The answered side of one queue pair.
 * @internal
 */
export class RdmaCompleter {
  readonly #parts: RdmaEngineParts;
  readonly #pair: RdmaQueuePair;
  readonly #retry: RdmaRetry;

  constructor(parts: RdmaEngineParts, pair: RdmaQueuePair, retry: RdmaRetry) {
    this.#parts = parts;
    this.#pair = pair;
    this.#retry = retry;
  }

  /** Works until no answer waits. */
  *run(): ModelTask<void> {
    const { responses } = this.#pair;
    for (let packet = responses.shift(); packet !== undefined; packet = responses.shift()) {
      yield* this.#take(packet);
      this.#pair.drain();
    }
  }

  *#take(packet: RdmaResponsePacket): ModelTask<void> {
    const entry = this.#pair.sends.find((each) => holds(each, packet.psn));
    // An answer to something that is over: it was asked for twice.
    if (entry === undefined || entry.done) return;
    if (packet.kind === 'negative') {
      this.#refused(entry, packet);
    } else if (packet.kind === 'acknowledge') {
      if (this.#acknowledgeBefore(packet.psn + 1)) this.#retry.progress();
    } else if (entry.isAnswered) {
      yield* this.#answer(entry, packet);
    }
  }

  #refused(entry: RdmaSendEntry, { psn, nak, pauseMs }: RdmaResponsePacket): void {
    if (!this.#acknowledgeBefore(psn)) return;
    if (nak === RDMA_NAK.sequence) this.#retry.lost(psn);
    else if (nak === RDMA_NAK.receiverNotReady) this.#retry.notReady(psn, pauseMs ?? 1);
    else entry.finish(NAK_STATUS[nak as RdmaNak] ?? RDMA_STATUS.BAD_RESP_ERR);
  }

  /** Ends what lies wholly before `psn`. False when the answer of an earlier read or atomic is missing: it went back. */
  #acknowledgeBefore(psn: number): boolean {
    let ended = false;
    for (const entry of this.#pair.sends) {
      if (!entry.begun || entry.lastPsn >= psn) continue;
      if (entry.done) continue;
      if (entry.isAnswered) {
        this.#retry.lost(entry.firstPsn + entry.answered);
        return false;
      }
      entry.finish(RDMA_STATUS.SUCCESS);
      ended = true;
    }
    if (ended) this.#retry.progress();
    return true;
  }

  *#answer(entry: RdmaSendEntry, packet: RdmaResponsePacket): ModelTask<void> {
    const due = entry.firstPsn + entry.answered;
    if (packet.psn < due) return;
    if (!this.#acknowledgeBefore(entry.firstPsn)) return;
    if (packet.psn > due) {
      this.#retry.lost(due);
      return;
    }
    const offset = entry.answered * this.#pair.attributes.mtu;
    if (packet.payload.length !== Math.min(entry.bytes - offset, this.#pair.attributes.mtu)) {
      entry.finish(RDMA_STATUS.BAD_RESP_ERR);
      return;
    }
    const { life } = this.#pair;
    const result = yield* this.#scatter(entry, offset, packet.payload);
    if (this.#pair.life !== life) return;
    if (result !== 'success') {
      // As with outgoing data, memory that the bus refuses counts as a protection error.
      entry.finish(RDMA_STATUS.LOC_PROT_ERR);
      return;
    }
    entry.answered += 1;
    if (entry.answered === entry.packets) entry.finish(RDMA_STATUS.SUCCESS);
    this.#retry.progress();
  }

  *#scatter(entry: RdmaSendEntry, offset: number, payload: Uint8Array): ModelTask<RdmaAccessResult> {
    if (entry.local === null || payload.length === 0) return 'success';
    const { memory, counters } = this.#parts;
    const result = yield* entry.local.move(memory, this.#pair, offset, payload, payload.length, true);
    if (result === 'success') counters.bytesScattered += payload.length;
    return result;
  }
}

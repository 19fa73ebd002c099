// RdmaRetry: when a requester sends again, and when it gives up.
// Source followed: InfiniBand Architecture Specification 1.3, section 9.7.6 (requester retries); the kernel's rxe driver
// (rxe_comp.c): a counter for lost packets and one for peers that are not ready, both refilled by progress.
// Simplified: timers are in milliseconds of the machine's clock, which passes only when nothing else can run.

import type { Clock, ClockTimer } from '../../clock.ts';
import type { RdmaCounters } from './rdma-counters.ts';
import type { RdmaQueuePair } from './rdma-queue-pair.ts';
import type { RdmaSendEntry } from './rdma-send-entry.ts';
import { RDMA_STATUS, type RdmaStatus } from './rdma-status.ts';

const ENDLESS = 7;

/**
 * The retries of one queue pair.
 * @internal
 */
export class RdmaRetry {
  /** Counts how often the requester had to go back; a transfer that sees it change starts over. */
  rewinds = 0;
  readonly #pair: RdmaQueuePair;
  readonly #clock: Clock;
  readonly #counters: RdmaCounters;
  readonly #wake: () => void;
  #used = 0;
  /** Sequence number that was asked for again and has not come yet; -1 = none. */
  #wanted = -1;
  #rnrUsed = 0;
  #timer: ClockTimer | null = null;
  #rnrTimer: ClockTimer | null = null;

  constructor(pair: RdmaQueuePair, clock: Clock, counters: RdmaCounters, wake: () => void) {
    this.#pair = pair;
    this.#clock = clock;
    this.#counters = counters;
    this.#wake = wake;
  }

  /** True while the peer has asked for a pause. */
  get pausing(): boolean {
    return this.#rnrTimer !== null;
  }

  stop(): void {
    if (this.#timer !== null) this.#timer.cancelled = true;
    if (this.#rnrTimer !== null) this.#rnrTimer.cancelled = true;
    this.#timer = null;
    this.#rnrTimer = null;
    this.#wanted = -1;
    this.#used = 0;
    this.#rnrUsed = 0;
  }

  /** Something was sent that wants an answer. */
  expectAnswer(): void {
    const { timeoutMs } = this.#pair.attributes;
    if (this.#timer !== null || timeoutMs === 0 || this.#pair.type === 'uc') return;
    this.#timer = this.#clock.after(timeoutMs, () => this.#expired());
  }

  /** The peer has answered something new. */
  progress(): void {
    this.#wanted = -1;
    this.#used = 0;
    this.#rnrUsed = 0;
    if (this.#timer !== null) this.#timer.cancelled = true;
    this.#timer = null;
    if (this.#pair.sends.some(({ sent, done }) => sent > 0 && !done)) this.expectAnswer();
  }

  /** Packets from `psn` on were lost: send them again, or give up. Said twice of the same packet it counts once. */
  lost(psn: number): void {
    if (this.pausing || psn === this.#wanted) return;
    this.#wanted = psn;
    if (this.#used >= this.#pair.attributes.retryCount) {
      this.#giveUp(psn, RDMA_STATUS.RETRY_EXC_ERR);
      return;
    }
    this.#used += 1;
    this.#rewind(psn);
    this.#wake();
  }

  /** The peer has nothing to receive `psn` into: send it again after a pause of `ms`, or give up. */
  notReady(psn: number, ms: number): void {
    const { rnrRetry } = this.#pair.attributes;
    if (rnrRetry !== ENDLESS && this.#rnrUsed >= rnrRetry) {
      this.#giveUp(psn, RDMA_STATUS.RNR_RETRY_EXC_ERR);
      return;
    }
    this.#rnrUsed += 1;
    this.#rewind(psn);
    this.#rnrTimer = this.#clock.after(ms, () => {
      this.#rnrTimer = null;
      this.#wake();
    });
  }

  #expired(): void {
    this.#timer = null;
    const oldest = this.#pair.sends.find(({ begun, done, sent }) => begun && !done && sent > 0);
    if (oldest === undefined) return;
    // What was sent again was lost again.
    this.#wanted = -1;
    this.lost(oldest.firstPsn + oldest.answered);
    if (!this.#pair.stopped) this.expectAnswer();
  }

  #rewind(psn: number): void {
    this.rewinds += 1;
    this.#counters.retransmissions += 1;
    for (const entry of this.#pair.sends) {
      if (!entry.begun || entry.done || entry.lastPsn < psn) continue;
      entry.sent = entry.isAnswered ? 0 : Math.min(entry.sent, Math.max(0, psn - entry.firstPsn));
    }
  }

  #giveUp(psn: number, status: RdmaStatus): void {
    const entry = this.#pair.sends.find((each) => holds(each, psn));
    entry?.finish(status);
    this.#pair.drain();
  }
}

/** True when `psn` is one of the packets of `entry`. @internal */
export const holds = (entry: RdmaSendEntry, psn: number): boolean =>
  entry.begun && entry.firstPsn <= psn && psn <= entry.lastPsn;

// ExposureWatch: how long unmapped addresses of a lazy domain stayed usable by the device: from unmap to the flush.
// Source followed: drivers/iommu/dma-iommu.c (queue_iova): until the whole domain is flushed, cached translations live.
// One flush ends the wait of every range queued before it, on whatever CPU.
// Simplified: times are those of the trace lines; a flush takes no time.

import type { FlushQueue } from '@sgfree/dma-core';

/** Watches one flush queue. Times are milliseconds of the run's clock. */
export class ExposureWatch {
  readonly #queue: FlushQueue;
  queued = 0;
  ringFullFlushes = 0;
  timerFlushes = 0;
  deepestRing = 0;
  longestMs = 0;
  /** Sum over all ranges that were flushed, and their number. */
  totalMs = 0;
  flushedRanges = 0;
  /** Ranges queued since the last flush: when the first was, their number, the sum of their times. */
  #oldestMs = -1;
  #waiting = 0;
  #waitingSum = 0;
  #seenFlushes: number;

  constructor(queue: FlushQueue) {
    this.#queue = queue;
    this.#seenFlushes = queue.finishCount;
  }

  /** A range was queued on `cpu`; if its ring was full, it was flushed just before. */
  afterQueueing(cpu: number, nowMs: number): void {
    if (this.#noteFlushes(nowMs)) this.ringFullFlushes += 1;
    this.queued += 1;
    this.#waiting += 1;
    this.#waitingSum += nowMs;
    if (this.#oldestMs < 0) this.#oldestMs = nowMs;
    const depth = this.#queue.ringOf(cpu).length;
    if (depth > this.deepestRing) this.deepestRing = depth;
  }

  /** Timers have fired at `nowMs`; true when this queue's was among them. */
  afterTimers(nowMs: number): boolean {
    const flushed = this.#noteFlushes(nowMs);
    if (flushed) this.timerFlushes += 1;
    return flushed;
  }

  #noteFlushes(nowMs: number): boolean {
    const { finishCount } = this.#queue;
    if (finishCount === this.#seenFlushes) return false;
    this.#seenFlushes = finishCount;
    if (this.#waiting > 0) {
      this.longestMs = Math.max(this.longestMs, nowMs - this.#oldestMs);
      this.totalMs += this.#waiting * nowMs - this.#waitingSum;
      this.flushedRanges += this.#waiting;
    }
    this.#oldestMs = -1;
    this.#waiting = 0;
    this.#waitingSum = 0;
    return true;
  }
}

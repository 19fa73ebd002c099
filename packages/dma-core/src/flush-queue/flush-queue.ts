// FlushQueue: the lazy side of a domain: rings of ranges that wait, the flush counters, and the timer that bounds the
// wait. It stands here and not with the IOMMU drivers because the kernel keeps it with the DMA layer, its only user.
// Source followed: drivers/iommu/dma-iommu.c (the fq_ fields of struct iommu_dma_cookie, struct iommu_dma_options,
// iommu_dma_init_options, iommu_dma_init_fq_percpu, iommu_dma_init_fq_single).
// Simplified: timeouts are exact milliseconds, not jiffies rounded up; all CPUs are possible ones.

import type { ClockTimer } from '@sgfree/hw-model';
import { FlushRing, flushRingBytes } from './flush-ring.ts';

/**
 * How a flush queue is laid out (`struct iommu_dma_options`).
 * @public
 */
export interface FlushQueueOptions {
  /** One ring for all CPUs instead of one each. */
  readonly single: boolean;
  /** Slots of a ring, a power of two. */
  readonly ringSize: number;
  /** Milliseconds that a range waits at most. */
  readonly timeoutMs: number;
}

const PER_CPU_OPTIONS: FlushQueueOptions = { single: false, ringSize: 256, timeoutMs: 10 };
const SINGLE_OPTIONS: FlushQueueOptions = { single: true, ringSize: 32768, timeoutMs: 1000 };

/**
 * The layout for a device: where a flush is expensive because a hypervisor shadows the tables, one long ring.
 * @public
 * @kernel iommu_dma_init_options
 */
export const iommuDmaInitOptions = (shadowOnFlush: boolean): FlushQueueOptions =>
  shadowOnFlush ? SINGLE_OPTIONS : PER_CPU_OPTIONS;

/**
 * The waiting ranges of one domain.
 * @public
 */
export class FlushQueue {
  readonly options: FlushQueueOptions;
  /** Flushes of the whole domain that have begun. */
  startCount = 0;
  /** Flushes of the whole domain that have ended. */
  finishCount = 0;
  /** The armed timer; null without a clock or while none is armed. @internal */
  timer: ClockTimer | null = null;
  /** True from the first range queued until the timer fires. */
  timerOn = false;
  readonly #rings: FlushRing[];

  /** `cpus`: rings are made for so many CPUs, unless there is a single one. */
  constructor(options: FlushQueueOptions, cpus: number) {
    this.options = options;
    const rings = options.single ? 1 : cpus;
    this.#rings = Array.from({ length: rings }, () => new FlushRing(options.ringSize));
  }

  /** Every ring, that of CPU 0 first. */
  get rings(): readonly FlushRing[] {
    return this.#rings;
  }

  /** The ring that `cpu` (0 or more) queues to. */
  ringOf(cpu: number): FlushRing {
    const ring = this.#rings[this.options.single ? 0 : cpu];
    if (ring === undefined) throw new RangeError(`the flush queue has no ring for CPU ${cpu}`);
    return ring;
  }

  /** Ranges that wait, in all rings. */
  get pending(): number {
    let pending = 0;
    for (const ring of this.#rings) pending += ring.length;
    return pending;
  }

  /** Bytes of the rings in the kernel. */
  get footprintBytes(): number {
    return this.#rings.length * flushRingBytes(this.options.ringSize);
  }
}

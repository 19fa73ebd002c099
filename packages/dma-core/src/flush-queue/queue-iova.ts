// What happens in a flush queue: a range is queued, the domain is flushed, ranges whose flush has ended are freed.
// Source followed: drivers/iommu/dma-iommu.c (queue_iova, fq_ring_free_locked, fq_flush_iotlb, fq_flush_timeout,
// iommu_dma_init_fq, iommu_dma_free_fq).
// The unmap that finds its ring full flushes and is queued after that flush (quirk fq-flush-then-queue). Freed ranges go
// to the caches of the CPU that frees, not of the one that unmapped (quirk fq-free-on-flushing-cpu).
// Simplified: the timer of a clock fires on the CPU that armed it; whoever knows better calls fqFlushTimeout.

import { freeIovaFast, iommuFlushIotlbAll } from '@sgfree/iommu';
import { Errno } from '@sgfree/mm';
import type { DmaPlatform } from '../dma-platform.ts';
import type { IommuDmaCookie } from '../iommu-dma-cookie.ts';
import { FlushQueue, type FlushQueueOptions } from './flush-queue.ts';
import { type FlushRing, flushRingBytes } from './flush-ring.ts';

/**
 * Gives a domain a flush queue, unless it has one. 0, or -ENOMEM when the platform has no room for the rings.
 * @internal
 * @kernel iommu_dma_init_fq
 */
export function iommuDmaInitFq(
  cookie: IommuDmaCookie,
  platform: DmaPlatform,
  options: FlushQueueOptions,
): number {
  if (cookie.flushQueue !== null) return 0;
  const rings = options.single ? 1 : platform.cpus;
  if (!platform.allocateFlushQueue(rings * flushRingBytes(options.ringSize))) return -Errno.ENOMEM;
  cookie.clock = platform.clock;
  cookie.flushQueue = new FlushQueue(options, platform.cpus);
  return 0;
}

/**
 * Takes the flush queue away: the timer is stopped and the table pages that waited are freed. Nothing is flushed, and
 * the addresses that waited are not given back: they end with their domain.
 * @internal
 * @kernel iommu_dma_free_fq
 */
export function iommuDmaFreeFq(cookie: IommuDmaCookie): void {
  const queue = cookie.flushQueue;
  if (queue === null) return;
  stopTimer(queue);
  for (const ring of queue.rings) {
    for (; !ring.isEmpty; ring.pop()) freeTablesOfHead(cookie, ring);
  }
  cookie.flushQueue = null;
}

/**
 * Queues the range of `pages` granules at `pfn` on `cpu`, with the frames of the table pages that go with it, and arms
 * the timer if it is off.
 * @internal
 * @kernel queue_iova
 */
export function queueIova(
  cookie: IommuDmaCookie,
  queue: FlushQueue,
  pfn: number,
  pages: number,
  freelist: readonly number[] | null,
  cpu: number,
): void {
  const ring = queue.ringOf(cpu);
  fqRingFree(cookie, queue, ring, cpu);
  if (ring.isFull) {
    fqFlushIotlb(cookie, queue);
    fqRingFree(cookie, queue, ring, cpu);
  }
  ring.add(pfn, pages, freelist, queue.startCount);
  if (!queue.timerOn) armTimer(cookie, queue, cpu);
}

/**
 * Frees the ranges at the head of a ring whose flush has ended, on `cpu`.
 * @internal
 * @kernel fq_ring_free
 */
export function fqRingFree(cookie: IommuDmaCookie, queue: FlushQueue, ring: FlushRing, cpu: number): void {
  const { iovad } = cookie;
  for (; !ring.isEmpty && ring.headCounter < queue.finishCount; ring.pop()) {
    freeTablesOfHead(cookie, ring);
    freeIovaFast(iovad, ring.headPfn, ring.headPages, cpu);
  }
}

/**
 * Flushes the whole domain, counted before and after.
 * @internal
 * @kernel fq_flush_iotlb
 */
export function fqFlushIotlb({ domain }: IommuDmaCookie, queue: FlushQueue): void {
  queue.startCount += 1;
  iommuFlushIotlbAll(domain);
  queue.finishCount += 1;
}

/**
 * The timer fires on `cpu`: a flush even if nothing waits any more, then every ring is freed there. The next range that
 * is queued arms it again.
 * @public
 * @kernel fq_flush_timeout
 */
export function fqFlushTimeout(cookie: IommuDmaCookie, cpu: number): void {
  const queue = cookie.flushQueue;
  if (queue === null) return;
  stopTimer(queue);
  fqFlushIotlb(cookie, queue);
  for (const ring of queue.rings) fqRingFree(cookie, queue, ring, cpu);
}

function armTimer(cookie: IommuDmaCookie, queue: FlushQueue, cpu: number): void {
  queue.timerOn = true;
  queue.timer = cookie.clock?.after(queue.options.timeoutMs, () => fqFlushTimeout(cookie, cpu)) ?? null;
}

function stopTimer(queue: FlushQueue): void {
  queue.timerOn = false;
  if (queue.timer !== null) queue.timer.cancelled = true;
  queue.timer = null;
}

function freeTablesOfHead({ domain }: IommuDmaCookie, ring: FlushRing): void {
  if (ring.headFreelist !== null) domain.table.freeTables(ring.headFreelist);
}

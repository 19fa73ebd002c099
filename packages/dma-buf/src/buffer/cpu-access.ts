// CPU access: bracketing accesses of the processor, kernel mappings, and mapping into user memory.
// Source followed: dma_buf_begin_cpu_access, dma_buf_end_cpu_access, dma_buf_vmap, dma_buf_vunmap and dma_buf_mmap in
// drivers/dma-buf/dma-buf.c.
// Simplified: user memory is only counted in pages.

import type { DmaDataDirection } from '@sgfree/dma-core';
import { type ModelTask, PAGE_SIZE } from '@sgfree/hw-model';
import { DmaApiViolation, Errno, failure, type Outcome, success, warnViolation } from '@sgfree/mm';
import { MAX_SCHEDULE_TIMEOUT } from '../fence/fence-wait.ts';
import { dmaResvUsageRw } from '../resv/resv-usage.ts';
import { dmaResvWaitTimeout } from '../resv/resv-wait.ts';
import type { DmaBuf } from './dma-buf.ts';
import type { IosysMap, MmapRequest } from './dma-buf-ops.ts';
import { needsLock, needsNoLock } from './lock-rules.ts';

/**
 * Makes the memory ready for the processor: the exporter's part first, then the wait for implicit fences: all readers and
 * writers before a write, the writers before a read. 0, the exporter's errno, or -ERESTARTSYS.
 * @kernel dma_buf_begin_cpu_access
 * @public
 */
export function* dmaBufBeginCpuAccess<M>(dmabuf: DmaBuf<M>, dir: DmaDataDirection): ModelTask<number> {
  needsNoLock(dmabuf, 'dma_buf_begin_cpu_access');
  const { ops, resv } = dmabuf;
  const error = ops.beginCpuAccess === undefined ? 0 : yield* ops.beginCpuAccess(dmabuf, dir);
  if (error !== 0) return error;
  const usage = dmaResvUsageRw(dir === 'bidirectional' || dir === 'to-device');
  return Math.min(yield* dmaResvWaitTimeout(resv, usage, true, MAX_SCHEDULE_TIMEOUT), 0);
}

/**
 * Ends a CPU access; 0 or the exporter's errno.
 * @kernel dma_buf_end_cpu_access
 * @public
 */
export function* dmaBufEndCpuAccess<M>(dmabuf: DmaBuf<M>, dir: DmaDataDirection): ModelTask<number> {
  needsNoLock(dmabuf, 'dma_buf_end_cpu_access');
  return dmabuf.ops.endCpuAccess === undefined ? 0 : yield* dmabuf.ops.endCpuAccess(dmabuf, dir);
}

/**
 * Maps the buffer into the kernel; the exporter is asked for the first user only. With the lock held. -EINVAL when the
 * exporter cannot; its own errno is also a violation.
 * @kernel dma_buf_vmap
 * @public
 */
export function* dmaBufVmap<M>(dmabuf: DmaBuf<M>): ModelTask<Outcome<IosysMap>> {
  needsLock(dmabuf, 'dma_buf_vmap');
  const { ops, platform, expName } = dmabuf;
  if (ops.vmap === undefined) return failure(Errno.EINVAL);
  if (dmabuf.vmapPtr === null) {
    const map = yield* ops.vmap(dmabuf);
    if (!map.ok) {
      warnViolation(platform.log, 'dma-buf-vmap-failed', { buffer: expName, errno: map.errno });
      return map;
    }
    dmabuf.vmapPtr = map.value;
  }
  dmabuf.vmapCount += 1;
  return success(dmabuf.vmapPtr);
}

/**
 * Gives a kernel mapping back; the exporter is told with the last user. With the lock held. Throws
 * `DmaApiViolation` when it is not the one in use.
 * @kernel dma_buf_vunmap
 * @public
 */
export function* dmaBufVunmap<M>(dmabuf: DmaBuf<M>, map: IosysMap): ModelTask<void> {
  needsLock(dmabuf, 'dma_buf_vunmap');
  const { ops, expName } = dmabuf;
  if (dmabuf.vmapPtr === null || dmabuf.vmapCount === 0 || dmabuf.vmapPtr !== map) {
    throw new DmaApiViolation('dma-buf-vunmap-unbalanced', expName);
  }
  dmabuf.vmapCount -= 1;
  if (dmabuf.vmapCount > 0) return;
  dmabuf.vmapPtr = null;
  if (ops.vunmap !== undefined) yield* ops.vunmap(dmabuf, map);
}

/**
 * Puts pages of the buffer into user memory on behalf of another driver. -EINVAL when the exporter cannot or the pages
 * are not all there, -EOVERFLOW when their numbers wrap; else what the exporter says.
 * @kernel dma_buf_mmap
 * @public
 */
export function* dmaBufMmap<M>(dmabuf: DmaBuf<M>, request: MmapRequest): ModelTask<number> {
  needsNoLock(dmabuf, 'dma_buf_mmap');
  const { ops, size } = dmabuf;
  if (ops.mmap === undefined) return -Errno.EINVAL;
  const end = request.pageOffset + request.pages;
  if (end >= 2 ** 64) return -Errno.EOVERFLOW;
  if (end > Math.floor(size / PAGE_SIZE)) return -Errno.EINVAL;
  return yield* ops.mmap(dmabuf, request);
}

/**
 * The mmap system call on the buffer's file: as {@link dmaBufMmap}, but too many pages are -EINVAL in any case.
 * @kernel dma_buf_mmap_internal
 * @public
 */
export function* dmaBufMmapInternal<M>(dmabuf: DmaBuf<M>, request: MmapRequest): ModelTask<number> {
  needsNoLock(dmabuf, 'dma_buf_mmap_internal');
  const { ops, size } = dmabuf;
  if (ops.mmap === undefined) return -Errno.EINVAL;
  if (request.pageOffset + request.pages > Math.floor(size / PAGE_SIZE)) return -Errno.EINVAL;
  return yield* ops.mmap(dmabuf, request);
}

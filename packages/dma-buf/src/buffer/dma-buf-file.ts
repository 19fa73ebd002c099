// The file of a buffer as user space sees it: seeking for its size, the lines of fdinfo, and polling.
// Source followed: dma_buf_llseek, dma_buf_show_fdinfo and dma_buf_poll in drivers/dma-buf/dma-buf.c.
// Simplified: the wait queue of pollers is a count of wake-ups.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { dmaFenceGet, dmaFencePut } from '../fence/dma-fence.ts';
import { dmaFenceAddCallback } from '../fence/fence-callback.ts';
import { fput, getFile } from '../file/file-table.ts';
import { dmaResvLock, dmaResvUnlock } from '../resv/dma-resv.ts';
import { dmaResvForEachFence } from '../resv/resv-iter.ts';
import { dmaResvUsageRw } from '../resv/resv-usage.ts';
import type { DmaBuf } from './dma-buf.ts';
import type { PollArm } from './poll-arm.ts';

/** Poll bit: readable. @public */
export const EPOLLIN = 0x1;
/** Poll bit: writable. @public */
export const EPOLLOUT = 0x4;

/**
 * The lseek system call: only the end and the start, both with offset 0. The size, 0, or -EINVAL.
 * @kernel dma_buf_llseek
 * @public
 */
export function dmaBufLlseek<M>(dmabuf: DmaBuf<M>, offset: number, whence: 'set' | 'cur' | 'end'): number {
  if (offset !== 0 || whence === 'cur') return -Errno.EINVAL;
  return whence === 'end' ? dmabuf.size : 0;
}

/**
 * What `/proc/self/fdinfo` says of the buffer; the reader's own reference is not counted.
 * @kernel dma_buf_show_fdinfo
 * @public
 */
export function dmaBufShowFdinfo<M>(dmabuf: DmaBuf<M>): string {
  const name = dmabuf.name === null ? '' : `name:\t${dmabuf.name}\n`;
  return `size:\t${dmabuf.size}\ncount:\t${dmabuf.refs - 1}\nexp_name:\t${dmabuf.expName}\n${name}`;
}

/**
 * The poll system call: which of the wanted directions ({@link EPOLLIN}, {@link EPOLLOUT}) are ready. One that is not
 * gets a callback on its first unsignaled fence, unless one is armed for it already.
 * @kernel dma_buf_poll
 * @public
 */
export function* dmaBufPoll<M>(dmabuf: DmaBuf<M>, events: number): ModelTask<number> {
  const wanted = events & (EPOLLIN | EPOLLOUT);
  if (wanted === 0) return 0;
  yield* dmaResvLock(dmabuf.resv);
  let ready = 0;
  if ((wanted & EPOLLOUT) !== 0 && (yield* pollReady(dmabuf, dmabuf.pollOut, true))) ready |= EPOLLOUT;
  if ((wanted & EPOLLIN) !== 0 && (yield* pollReady(dmabuf, dmabuf.pollIn, false))) ready |= EPOLLIN;
  dmaResvUnlock(dmabuf.resv);
  return ready;
}

function* pollReady<M>(dmabuf: DmaBuf<M>, arm: PollArm, write: boolean): ModelTask<boolean> {
  if (arm.armed) return false;
  arm.armed = true;
  getFile(dmabuf);
  for (const { fence } of dmaResvForEachFence(dmabuf.resv, dmaResvUsageRw(write))) {
    dmaFenceGet(fence);
    const told = dmaFenceAddCallback(fence, arm.cb, () => {
      wake(arm);
      dmaFencePut(fence);
      dropFile(dmabuf);
    });
    if (told === 0) return false;
    dmaFencePut(fence);
  }
  wake(arm);
  yield* fput(dmabuf);
  return true;
}

function wake(arm: PollArm): void {
  arm.armed = false;
  arm.wakeups += 1;
}

/** From a fence's callback nothing may sleep: a last reference is given back by a task of its own. */
function dropFile<M>(dmabuf: DmaBuf<M>): void {
  if (dmabuf.refs > 1) dmabuf.refs -= 1;
  else dmabuf.platform.scheduler.spawn('delayed fput', fput(dmabuf));
}

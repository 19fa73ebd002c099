// Lock rules: which calls on a buffer need its reservation lock, and which must not be made with it.
// Source followed: Documentation/driver-api/dma-buf and the locking convention in drivers/dma-buf/dma-buf.c.
// Simplified: a broken rule is a violation and the call goes on, as with the kernel's lock validator.

import { warnViolation } from '@sgfree/mm';
import { type DmaResv, dmaResvHeld } from '../resv/dma-resv.ts';
import type { DmaBuf } from './dma-buf.ts';

/** `call` (a kernel name) needs the lock: violation `dma-buf-lock-needed` without it. @internal */
export function needsLock<M>(dmabuf: DmaBuf<M>, call: string): void {
  if (!dmaResvHeld(dmabuf.resv)) report(dmabuf, 'dma-buf-lock-needed', call);
}

/** `call` must not be made with the lock: violation `dma-buf-lock-forbidden`. @internal */
export function needsNoLock<M>(dmabuf: DmaBuf<M>, call: string): void {
  if (dmaResvHeld(dmabuf.resv)) report(dmabuf, 'dma-buf-lock-forbidden', call);
}

/** As {@link needsNoLock}, for a call that brings a reservation for a buffer yet to be made. @internal */
export function needsNoResvLock(resv: DmaResv, call: string, buffer: string): void {
  if (dmaResvHeld(resv)) warnViolation(resv.platform.log, 'dma-buf-lock-forbidden', { call, buffer });
}

function report<M>(dmabuf: DmaBuf<M>, rule: string, call: string): void {
  warnViolation(dmabuf.platform.log, rule, { call, buffer: dmabuf.expName });
}

// IbCq: a completion queue of verbs.
// Source followed: drivers/infiniband/core/verbs.c (ib_create_cq, ib_destroy_cq_user), include/rdma/ib_verbs.h (ib_poll_cq).
// Simplified: nobody is called when a completion comes; a task waits for one.

import { type ModelTask, type RdmaCompletion, RdmaCompletionQueue } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import type { IbDevice } from './ib-device.ts';
import type { IbWc } from './ib-wc.ts';

const CQE_BYTES = 64;

/**
 * A completion queue.
 * @kernel struct ib_cq
 * @public
 */
export class IbCq {
  readonly device: IbDevice;
  readonly queue: RdmaCompletionQueue;
  /** Uses by queue pairs. */
  usecnt = 0;

  constructor(device: IbDevice, queue: RdmaCompletionQueue) {
    this.device = device;
    this.queue = queue;
  }
}

/**
 * Makes a completion queue for `cqe` completions. -EINVAL when the device does not take that many; -ENOMEM.
 * @kernel ib_create_cq
 * @public
 */
export function ibCreateCq(device: IbDevice, cqe: number): Outcome<IbCq> {
  if (!(cqe >= 1 && cqe <= device.attrs.maxCqe)) return failure(Errno.EINVAL);
  if (!device.allocate(cqe * CQE_BYTES)) return failure(Errno.ENOMEM);
  return success(new IbCq(device, new RdmaCompletionQueue(cqe)));
}

/**
 * Takes a completion queue away. -EBUSY while queue pairs use it.
 * @kernel ib_destroy_cq
 * @public
 */
export const ibDestroyCq = (cq: IbCq): number => (cq.usecnt > 0 ? -Errno.EBUSY : 0);

/**
 * Appends up to `numEntries` completions to `wc`, the oldest first; returns how many there were.
 * @kernel ib_poll_cq
 * @public
 */
export function ibPollCq(cq: IbCq, numEntries: number, wc: IbWc[]): number {
  const taken = cq.queue.poll(numEntries);
  for (const completion of taken) wc.push(wcOf(cq, completion));
  return taken.length;
}

/**
 * Waits for the next completion and takes it.
 * @public
 */
export function* nextCompletion(cq: IbCq): ModelTask<IbWc> {
  return wcOf(cq, yield* cq.queue.next());
}

function wcOf(cq: IbCq, completion: RdmaCompletion): IbWc {
  const { wrId, status, opcode, byteLength, qpNumber, immediate, invalidatedKey } = completion;
  return {
    wrId,
    status,
    opcode,
    byteLen: byteLength,
    qp: cq.device.qps.get(qpNumber) ?? null,
    ...(immediate === undefined ? {} : { immData: immediate }),
    ...(invalidatedKey === undefined ? {} : { invalidateRkey: invalidatedKey }),
  };
}

// IbQp: a queue pair of verbs: the NIC's queue pair, its protection domain and its completion queues.
// Source followed: drivers/infiniband/core/verbs.c (ib_create_qp_kernel, ib_modify_qp, ib_destroy_qp_user, ib_drain_qp).
// Simplified: no shared receive queues, no event for the first message received.

import type {
  ModelTask,
  RdmaAsyncEvent,
  RdmaQpAttributes,
  RdmaQpState,
  RdmaQpType,
  RdmaQueuePair,
} from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import type { IbCq } from './ib-cq.ts';
import type { IbDevice } from './ib-device.ts';
import type { IbPd } from './ib-pd.ts';
import { type IbQpAttr, type IbQpAttrName, ibModifyQpIsOk } from './ib-qp-state.ts';

const QP_BYTES = 512;
const MTUS: readonly number[] = [256, 512, 1024, 2048, 4096];

/**
 * How much a queue pair can hold.
 * @kernel struct ib_qp_cap
 * @public
 */
export interface IbQpCap {
  readonly maxSendWr: number;
  readonly maxRecvWr: number;
  readonly maxSendSge: number;
  readonly maxRecvSge: number;
  readonly maxInlineData: number;
}

/**
 * How a queue pair is made.
 * @kernel struct ib_qp_init_attr
 * @public
 */
export interface IbQpInitAttr {
  readonly qpType: RdmaQpType;
  readonly sendCq: IbCq;
  readonly recvCq: IbCq;
  readonly cap: IbQpCap;
  /** Every send makes a completion. Default false: only those that ask for it. */
  readonly sqSigAll?: boolean;
  readonly eventHandler?: (event: RdmaAsyncEvent, qp: IbQp) => void;
}

/**
 * A queue pair.
 * @kernel struct ib_qp
 * @public
 */
export class IbQp {
  readonly pd: IbPd;
  readonly pair: RdmaQueuePair;
  readonly sendCq: IbCq;
  readonly recvCq: IbCq;
  readonly cap: IbQpCap;
  readonly sqSigAll: boolean;
  readonly eventHandler: ((event: RdmaAsyncEvent, qp: IbQp) => void) | null;

  constructor(pd: IbPd, pair: RdmaQueuePair, init: IbQpInitAttr) {
    this.pd = pd;
    this.pair = pair;
    this.sendCq = init.sendCq;
    this.recvCq = init.recvCq;
    this.cap = init.cap;
    this.sqSigAll = init.sqSigAll ?? false;
    this.eventHandler = init.eventHandler ?? null;
  }

  get device(): IbDevice {
    return this.pd.device;
  }

  get qpNum(): number {
    return this.pair.number;
  }

  get state(): RdmaQpState {
    return this.pair.state;
  }
}

/**
 * Makes a queue pair, in the reset state. -EINVAL for more work requests, pieces or inline data than the device takes;
 * -ENOMEM.
 * @kernel ib_create_qp
 * @public
 */
export function ibCreateQp(pd: IbPd, qpInitAttr: IbQpInitAttr): Outcome<IbQp> {
  const { device } = pd;
  const { cap, qpType, sendCq, recvCq } = qpInitAttr;
  const { maxQpWr, maxSendSge, maxRecvSge, maxInlineData } = device.attrs;
  if (
    Math.max(cap.maxSendWr, cap.maxRecvWr) > maxQpWr ||
    cap.maxSendSge > maxSendSge ||
    cap.maxRecvSge > maxRecvSge ||
    cap.maxInlineData > maxInlineData
  ) {
    return failure(Errno.EINVAL);
  }
  if (!device.allocate(QP_BYTES)) return failure(Errno.ENOMEM);
  const pair = device.nic.createQueuePair({
    type: qpType,
    pd: pd.pdn,
    sendCompletions: sendCq.queue,
    receiveCompletions: recvCq.queue,
  });
  const qp = new IbQp(pd, pair, qpInitAttr);
  device.qps.set(qp.qpNum, qp);
  pd.usecnt += 1;
  sendCq.usecnt += 1;
  recvCq.usecnt += 1;
  return success(qp);
}

/**
 * Changes state and attributes; the fields that are there are the mask. -EINVAL for a change that is not legal, that lacks
 * a required field or brings one that does not belong to it.
 * @kernel ib_modify_qp
 * @public
 */
export function ibModifyQp(qp: IbQp, qpAttr: IbQpAttr): number {
  const { pair } = qp;
  const mask = Object.keys(qpAttr) as IbQpAttrName[];
  const cur = qpAttr.curQpState ?? pair.state;
  const next = qpAttr.qpState ?? cur;
  if (cur !== pair.state || !ibModifyQpIsOk(cur, next, pair.type, mask)) return -Errno.EINVAL;
  if (qpAttr.pathMtu !== undefined && !MTUS.includes(qpAttr.pathMtu)) return -Errno.EINVAL;
  pair.modify(next, attributesOf(qpAttr));
  return 0;
}

/**
 * Takes a queue pair away; returns when none of its requests is on the bus. What it still held gets no completion.
 * @kernel ib_destroy_qp
 * @public
 */
export function* ibDestroyQp(qp: IbQp): ModelTask<number> {
  const { device, pd, sendCq, recvCq } = qp;
  yield* device.nic.destroyQueuePair(qp.pair);
  device.qps.delete(qp.qpNum);
  pd.usecnt -= 1;
  sendCq.usecnt -= 1;
  recvCq.usecnt -= 1;
  return 0;
}

/**
 * Takes a queue pair to the error state and waits until everything it held has completed.
 * @kernel ib_drain_qp
 * @public
 */
export function* ibDrainQp(qp: IbQp): ModelTask<void> {
  ibModifyQp(qp, { qpState: 'err' });
  const { pair } = qp;
  yield {
    at: 'rdma:drain-qp',
    until: () => pair.outstanding.sends === 0 && pair.outstanding.receives === 0,
  };
}

function attributesOf(attr: IbQpAttr): Partial<RdmaQpAttributes> {
  const all = {
    remoteAccess: attr.qpAccessFlags,
    destination: attr.av?.destination,
    destinationQp: attr.destQpNum,
    mtu: attr.pathMtu,
    sendPsn: attr.sqPsn,
    receivePsn: attr.rqPsn,
    maxRdAtomic: attr.maxRdAtomic,
    maxDestRdAtomic: attr.maxDestRdAtomic,
    timeoutMs: attr.timeout,
    retryCount: attr.retryCnt,
    rnrRetry: attr.rnrRetry,
    rnrTimerMs: attr.minRnrTimer,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

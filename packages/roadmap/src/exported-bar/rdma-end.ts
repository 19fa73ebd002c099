// RdmaEnd: one end of a connection: an adapter as verbs see it, with a protection domain, a completion queue and a queue
// pair; further ends of the same adapter; and how two ends are connected.
// Source followed: what a user of verbs sets up before the first transfer.
// Simplified: the ends know each other's numbers without a connection manager.

import type { Device } from '@sgfree/dma-core';
import { type EventLog, InternalError, type ModelTask, type RdmaNic } from '@sgfree/hw-model';
import {
  IbAccess,
  type IbCq,
  IbDevice,
  type IbPd,
  type IbQp,
  ibAllocPd,
  ibCreateCq,
  ibCreateQp,
  ibDeallocPd,
  ibDestroyCq,
  ibDestroyQp,
  ibModifyQp,
} from '@sgfree/rdma/stage-4';
import { had } from '../certain-value.ts';

/** Work requests that an end may have in flight. @internal */
export const MOST_IN_FLIGHT = 64;
/** Rights of a region that peers write to and read from. @internal */
export const PEER_RIGHTS: number = IbAccess.LOCAL_WRITE + IbAccess.REMOTE_WRITE + IbAccess.REMOTE_READ;
const REMOTE: number = IbAccess.REMOTE_WRITE + IbAccess.REMOTE_READ + IbAccess.REMOTE_ATOMIC;
const CAPACITY = {
  maxSendWr: MOST_IN_FLIGHT,
  maxRecvWr: MOST_IN_FLIGHT,
  maxSendSge: 1,
  maxRecvSge: 1,
  maxInlineData: 0,
} as const;
/** Milliseconds to an acknowledgement, and how often one waits for it. */
const TIMEOUT_MS = 67;
const RETRIES = 7;
/** Times that an end asked to pause comes back; 7 would be for ever. */
const RNR_RETRIES = 6;

/**
 * One end.
 * @internal
 */
export class RdmaEnd {
  readonly device: IbDevice;
  readonly pd: IbPd;
  readonly cq: IbCq;
  readonly qp: IbQp;

  /** `dmaDevice`: does the adapter's DMA; null where bus addresses are used as they are. */
  constructor(nic: RdmaNic, dmaDevice: Device | null, log: EventLog) {
    this.device = new IbDevice(nic, { dmaDevice, log });
    this.pd = had('no protection domain', ibAllocPd(this.device));
    this.cq = had('no completion queue', ibCreateCq(this.device, 2 * MOST_IN_FLIGHT));
    const { cq } = this;
    this.qp = had(
      'no queue pair',
      ibCreateQp(this.pd, { qpType: 'rc', sendCq: cq, recvCq: cq, cap: CAPACITY }),
    );
  }
}

/** A further queue pair of the same device and protection domain, on which `inFlight` work requests may be sent at once. @internal */
export function anotherEnd({ device, pd }: RdmaEnd, inFlight: number): RdmaEnd {
  const cq = had('no completion queue', ibCreateCq(device, 2 * inFlight));
  const cap = { ...CAPACITY, maxSendWr: inFlight, maxRecvWr: 1 };
  const qp = had('no queue pair', ibCreateQp(pd, { qpType: 'rc', sendCq: cq, recvCq: cq, cap }));
  return { device, pd, cq, qp };
}

/** Gives an end back; 0 or the negative errno of what could not be, such as a domain with a region in it. @internal */
export function* closeEnd({ qp, cq, pd }: RdmaEnd): ModelTask<number> {
  yield* ibDestroyQp(qp);
  const error = ibDestroyCq(cq);
  return error === 0 ? yield* ibDeallocPd(pd) : error;
}

/** Takes the queue pairs of both ends, in any state, to ready-to-send. @internal */
export function connectEnds(one: RdmaEnd, other: RdmaEnd): void {
  connect(one, other);
  connect(other, one);
}

function connect({ qp }: RdmaEnd, peer: RdmaEnd): void {
  const steps = [
    { qpState: 'reset' },
    { qpState: 'init', pkeyIndex: 0, portNum: 1, qpAccessFlags: REMOTE },
    {
      qpState: 'rtr',
      av: { destination: peer.device.nic.address },
      pathMtu: 1024,
      destQpNum: peer.qp.qpNum,
      rqPsn: 0,
      maxDestRdAtomic: 4,
      minRnrTimer: 1,
    },
    {
      qpState: 'rts',
      timeout: TIMEOUT_MS,
      retryCnt: RETRIES,
      rnrRetry: RNR_RETRIES,
      sqPsn: 0,
      maxRdAtomic: 4,
    },
  ] as const;
  for (const attr of steps) {
    if (ibModifyQp(qp, attr) !== 0) throw new InternalError(`a queue pair does not reach ${attr.qpState}`);
  }
}

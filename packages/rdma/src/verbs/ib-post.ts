// ibPostSend, ibPostRecv: hand work requests to the NIC, or say at once which one is malformed.
// Source followed: include/rdma/ib_verbs.h (ib_post_send, ib_post_recv); the kernel's rxe driver (rxe_verbs.c,
// validate_send_wr, rxe_post_send, rxe_post_recv) for what is refused before the hardware sees it.
// Requests before the refused one are posted.
// Simplified: a doorbell is a method call.

import { type RdmaOpcode, type RdmaSendRequest, type RdmaSge, RdmaTranslation } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { ibAccessWritable } from './ib-access.ts';
import type { IbQp } from './ib-qp.ts';
import type { BadWr, IbRecvWr, IbSendWr, IbSge, IbWrOpcode } from './ib-send-wr.ts';

const OPCODES: Readonly<Record<IbWrOpcode, RdmaOpcode>> = {
  'rdma-write': 'rdma-write',
  'rdma-write-with-imm': 'rdma-write-with-imm',
  send: 'send',
  'send-with-imm': 'send-with-imm',
  'send-with-inv': 'send-with-inv',
  'rdma-read': 'rdma-read',
  'atomic-cmp-and-swp': 'compare-swap',
  'atomic-fetch-and-add': 'fetch-add',
  'local-inv': 'local-inv',
  'reg-mr': 'reg-mr',
  'bind-mw': 'bind-mw',
};

/**
 * Posts sends in order. -EINVAL when the queue pair cannot send yet, or for a malformed request; -ENOMEM when the queue is
 * full. `badSendWr` then holds the first that was not posted.
 * @kernel ib_post_send
 * @public
 */
export function ibPostSend(
  qp: IbQp,
  sendWr: readonly IbSendWr[],
  badSendWr: BadWr<IbSendWr> = { wr: null },
): number {
  for (const wr of sendWr) {
    const error = sendError(qp, wr);
    if (error !== 0) {
      badSendWr.wr = wr;
      return error;
    }
    qp.pair.postSend(requestOf(qp, wr));
  }
  return 0;
}

/**
 * Posts receives in order. -EINVAL in the reset state and for too many pieces; -ENOMEM when the queue is full.
 * @kernel ib_post_recv
 * @public
 */
export function ibPostRecv(
  qp: IbQp,
  recvWr: readonly IbRecvWr[],
  badRecvWr: BadWr<IbRecvWr> = { wr: null },
): number {
  for (const wr of recvWr) {
    const list = wr.sgList ?? [];
    const full = qp.pair.outstanding.receives >= qp.cap.maxRecvWr;
    if (qp.state === 'reset' || full || list.length > qp.cap.maxRecvSge) {
      badRecvWr.wr = wr;
      return full && qp.state !== 'reset' ? -Errno.ENOMEM : -Errno.EINVAL;
    }
    qp.pair.postReceive({ wrId: wr.wrId, sges: list.map(sgeOf) });
  }
  return 0;
}

function sendError(qp: IbQp, wr: IbSendWr): number {
  const { cap, state } = qp;
  if (state === 'reset' || state === 'init' || state === 'rtr') return -Errno.EINVAL;
  if (qp.pair.outstanding.sends >= cap.maxSendWr) return -Errno.ENOMEM;
  if ((wr.sgList?.length ?? 0) > cap.maxSendSge) return -Errno.EINVAL;
  if (wr.inlineData !== undefined && (wr.inlineData.length > cap.maxInlineData || !carriesData(wr.opcode))) {
    return -Errno.EINVAL;
  }
  return isComplete(wr) ? 0 : -Errno.EINVAL;
}

const carriesData = (opcode: IbWrOpcode): boolean =>
  opcode.startsWith('send') || opcode.startsWith('rdma-write');

/** The fields that an opcode cannot do without; an atomic wants room for eight bytes at a multiple of eight. */
function isComplete(wr: IbSendWr): boolean {
  const { opcode, sgList = [], remoteAddr = 0 } = wr;
  if (opcode === 'atomic-cmp-and-swp' || opcode === 'atomic-fetch-and-add') {
    return sgList.reduce((sum, { length }) => sum + length, 0) >= 8 && remoteAddr % 8 === 0;
  }
  if (opcode === 'reg-mr') return wr.mr !== undefined && wr.key !== undefined && wr.access !== undefined;
  if (opcode === 'bind-mw') return wr.mw !== undefined && wr.mr !== undefined && wr.key !== undefined;
  return (opcode !== 'local-inv' && opcode !== 'send-with-inv') || wr.invalidateRkey !== undefined;
}

const sgeOf = ({ addr, length, lkey }: IbSge): RdmaSge => ({ address: addr, length, lkey });

function requestOf(qp: IbQp, wr: IbSendWr): RdmaSendRequest {
  const { wrId, opcode, sgList = [], sendFlags = {}, inlineData, immData, invalidateRkey } = wr;
  return {
    wrId,
    opcode: OPCODES[opcode],
    sges: sgList.map(sgeOf),
    signaled: qp.sqSigAll || sendFlags.signaled === true,
    fence: sendFlags.fence === true,
    remoteAddress: wr.remoteAddr ?? 0,
    rkey: wr.rkey ?? 0,
    compareAdd: wr.compareAdd ?? 0n,
    swap: wr.swap ?? 0n,
    // The request carries its own copy: the poster may use the buffer again.
    ...(inlineData === undefined ? {} : { inlineData: inlineData.slice() }),
    ...(immData === undefined ? {} : { immediate: immData }),
    ...(invalidateRkey === undefined ? {} : { invalidateKey: invalidateRkey }),
    ...registrationOf(wr),
  };
}

function registrationOf(wr: IbSendWr): Partial<RdmaSendRequest> {
  const { opcode, mr, mw, key = 0, access = 0 } = wr;
  if (mr === undefined) return {};
  if (opcode === 'bind-mw' && mw !== undefined) {
    const { addr: iova = 0, length = 0 } = wr;
    return { binding: { window: mw.entry, region: mr.entry, key, access, iova, length } };
  }
  if (opcode !== 'reg-mr') return {};
  const translation = RdmaTranslation.of(mr.pageSize || 4096, mr.pages, ibAccessWritable(access));
  const contents = { access, iova: mr.iova, length: mr.length, translation };
  return { registration: { entry: mr.entry, key, contents } };
}

// Posting: what is refused before the hardware sees it, which request is named, and what the request carries along.
import { dmaAddr } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { expect, it } from 'vitest';
import { CAP, EVERYTHING, initAttr, outcomeValue, VerbsRig } from '../../test/verbs-rig.ts';
import { ibPostRecv, ibPostSend } from './ib-post.ts';
import { ibCreateQp } from './ib-qp.ts';
import { registerRegion } from './ib-region-mr.ts';
import type { BadWr, IbRecvWr, IbSendWr } from './ib-send-wr.ts';

const IOVA = 0x7000_0000;
const sge = (length: number) => ({ addr: IOVA, length, lkey: 0 });
const write: IbSendWr = { wrId: 1, opcode: 'rdma-write', remoteAddr: IOVA, rkey: 0 };

it('only complete requests are posted', () => {
  const posted = (wr: Partial<IbSendWr>): number => ibPostSend(new VerbsRig().a.qp, [{ ...write, ...wr }]);
  const refused: readonly Partial<IbSendWr>[] = [
    { sgList: Array.from({ length: CAP.maxSendSge + 1 }, () => sge(1)) },
    { inlineData: new Uint8Array(CAP.maxInlineData + 1) },
    { opcode: 'rdma-read', inlineData: new Uint8Array(1) },
    { opcode: 'atomic-fetch-and-add', sgList: [sge(7)] },
    { opcode: 'atomic-cmp-and-swp', sgList: [sge(8)], remoteAddr: IOVA + 4 },
    { opcode: 'reg-mr', key: 1, access: 1 },
    { opcode: 'bind-mw', key: 1 },
    { opcode: 'local-inv' },
    { opcode: 'send-with-inv' },
  ];
  for (const wr of refused) expect([wr, posted(wr)]).toEqual([wr, -Errno.EINVAL]);
  const taken: readonly Partial<IbSendWr>[] = [
    { sgList: Array.from({ length: CAP.maxSendSge }, () => sge(1)) },
    { inlineData: new Uint8Array(CAP.maxInlineData) },
    { opcode: 'send', inlineData: new Uint8Array(1) },
    { opcode: 'atomic-fetch-and-add', sgList: [sge(4), sge(4)] },
    { opcode: 'atomic-cmp-and-swp', sgList: [sge(8)], remoteAddr: IOVA + 8 },
    { opcode: 'local-inv', invalidateRkey: 1 },
    { opcode: 'send-with-inv', invalidateRkey: 1 },
  ];
  for (const wr of taken) expect([wr, posted(wr)]).toEqual([wr, 0]);
});

it('names the first request that was not posted; those before it are', () => {
  const { a } = new VerbsRig();
  const bad: BadWr<IbSendWr> = { wr: null };
  const second: IbSendWr = { wrId: 2, opcode: 'local-inv' };
  expect(ibPostSend(a.qp, [write, second, write], bad)).toBe(-Errno.EINVAL);
  expect(bad.wr).toBe(second);
  expect(a.qp.pair.outstanding.sends).toBe(1);
});

it('full queues take no more, and a queue pair in reset takes nothing', () => {
  const { a } = new VerbsRig();
  const sends = Array.from({ length: CAP.maxSendWr + 1 }, (_, wrId) => ({ ...write, wrId }));
  expect(ibPostSend(a.qp, sends)).toBe(-Errno.ENOMEM);
  expect(a.qp.pair.outstanding.sends).toBe(CAP.maxSendWr);
  const bad: BadWr<IbRecvWr> = { wr: null };
  const receives = Array.from({ length: CAP.maxRecvWr + 1 }, (_, wrId) => ({ wrId }));
  expect(ibPostRecv(a.qp, receives, bad)).toBe(-Errno.ENOMEM);
  expect(bad.wr).toBe(receives.at(-1));
  const fresh = outcomeValue(ibCreateQp(a.pd, initAttr(a.cq)));
  expect(ibPostSend(fresh, [write])).toBe(-Errno.EINVAL);
  expect(ibPostRecv(fresh, [{ wrId: 1 }])).toBe(-Errno.EINVAL);
  const many = Array.from({ length: CAP.maxRecvSge + 1 }, () => sge(1));
  expect(ibPostRecv(new VerbsRig().a.qp, [{ wrId: 1, sgList: many }])).toBe(-Errno.EINVAL);
});

it('inline data is copied when it is posted', () => {
  const rig = new VerbsRig();
  const at = 0x10_0000;
  const spec = { iova: IOVA, length: 4096, access: EVERYTHING, pageSize: 4096, blocks: [dmaAddr(at)] };
  const mr = outcomeValue(registerRegion(rig.b.pd, spec));
  const inlineData = Uint8Array.of(1, 2, 3);
  expect(ibPostSend(rig.a.qp, [{ ...write, rkey: mr.rkey, inlineData }])).toBe(0);
  inlineData.fill(9);
  rig.settle();
  expect([...rig.bytesAt(at, 3)]).toEqual([1, 2, 3]);
});

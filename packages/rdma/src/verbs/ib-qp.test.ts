// Queue pairs and work requests of verbs, and what failed allocations leave behind.
import { dmaAddr, type RdmaQpState } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { CAP, EVERYTHING, initAttr, outcomeValue, VerbsRig } from '../../test/verbs-rig.ts';
import { ibCreateCq, ibDestroyCq, nextCompletion } from './ib-cq.ts';
import { ibAllocMr } from './ib-fast-reg-mr.ts';
import { ibDeregMr } from './ib-mr.ts';
import { allocMw, deallocMw } from './ib-mw.ts';
import { ibAllocPd, ibDeallocPd } from './ib-pd.ts';
import { ibPostRecv, ibPostSend } from './ib-post.ts';
import { ibCreateQp, ibDestroyQp, ibDrainQp, ibModifyQp } from './ib-qp.ts';
import { type IbQpAttrName, ibModifyQpIsOk } from './ib-qp-state.ts';
import { registerRegion } from './ib-region-mr.ts';
import type { IbSendWr } from './ib-send-wr.ts';
import { IbWcStatus } from './ib-wc.ts';

const { SUCCESS, WR_FLUSH_ERR } = IbWcStatus;
const IOVA = 0x7000_0000;
const blocks = (...addresses: number[]) => addresses.map((address) => dmaAddr(address));
const signaled = { sendFlags: { signaled: true } } as const;
describe('queue pairs', () => {
  const init: IbQpAttrName[] = ['pkeyIndex', 'portNum', 'qpAccessFlags'];
  const rtr: IbQpAttrName[] = ['av', 'pathMtu', 'destQpNum', 'rqPsn', 'maxDestRdAtomic', 'minRnrTimer'];
  const rts: IbQpAttrName[] = ['timeout', 'retryCnt', 'rnrRetry', 'sqPsn', 'maxRdAtomic'];
  const legal: readonly (readonly [RdmaQpState, RdmaQpState, IbQpAttrName[]])[] = [
    ['reset', 'init', init],
    ['init', 'init', []],
    ['init', 'rtr', rtr],
    ['rtr', 'rts', rts],
    ['rts', 'rts', []],
    ['rts', 'sqd', []],
    ['sqd', 'rts', []],
    ['sqd', 'sqd', []],
  ];
  const states: RdmaQpState[] = ['reset', 'init', 'rtr', 'rts', 'sqd', 'sqe', 'err'];

  it('go only where the table lets them', () => {
    const every = [...new Set([...init, ...rtr, ...rts])];
    for (const from of states) {
      for (const to of states) {
        const rule = legal.find(([cur, next]) => cur === from && next === to);
        const always = to === 'reset' || (to === 'err' && from !== 'reset');
        const mask: IbQpAttrName[] = ['qpState', ...(rule?.[2] ?? [])];
        expect([from, to, ibModifyQpIsOk(from, to, 'rc', mask)]).toEqual([
          from,
          to,
          always || rule !== undefined,
        ]);
        // One required field less, or everything at once, is refused.
        for (const missing of rule?.[2] ?? []) {
          expect(
            ibModifyQpIsOk(
              from,
              to,
              'rc',
              mask.filter((name) => name !== missing),
            ),
          ).toBe(false);
        }
        expect(ibModifyQpIsOk(from, to, 'rc', every)).toBe(false);
      }
    }
    expect(ibModifyQpIsOk('init', 'rtr', 'uc', ['av', 'pathMtu', 'destQpNum', 'rqPsn'])).toBe(true);
    expect(ibModifyQpIsOk('init', 'rtr', 'uc', rtr)).toBe(false);
    expect(ibModifyQpIsOk('sqe', 'rts', 'uc', ['curQpState'])).toBe(true);
    expect(ibModifyQpIsOk('init', 'init', 'uc', ['curQpState'])).toBe(false);
  });

  it('refuse a change that is not theirs and stay as they are', () => {
    const { qp, cq, pd } = new VerbsRig().a;
    expect(ibModifyQp(qp, { qpState: 'rtr' })).toBe(-Errno.EINVAL);
    expect(ibModifyQp(qp, { qpState: 'rts', curQpState: 'sqd' })).toBe(-Errno.EINVAL);
    expect([ibModifyQp(qp, { qpState: 'sqd' }), qp.state]).toEqual([0, 'sqd']);
    const fresh = outcomeValue(ibCreateQp(pd, initAttr(cq)));
    ibModifyQp(fresh, { qpState: 'init', pkeyIndex: 0, portNum: 1, qpAccessFlags: 0 });
    const odd = { av: { destination: 0 }, destQpNum: 1, rqPsn: 0, maxDestRdAtomic: 1, minRnrTimer: 1 };
    expect(ibModifyQp(fresh, { qpState: 'rtr', ...odd, pathMtu: 1000 })).toBe(-Errno.EINVAL);
    expect(fresh.state).toBe('init');
  });

  it('refuse work that they cannot hold, and name the first they refused', () => {
    const rig = new VerbsRig();
    const { pd, cq, qp } = rig.a;
    const fresh = outcomeValue(ibCreateQp(pd, initAttr(cq)));
    const send: IbSendWr = { wrId: 1, opcode: 'send' };
    const sge = { addr: 0x1000, length: 4, lkey: pd.localDmaLkey };
    const bad: { wr: IbSendWr | null } = { wr: null };
    expect([ibPostSend(fresh, [send], bad), bad.wr]).toEqual([-Errno.EINVAL, send]);
    expect(ibPostRecv(fresh, [{ wrId: 1 }])).toBe(-Errno.EINVAL);
    const malformed: IbSendWr[] = [
      { wrId: 2, opcode: 'send', sgList: new Array(5).fill(sge) },
      { wrId: 3, opcode: 'send', inlineData: new Uint8Array(65) },
      { wrId: 4, opcode: 'rdma-read', inlineData: new Uint8Array(1) },
      { wrId: 5, opcode: 'atomic-fetch-and-add', sgList: [sge], remoteAddr: 8 },
      { wrId: 6, opcode: 'atomic-fetch-and-add', sgList: [{ ...sge, length: 8 }], remoteAddr: 4 },
      { wrId: 7, opcode: 'reg-mr' },
      { wrId: 8, opcode: 'local-inv' },
    ];
    for (const wr of malformed) {
      const refused: { wr: IbSendWr | null } = { wr: null };
      expect([ibPostSend(qp, [wr], refused), refused.wr]).toEqual([-Errno.EINVAL, wr]);
    }
    const many = Array.from({ length: 17 }, (_, wrId): IbSendWr => ({ wrId, opcode: 'rdma-write' }));
    expect([ibPostSend(qp, many, bad), bad.wr?.wrId]).toEqual([-Errno.ENOMEM, 16]);
    const receives = Array.from({ length: 17 }, (_, wrId) => ({ wrId }));
    expect(ibPostRecv(qp, receives)).toBe(-Errno.ENOMEM);
    expect(qp.pair.outstanding).toEqual({ sends: 16, receives: 16 });
    expect(ibCreateQp(pd, { ...initAttr(cq), cap: { ...CAP, maxSendWr: 5000 } }).ok).toBe(false);
  });

  it('drain: everything they held completes, and their queues can then go', () => {
    const rig = new VerbsRig();
    const { a, b } = rig;
    ibPostSend(a.qp, [{ wrId: 4, opcode: 'send', ...signaled }]);
    ibPostRecv(a.qp, [{ wrId: 5 }]);
    rig.do(ibDrainQp(a.qp));
    expect(rig.settle().map(({ wrId, status }) => [wrId, status])).toEqual([
      [4, WR_FLUSH_ERR],
      [5, WR_FLUSH_ERR],
    ]);
    expect(ibDestroyCq(a.cq)).toBe(-Errno.EBUSY);
    rig.do(ibDestroyQp(a.qp));
    expect([ibDestroyCq(a.cq), a.device.qps.size, b.device.qps.size]).toEqual([0, 0, 1]);
  });

  it('let a task wait for a completion', () => {
    const rig = new VerbsRig();
    const waiting = rig.scheduler.spawn('waiting', nextCompletion(rig.a.cq));
    ibPostSend(rig.a.qp, [{ wrId: 77, opcode: 'rdma-write', ...signaled }]);
    rig.scheduler.run();
    expect([waiting.result?.wrId, waiting.result?.status]).toEqual([77, SUCCESS]);
    expect(waiting.result?.qp === rig.a.qp).toBe(true);
  });

  it('carry what two of them did to a BAR of a third device', () => {
    const rig = new VerbsRig();
    const { a, b } = rig;
    const mr = outcomeValue(
      registerRegion(b.pd, {
        iova: IOVA,
        length: 4096,
        pageSize: 4096,
        blocks: [a.barAt],
        access: EVERYTHING,
      }),
    );
    const data = new Uint8Array(4096).map((_, i) => i * 3 + (i >> 8));
    rig.store(0x20_0000, data);
    const sgList = [{ addr: 0x20_0000, length: 4096, lkey: a.pd.localDmaLkey }];
    ibPostSend(a.qp, [
      { wrId: 1, opcode: 'rdma-write', sgList, remoteAddr: IOVA, rkey: mr.rkey, ...signaled },
    ]);
    expect(rig.settle()).toMatchObject([{ status: SUCCESS }]);
    expect(Buffer.compare(a.bar.pageBytes(0), data)).toBe(0);
  });
});

it('a failed allocation leaves nothing behind', () => {
  const rig = new VerbsRig();
  const { device } = rig.a;
  const before = [device.nic.keys.size, device.pdCount, device.nic.queuePairs.length];
  let failures = 0;
  for (let good = false; !good; ) {
    let count = 0;
    device.allocate = () => {
      count += 1;
      return count !== failures + 1;
    };
    good = setUpAndTakeDown(rig);
    if (!good) failures += 1;
    expect([device.nic.keys.size, device.pdCount, device.nic.queuePairs.length]).toEqual(before);
  }
  expect(failures).toBe(9);
});

/** Everything that allocates, taken down again; false when one of them failed. */
function setUpAndTakeDown(rig: VerbsRig): boolean {
  const { device } = rig.a;
  const pd = ibAllocPd(device);
  if (!pd.ok) return false;
  const cq = ibCreateCq(device, 4);
  const made = [
    ibAllocMr(pd.value, 'mem-reg', 2),
    registerRegion(pd.value, { iova: 0, length: 1, pageSize: 4096, blocks: blocks(0x1000), access: 0 }),
  ];
  const mw = allocMw(pd.value);
  const qp = cq.ok ? ibCreateQp(pd.value, initAttr(cq.value)) : cq;
  const good = cq.ok && mw.ok && qp.ok && made.every(({ ok }) => ok);
  for (const mr of made) if (mr.ok) rig.do(ibDeregMr(mr.value));
  if (mw.ok) rig.do(deallocMw(mw.value));
  if (qp.ok) rig.do(ibDestroyQp(qp.value));
  expect(rig.do(ibDeallocPd(pd.value))).toBe(0);
  return good;
}

// Completion queues: how long they may be, in which order they are polled, and what one that overflows does to its users.
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { connect, initAttr, outcomeValue, VerbsRig } from '../../test/verbs-rig.ts';
import { ibCreateCq, ibDestroyCq, ibPollCq } from './ib-cq.ts';
import { ibPostRecv, ibPostSend } from './ib-post.ts';
import { ibCreateQp, ibDestroyQp } from './ib-qp.ts';
import { type IbWc, IbWcStatus } from './ib-wc.ts';

const signaled = { sendFlags: { signaled: true } } as const;

describe('a completion queue', () => {
  it('has a length that the device takes, and memory', () => {
    const { device } = new VerbsRig().a;
    const errno = (cqe: number): number => {
      const made = ibCreateCq(device, cqe);
      return made.ok ? 0 : made.errno;
    };
    const { maxCqe } = device.attrs;
    expect([0, 1, maxCqe, maxCqe + 1].map(errno)).toEqual([Errno.EINVAL, 0, 0, Errno.EINVAL]);
    device.allocate = () => false;
    expect(errno(1)).toBe(Errno.ENOMEM);
  });

  it('stays while one queue of a queue pair uses it', () => {
    const rig = new VerbsRig();
    const { a } = rig;
    const sendCq = outcomeValue(ibCreateCq(a.device, 4));
    const recvCq = outcomeValue(ibCreateCq(a.device, 4));
    const qp = outcomeValue(ibCreateQp(a.pd, { ...initAttr(sendCq), recvCq }));
    expect([sendCq, recvCq].map(ibDestroyCq)).toEqual([-Errno.EBUSY, -Errno.EBUSY]);
    expect(rig.do(ibDestroyQp(qp))).toBe(0);
    expect([sendCq, recvCq].map(ibDestroyCq)).toEqual([0, 0]);
  });

  it('is polled oldest first, as many as asked for, and says what came with a message', () => {
    const rig = new VerbsRig();
    const { a, b } = rig;
    ibPostRecv(b.qp, [{ wrId: 1 }, { wrId: 2 }, { wrId: 3 }]);
    for (let wrId = 11; wrId <= 13; wrId += 1) {
      ibPostSend(a.qp, [{ wrId, opcode: 'send-with-imm', immData: wrId * 2, ...signaled }]);
    }
    rig.scheduler.run();
    const polled = (limit: number): (readonly number[])[] => {
      const wc: IbWc[] = [];
      expect(ibPollCq(b.cq, limit, wc)).toBe(wc.length);
      expect(wc.every(({ qp }) => qp === b.qp)).toBe(true);
      return wc.map(({ wrId, immData = -1 }) => [wrId, immData]);
    };
    expect(polled(2)).toEqual([
      [1, 22],
      [2, 24],
    ]);
    expect(polled(2)).toEqual([[3, 26]]);
    expect(polled(2)).toEqual([]);
  });

  it('that overflows loses the completion and breaks the pair; it counts each of its uses', () => {
    const rig = new VerbsRig();
    const { a, b } = rig;
    const small = outcomeValue(ibCreateCq(a.device, 1));
    const events: string[] = [];
    const init = { ...initAttr(small), eventHandler: (event: string) => events.push(event) };
    const qp = outcomeValue(ibCreateQp(a.pd, init));
    const peer = outcomeValue(ibCreateQp(b.pd, initAttr(b.cq)));
    connect({ ...a, qp }, { ...b, qp: peer });
    connect({ ...b, qp: peer }, { ...a, qp });
    expect(small.usecnt).toBe(2);
    ibPostSend(qp, [
      { wrId: 1, opcode: 'rdma-write', ...signaled },
      { wrId: 2, opcode: 'rdma-write', ...signaled },
    ]);
    rig.scheduler.run();
    const wc: IbWc[] = [];
    ibPollCq(small, 8, wc);
    expect(wc.map(({ wrId, status }) => [wrId, status])).toEqual([[1, IbWcStatus.SUCCESS]]);
    expect([qp.state, events]).toEqual(['err', ['cq-error']]);
    expect(ibDestroyCq(small)).toBe(-Errno.EBUSY);
    rig.do(ibDestroyQp(qp));
    expect([ibDestroyCq(small), small.usecnt]).toEqual([0, 0]);
  });
});

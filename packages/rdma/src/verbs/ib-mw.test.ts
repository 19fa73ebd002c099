// Memory windows: what a binding needs, what the window then shows, and what ends it.
import { dmaAddr } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { EVERYTHING, outcomeValue, VerbsRig } from '../../test/verbs-rig.ts';
import { IbAccess } from './ib-access.ts';
import { ibDeregMr } from './ib-mr.ts';
import { allocMw, deallocMw } from './ib-mw.ts';
import { ibAllocPd, ibDeallocPd } from './ib-pd.ts';
import { ibPostSend } from './ib-post.ts';
import { registerRegion } from './ib-region-mr.ts';
import type { IbSendWr } from './ib-send-wr.ts';
import { IbWcStatus } from './ib-wc.ts';

const { SUCCESS, MW_BIND_ERR, REM_ACCESS_ERR } = IbWcStatus;
const signaled = { sendFlags: { signaled: true } } as const;

function bound(change: Partial<IbSendWr> = {}, access: number = EVERYTHING | IbAccess.MW_BIND) {
  const rig = new VerbsRig();
  const { pd, qp } = rig.b;
  const blocks = [dmaAddr(0x9000)];
  const mr = outcomeValue(registerRegion(pd, { iova: 0x7000, length: 4096, pageSize: 4096, blocks, access }));
  const mw = outcomeValue(allocMw(pd));
  const part = { addr: 0x7100, length: 256, access: IbAccess.REMOTE_WRITE };
  const bind: IbSendWr = {
    wrId: 1,
    opcode: 'bind-mw',
    mw,
    mr,
    key: mw.rkey,
    ...part,
    ...signaled,
    ...change,
  };
  ibPostSend(qp, [bind]);
  const [wc] = rig.settle(rig.b);
  return { rig, mr, mw, status: wc?.status };
}

describe('a window', () => {
  const refused: [string, Partial<IbSendWr>, number?][] = [
    ['before the region', { addr: 0x6fff, length: 2 }],
    ['behind the region', { addr: 0x7fff, length: 2 }],
    ['another index', { key: 0x7700 }],
    ['a region without the right to bind', {}, EVERYTHING],
    ['writes to what its owner may not write', {}, IbAccess.MW_BIND | IbAccess.REMOTE_READ],
  ];
  it.each(refused)('is not bound: %s', (_name, change, access) => {
    const { rig, mr, mw, status } = bound(change, access);
    expect([status, mr.entry.boundWindows, mw.entry.state]).toEqual([MW_BIND_ERR, 0, 'free']);
    expect(rig.b.qp.state).toBe('err');
  });

  it('shows peers its bytes only, for what it was bound for only', () => {
    for (const [opcode, remoteAddr, bytes, expected] of [
      ['rdma-write', 0x7100, 256, SUCCESS],
      ['rdma-write', 0x70ff, 2, REM_ACCESS_ERR],
      ['rdma-write', 0x7100, 257, REM_ACCESS_ERR],
      ['rdma-read', 0x7100, 1, REM_ACCESS_ERR],
    ] as const) {
      const { rig, mw, status } = bound();
      expect(status).toBe(SUCCESS);
      rig.store(0x10_0000, new Uint8Array(bytes).fill(6));
      const sgList = [{ addr: 0x10_0000, length: bytes, lkey: rig.a.pd.localDmaLkey }];
      ibPostSend(rig.a.qp, [{ wrId: 2, opcode, sgList, remoteAddr, rkey: mw.rkey, ...signaled }]);
      expect(rig.settle().map(({ status: ended }) => ended)).toEqual([expected]);
      const there = rig.bytesAt(0x9000, 4096);
      expect(there.filter((byte) => byte === 6)).toHaveLength(expected === SUCCESS ? 256 : 0);
      if (expected === SUCCESS)
        expect([there[0xff], there[0x100], there[0x1ff], there[0x200]]).toEqual([0, 6, 6, 0]);
    }
  });

  it('taken away while bound lets its region go, and its domain', () => {
    const { rig, mr, mw } = bound();
    expect(rig.do(ibDeregMr(mr))).toBe(-Errno.EINVAL);
    const keys = rig.b.device.nic.keys.size;
    expect(rig.do(deallocMw(mw))).toBe(0);
    expect([rig.b.device.nic.keys.size, mr.entry.boundWindows]).toEqual([keys - 1, 0]);
    expect(rig.do(ibDeregMr(mr))).toBe(0);
    const pd = outcomeValue(ibAllocPd(rig.b.device));
    const other = outcomeValue(allocMw(pd));
    expect(rig.do(ibDeallocPd(pd))).toBe(-Errno.EBUSY);
    rig.do(deallocMw(other));
    expect(rig.do(ibDeallocPd(pd))).toBe(0);
  });

  it('taken away while a peer writes through it waits for the request on the bus, and nothing lands later', () => {
    const { rig, mw } = bound({ addr: 0x7000, length: 4096 });
    rig.store(0x10_0000, new Uint8Array(4096).fill(6));
    const sgList = [{ addr: 0x10_0000, length: 4096, lkey: rig.a.pd.localDmaLkey }];
    const write = { wrId: 2, opcode: 'rdma-write', sgList, remoteAddr: 0x7000, rkey: mw.rkey } as const;
    ibPostSend(rig.a.qp, [{ ...write, ...signaled }]);
    const landed = (): number => rig.bytesAt(0x9000, 4096).filter((byte) => byte === 6).length;
    let atReturn = -1;
    rig.scheduler.spawn('owner', takeAway());
    const ended = rig.settle();
    expect(ended.map(({ status }) => status)).toEqual([REM_ACCESS_ERR]);
    expect([atReturn > 0, atReturn < 4096, landed()]).toEqual([true, true, atReturn]);
    function* takeAway() {
      yield { at: 'test:on-the-bus', until: () => mw.entry.inUse };
      expect(yield* deallocMw(mw)).toBe(0);
      expect(mw.entry.inUse).toBe(false);
      atReturn = landed();
    }
  });
});

// Protection domains and memory regions: keys, their lives, and what they show to peers.
import { dmaAddr, type RdmaPageFault } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { connect, EVERYTHING, initAttr, outcomeValue, VerbsRig } from '../../test/verbs-rig.ts';
import { IbAccess, ibCheckMrAccess } from './ib-access.ts';
import { ibAllocMr, ibIncRkey, ibMapMrSg, ibUpdateFastRegKey } from './ib-fast-reg-mr.ts';
import { ibDeregMr } from './ib-mr.ts';
import { allocMw, deallocMw } from './ib-mw.ts';
import { ibAllocPd, ibDeallocPd } from './ib-pd.ts';
import { ibPostRecv, ibPostSend } from './ib-post.ts';
import { ibCreateQp, ibDestroyQp, ibModifyQp } from './ib-qp.ts';
import { fillMrBlocks, registerRegion, replaceMrBlocks, revokeMr, zapMrBlocks } from './ib-region-mr.ts';
import type { IbSendWr } from './ib-send-wr.ts';
import { IbWcStatus } from './ib-wc.ts';

const { SUCCESS, REM_ACCESS_ERR, LOC_QP_OP_ERR, WR_FLUSH_ERR } = IbWcStatus;
const IOVA = 0x7000_0000;
const blocks = (...addresses: number[]) => addresses.map((address) => dmaAddr(address));
const signaled = { sendFlags: { signaled: true } } as const;

describe('access flags', () => {
  const {
    LOCAL_WRITE,
    REMOTE_WRITE,
    REMOTE_READ,
    REMOTE_ATOMIC,
    MW_BIND,
    ON_DEMAND,
    FLUSH_GLOBAL,
    FLUSH_PERSISTENT,
  } = IbAccess;
  it.each([
    ['none', 0, 0],
    ['remote-read', REMOTE_READ, 0],
    ['remote-write-alone', REMOTE_WRITE, -Errno.EINVAL],
    ['remote-atomic-alone', REMOTE_ATOMIC, -Errno.EINVAL],
    ['remote-write-and-local', REMOTE_WRITE | LOCAL_WRITE, 0],
    ['everything-but-flush', EVERYTHING | MW_BIND | IbAccess.ZERO_BASED | IbAccess.HUGETLB, 0],
    ['unknown-bit-10', 1 << 10, -Errno.EINVAL],
    ['unknown-bit-19', 1 << 19, -Errno.EINVAL],
    ['optional-bit-20', 1 << 20, 0],
    ['optional-bit-29', 1 << 29, 0],
    ['unknown-bit-30', 1 << 30, -Errno.EINVAL],
    ['on-demand', ON_DEMAND, -Errno.EOPNOTSUPP],
    ['flush-global', FLUSH_GLOBAL, -Errno.EOPNOTSUPP],
    ['flush-persistent', FLUSH_PERSISTENT, -Errno.EOPNOTSUPP],
    ['write-before-capability', REMOTE_WRITE | ON_DEMAND, -Errno.EINVAL],
  ])('%s', (_, flags, expected) => {
    const { device } = new VerbsRig({ attrs: { onDemandPaging: false } }).a;
    expect(ibCheckMrAccess(device, flags)).toBe(expected);
    expect(ibCheckMrAccess(new VerbsRig().a.device, ON_DEMAND)).toBe(0);
  });
});

describe('a protection domain', () => {
  it('has a key for every DMA address, and stays while something uses it', () => {
    const rig = new VerbsRig();
    const { device, cq } = rig.a;
    const pd = outcomeValue(ibAllocPd(device));
    expect([pd.localDmaLkey !== 0, pd.unsafeGlobalRkey, pd.usecnt]).toEqual([true, 0, 1]);
    const mr = outcomeValue(ibAllocMr(pd, 'mem-reg', 1));
    const mw = outcomeValue(allocMw(pd));
    const qp = outcomeValue(ibCreateQp(pd, initAttr(cq)));
    expect(rig.do(ibDeallocPd(pd))).toBe(-Errno.EBUSY);
    rig.do(ibDestroyQp(qp));
    rig.do(deallocMw(mw));
    expect([rig.do(ibDeallocPd(pd)), device.nic.keys.at(pd.localDmaLkey >> 8) !== null]).toEqual([
      -Errno.EBUSY,
      true,
    ]);
    expect(rig.do(ibDeregMr(mr))).toBe(0);
    expect(rig.do(ibDeallocPd(pd))).toBe(0);
    expect(device.nic.keys.at(pd.localDmaLkey >> 8)).toBeNull();
  });

  it('shows the whole DMA space to peers only when asked to', () => {
    const rig = new VerbsRig();
    const { a, b } = rig;
    rig.store(0x9000, Uint8Array.of(42));
    const read = (rkey: number): IbSendWr => ({
      wrId: 1,
      opcode: 'rdma-read',
      sgList: [{ addr: 0x5000, length: 1, lkey: a.pd.localDmaLkey }],
      remoteAddr: 0x9000,
      rkey,
      ...signaled,
    });
    ibPostSend(a.qp, [read(b.pd.localDmaLkey)]);
    expect(rig.settle()).toMatchObject([{ status: REM_ACCESS_ERR }]);
    const open = new VerbsRig();
    open.store(0x9000, Uint8Array.of(42));
    const pd = outcomeValue(ibAllocPd(open.b.device, { unsafeGlobalRkey: true }));
    const qp = outcomeValue(ibCreateQp(pd, initAttr(open.b.cq)));
    const b2 = { ...open.b, pd, qp };
    ibModifyQp(open.a.qp, { qpState: 'reset' });
    connect(open.a, b2);
    connect(b2, open.a);
    ibPostSend(open.a.qp, [
      { ...read(pd.unsafeGlobalRkey), sgList: [{ addr: 0x5000, length: 1, lkey: open.a.pd.localDmaLkey }] },
    ]);
    expect(open.settle()).toMatchObject([{ status: SUCCESS }]);
    expect(open.bytesAt(0x5000, 1)[0]).toBe(42);
  });

  it('uses the key of a device that has one', () => {
    const rig = new VerbsRig({ attrs: { localDmaLkey: true } });
    const { device, pd, qp } = rig.a;
    expect([pd.localDmaLkey, pd.usecnt]).toEqual([device.localDmaLkey, 1]);
    const other = outcomeValue(ibAllocPd(device));
    expect(other.localDmaLkey).toBe(device.localDmaLkey);
    rig.store(0x5000, Uint8Array.of(7));
    ibPostRecv(rig.b.qp, [{ wrId: 9, sgList: [{ addr: 0x6000, length: 1, lkey: rig.b.pd.localDmaLkey }] }]);
    ibPostSend(qp, [
      { wrId: 1, opcode: 'send', sgList: [{ addr: 0x5000, length: 1, lkey: pd.localDmaLkey }] },
    ]);
    const [received] = rig.settle(rig.b);
    expect([received?.wrId, received?.status, received?.opcode, received?.byteLen]).toEqual([
      9,
      SUCCESS,
      'receive',
      1,
    ]);
    expect(received?.qp === rig.b.qp).toBe(true);
    expect(rig.bytesAt(0x6000, 1)[0]).toBe(7);
  });
});

describe('a fast-registration region', () => {
  it('lives: free, mapped, registered, used, invalidated, and again with a new key', () => {
    const rig = new VerbsRig();
    const { a, b } = rig;
    const mr = outcomeValue(ibAllocMr(b.pd, 'mem-reg', 4));
    expect([mr.entry.state, mr.lkey, mr.lkey >> 8]).toEqual(['free', mr.rkey, mr.entry.index]);
    const ranges = [
      { address: dmaAddr(0x1200), bytes: 0xe00 },
      { address: dmaAddr(0x5000), bytes: 0x1000 },
    ];
    const write = (rkey: number, byte: number): IbSendWr => ({
      wrId: 1,
      opcode: 'rdma-write',
      inlineData: new Uint8Array(64).fill(byte),
      remoteAddr: mr.iova + 0xe00 - 32,
      rkey,
      ...signaled,
    });
    const register = (): IbSendWr => ({
      wrId: 2,
      opcode: 'reg-mr',
      mr,
      key: mr.rkey,
      access: EVERYTHING,
      ...signaled,
    });
    expect(ibMapMrSg(mr, ranges, 2, null, 4096)).toBe(2);
    expect([mr.iova, mr.length, mr.entry.state]).toEqual([0x1200, 0x1e00, 'free']);
    ibPostSend(b.qp, [register()]);
    expect(rig.settle(b)).toMatchObject([{ wrId: 2, status: SUCCESS, opcode: 'reg-mr' }]);
    expect(mr.entry.state).toBe('valid');
    ibPostSend(a.qp, [write(mr.rkey, 5)]);
    expect(rig.settle()).toMatchObject([{ status: SUCCESS }]);
    expect([...rig.bytesAt(0x2000 - 32, 32), ...rig.bytesAt(0x5000, 32)].every((byte) => byte === 5)).toBe(
      true,
    );
    const stale = mr.rkey;
    ibPostSend(b.qp, [{ wrId: 3, opcode: 'local-inv', invalidateRkey: mr.rkey }]);
    rig.settle(b);
    expect(mr.entry.state).toBe('free');
    ibUpdateFastRegKey(mr, ibIncRkey(mr.rkey) & 0xff);
    ibPostSend(b.qp, [register()]);
    rig.settle(b);
    ibPostSend(a.qp, [write(mr.rkey, 6)]);
    expect(rig.settle()).toMatchObject([{ status: SUCCESS }]);
    ibPostSend(a.qp, [write(stale, 7)]);
    expect(rig.settle()).toMatchObject([{ status: REM_ACCESS_ERR }]);
    expect(rig.bytesAt(0x5000, 1)[0]).toBe(6);
    expect(rig.log.events.filter(({ kind }) => kind === 'rdma:event')).toMatchObject([
      { device: 'b', event: 'qp-access-error', qp: b.qp.qpNum },
    ]);
  });

  it('is invalidated by the peer that was done with it', () => {
    const rig = new VerbsRig();
    const { a, b } = rig;
    const mr = outcomeValue(ibAllocMr(b.pd, 'mem-reg', 1));
    ibMapMrSg(mr, [{ address: dmaAddr(0x9000), bytes: 4096 }], 1, null, 4096);
    ibPostSend(b.qp, [{ wrId: 2, opcode: 'reg-mr', mr, key: mr.rkey, access: EVERYTHING }]);
    ibPostRecv(b.qp, [{ wrId: 8 }]);
    ibPostSend(a.qp, [
      { wrId: 1, opcode: 'rdma-write', inlineData: Uint8Array.of(3), remoteAddr: mr.iova, rkey: mr.rkey },
      { wrId: 2, opcode: 'send-with-inv', invalidateRkey: mr.rkey },
    ]);
    expect(rig.settle(b)).toMatchObject([{ wrId: 8, status: SUCCESS, invalidateRkey: mr.rkey }]);
    expect([mr.entry.state, rig.bytesAt(0x9000, 1)[0]]).toEqual(['free', 3]);
  });

  it('registered twice, or under another index, breaks the queue pair', () => {
    for (const offset of [0, 256]) {
      const rig = new VerbsRig();
      const mr = outcomeValue(ibAllocMr(rig.a.pd, 'mem-reg', 1));
      ibMapMrSg(mr, [{ address: dmaAddr(0x9000), bytes: 4096 }], 1, null, 4096);
      const wr = { wrId: 2, opcode: 'reg-mr', mr, access: 0 } as const;
      ibPostSend(rig.a.qp, [
        { ...wr, key: mr.lkey },
        { ...wr, key: mr.lkey + offset },
        { wrId: 3, opcode: 'send' },
      ]);
      expect(rig.settle().map(({ status }) => status)).toEqual([LOC_QP_OP_ERR, WR_FLUSH_ERR]);
    }
  });

  it('refuses kinds, counts and page sizes that do not exist', () => {
    const { pd } = new VerbsRig().a;
    expect(ibAllocMr(pd, 'user', 1)).toEqual({ ok: false, errno: Errno.EINVAL });
    expect(ibAllocMr(pd, 'mem-reg', 4097)).toEqual({ ok: false, errno: Errno.EINVAL });
    const mr = outcomeValue(ibAllocMr(pd, 'mem-reg', 1));
    const one = [{ address: dmaAddr(0x9000), bytes: 8192 }];
    expect(ibMapMrSg(mr, one, 1, null, 2048)).toBe(-Errno.EINVAL);
    expect(ibMapMrSg(mr, one, 1, null, 12_288)).toBe(-Errno.EINVAL);
    expect([ibMapMrSg(mr, one, 1, null, 8192), mr.pages]).toEqual([0, [0x8000]]);
  });

  it.each([
    [0x100, 0x101],
    [0x1ff, 0x100],
    [0xffffffff, 0xffffff00],
  ])('keys count up in their low byte: %i', (key, next) => expect(ibIncRkey(key)).toBe(next));
});

/** A region of `b` and a write to it from `a`. */
function written(rig: VerbsRig, access = EVERYTHING, onDemand = false) {
  const { a, b } = rig;
  const mr = outcomeValue(
    registerRegion(b.pd, {
      iova: IOVA + 0x100,
      length: 0x1800,
      pageSize: 4096,
      blocks: onDemand ? [] : blocks(0x9000, 0x7000),
      access,
      onDemand,
    }),
  );
  const post = (byte: number, bytes = 0x1800): number =>
    ibPostSend(a.qp, [
      {
        wrId: byte,
        opcode: 'rdma-write',
        sgList: [{ addr: 0x10_0000, length: bytes, lkey: a.pd.localDmaLkey }],
        remoteAddr: mr.iova,
        rkey: mr.rkey,
        ...signaled,
      },
    ]);
  return { mr, post };
}

describe('a region over blocks', () => {
  it('has its first byte where the address says', () => {
    const rig = new VerbsRig();
    rig.store(0x10_0000, new Uint8Array(0x1800).fill(8));
    written(rig).post(1);
    expect(rig.settle()).toMatchObject([{ status: SUCCESS }]);
    expect([...rig.bytesAt(0x90ff, 2), ...rig.bytesAt(0x78ff, 2)]).toEqual([0, 8, 8, 0]);
  });

  it('refuses what cannot be one', () => {
    const { pd } = new VerbsRig({ attrs: { onDemandPaging: false } }).a;
    const spec = { iova: IOVA, length: 8192, pageSize: 4096, blocks: blocks(0x1000, 0x2000), access: 0 };
    const errno = (changes: object) => {
      const made = registerRegion(pd, { ...spec, ...changes });
      return made.ok ? 0 : made.errno;
    };
    expect(errno({})).toBe(0);
    expect(errno({ length: 0 })).toBe(Errno.EINVAL);
    expect(errno({ pageSize: 5000 })).toBe(Errno.EINVAL);
    expect(errno({ iova: IOVA + 1 })).toBe(Errno.EINVAL);
    expect(errno({ iova: 1, pageOffset: 0 })).toBe(0);
    expect(errno({ access: IbAccess.REMOTE_WRITE })).toBe(Errno.EINVAL);
    expect(errno({ access: IbAccess.ON_DEMAND })).toBe(Errno.EOPNOTSUPP);
  });

  it('revoked is no good and keeps its key taken; deregistered gives it back', () => {
    const rig = new VerbsRig();
    const { mr, post } = written(rig);
    const { keys } = rig.b.device.nic;
    let released = 0;
    mr.onDereg = () => {
      released += 1;
    };
    rig.do(revokeMr(mr));
    rig.do(revokeMr(mr));
    expect([mr.entry.state, keys.at(mr.entry.index) === mr.entry]).toEqual(['invalid', true]);
    expect(outcomeValue(ibAllocMr(rig.b.pd, 'mem-reg', 1)).entry.index).not.toBe(mr.entry.index);
    post(1);
    expect(rig.settle()).toMatchObject([{ status: REM_ACCESS_ERR }]);
    expect([rig.do(ibDeregMr(mr)), keys.at(mr.entry.index), released]).toEqual([0, null, 1]);
  });

  it('zapped faults, and goes on with blocks of another size', () => {
    const rig = new VerbsRig();
    rig.store(0x10_0000, new Uint8Array(0x1800).fill(8));
    const { mr, post } = written(rig, EVERYTHING, true);
    const faults: RdmaPageFault[] = [];
    rig.b.device.nic.onPageFault = (fault) => faults.push(fault);
    fillMrBlocks(mr, 0, blocks(0x9000));
    post(1);
    expect(rig.settle()).toEqual([]);
    expect(faults.map(({ wanted, entry }) => [wanted.iova, entry])).toEqual([[IOVA + 0x1000, mr.entry]]);
    rig.do(zapMrBlocks(mr));
    expect(replaceMrBlocks(mr, { pageSize: 0x10000, blocks: blocks(0x40_0000) })).toBe(1);
    faults[0]?.resolve('resumed');
    expect(rig.settle()).toMatchObject([{ status: SUCCESS }]);
    // The first page went through the old block, what came after the fault through the new one.
    expect([...rig.bytesAt(0x9fff, 1), ...rig.bytesAt(0x40_0fff, 2), ...rig.bytesAt(0x40_18ff, 2)]).toEqual([
      8, 0, 8, 8, 0,
    ]);
  });

  it('without the right to write has blocks that nobody writes', () => {
    const rig = new VerbsRig();
    const mr = outcomeValue(
      registerRegion(rig.b.pd, {
        iova: IOVA,
        length: 4096,
        pageSize: 4096,
        blocks: blocks(0x9000),
        access: 0,
      }),
    );
    expect([mr.rkey, [...(mr.entry.translation?.words ?? [])]]).toEqual([0, [0, 0, 0, 0, 0, 0, 0x90, 1]]);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'deregistered in mid-transfer is touched by nothing afterwards (seed %i)',
    (seed) => {
      const rig = new VerbsRig({ seed });
      const { mr, post } = written(rig);
      rig.store(0x10_0000, new Uint8Array(0x1800).fill(8));
      post(1);
      const { dma } = rig.b.device.nic;
      while (dma.counters.requests < seed * 2) rig.scheduler.step();
      let gone = -1;
      mr.onDereg = () => {
        gone = dma.counters.requests;
      };
      rig.scheduler.spawn('dereg', ibDeregMr(mr));
      expect(rig.settle()).toMatchObject([{ status: REM_ACCESS_ERR }]);
      expect(dma.counters.requests).toBe(gone);
    },
  );
});

describe('memory windows', () => {
  it('keep their region registered', () => {
    const rig = new VerbsRig();
    const { a, b } = rig;
    const { mr } = written(rig, EVERYTHING | IbAccess.MW_BIND);
    const mw = outcomeValue(allocMw(b.pd));
    const bind = { wrId: 1, opcode: 'bind-mw', mw, mr, key: mw.rkey, access: IbAccess.REMOTE_WRITE } as const;
    ibPostSend(b.qp, [{ ...bind, addr: mr.iova, length: 16, ...signaled }]);
    expect(rig.settle(b)).toMatchObject([{ status: SUCCESS, opcode: 'bind-mw' }]);
    expect(rig.do(ibDeregMr(mr))).toBe(-Errno.EINVAL);
    ibPostSend(a.qp, [
      {
        wrId: 1,
        opcode: 'rdma-write',
        inlineData: Uint8Array.of(4),
        remoteAddr: mr.iova,
        rkey: mw.rkey,
        ...signaled,
      },
    ]);
    expect(rig.settle()).toMatchObject([{ status: SUCCESS }]);
    rig.do(deallocMw(mw));
    expect(rig.do(ibDeregMr(mr))).toBe(0);
  });
});

// Registration of user memory, with and without a scatterlist inside: same blocks, same bytes, same errors, nothing left.
import { fc, test } from '@fast-check/vitest';
import { dmaBitMask, dmaSetMask } from '@sgfree/dma-core';
import { PAGE_SIZE } from '@sgfree/hw-model';
import { copyToUser, Errno, vmMunmap } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { UmemMachine } from '../../test/umem-machine.ts';
import { outcomeValue } from '../../test/verbs-rig.ts';
import { IbAccess } from '../verbs/ib-access.ts';
import { ibPostSend } from '../verbs/ib-post.ts';
import { rdmaUmemForEachDmaBlock } from './block-iter.ts';
import { ibUmemCheckRereg, ibUmemCopyFrom, ibUmemRelease } from './ib-umem.ts';
import { ibUmemGet as getThroughLists } from './list-pinned-pages.ts';
import { ibRegUserMr as regThroughLists } from './list-reg-user-mr.ts';
import { ibUmemGet as getThroughSg } from './sg-pinned-pages.ts';
import { ibRegUserMr as regThroughSg } from './sg-reg-user-mr.ts';
import { ibDeregUserMr } from './umem-mr.ts';

const WRITE = IbAccess.LOCAL_WRITE;
const ALL = IbAccess.LOCAL_WRITE | IbAccess.REMOTE_READ | IbAccess.REMOTE_WRITE;
const forms = [
  ['scatterlist', getThroughSg, regThroughSg],
  ['lists', getThroughLists, regThroughLists],
] as const;

/** Frames in an order that makes runs of `runs` pages each. */
function scattered(machine: UmemMachine, runs: readonly number[]): number {
  const frames = runs.flatMap((count) => {
    machine.pages.allocRun(1);
    const first = machine.pages.allocRun(count);
    return Array.from({ length: count }, (_, page) => first + page);
  });
  return machine.mm.mmapFrames('anonymous', frames);
}

const pattern = (bytes: number, seed: number): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, i) => (i * 7 + Math.floor(i / 256) + seed) % 251);

describe.each(forms)('through %s', (_form, get, register) => {
  it.each([false, true])('keeps nothing after any failed allocation (IOMMU %s)', (iommu) => {
    let failures = 0;
    for (let allowed = 0; ; allowed += 1) {
      const machine = new UmemMachine({ iommu });
      const at = scattered(machine, [1, 3, 2, 600]);
      const before = machine.leftovers;
      machine.failAfter = allowed;
      const made = machine.do(register(machine.pd, machine.mm, at, 606 * PAGE_SIZE, at, ALL));
      if (made.ok) {
        expect(machine.do(ibDeregUserMr(made.value))).toBe(0);
        expect(machine.leftovers).toEqual(before);
        break;
      }
      failures += 1;
      expect(made.errno).toBe(Errno.ENOMEM);
      expect(machine.leftovers).toEqual(before);
    }
    expect(failures).toBeGreaterThan(4);
  });

  it('leaves pages clean that no device has seen, whichever allocation fails', () => {
    for (let allowed = 0; ; allowed += 1) {
      const machine = new UmemMachine();
      const at = scattered(machine, [1, 3, 2, 600]);
      const folios = [...machine.mm.ptes.values()].map(({ folio }) => folio);
      machine.failAfter = allowed;
      const got = machine.do(get(machine.device, machine.mm, at, 606 * PAGE_SIZE, WRITE));
      if (got.ok) machine.do(ibUmemRelease(got.value));
      expect(folios.map(({ dirty }) => dirty)).toEqual(folios.map(() => got.ok));
      if (got.ok) break;
    }
  });

  it('keeps nothing when the addresses of the device run out behind some of the runs', () => {
    const machine = new UmemMachine({ iommu: true });
    // 256 pages of addresses: three of the runs fit, all five do not.
    dmaSetMask(machine.dev, dmaBitMask(20));
    const at = scattered(machine, [60, 60, 60, 60, 60]);
    const before = machine.leftovers;
    const got = machine.do(get(machine.device, machine.mm, at, 300 * PAGE_SIZE, WRITE));
    expect(got).toEqual({ ok: false, errno: Errno.ENOMEM });
    expect(machine.leftovers).toEqual(before);
  });

  it('keeps nothing after any failed page-table page or page of the process', () => {
    for (let allowed = 0; allowed < 12; allowed += 1) {
      for (const kind of ['tables', 'pages'] as const) {
        const machine = new UmemMachine({ iommu: true });
        const at = machine.mm.mmap(10 * PAGE_SIZE);
        const before = machine.leftovers;
        machine[kind].failAfter = allowed;
        const made = machine.do(get(machine.device, machine.mm, at, 10 * PAGE_SIZE, WRITE));
        if (made.ok) machine.do(ibUmemRelease(made.value));
        else expect(made.errno).toBe(Errno.ENOMEM);
        expect(machine.leftovers).toEqual(before);
      }
    }
  });

  it('checks in the kernel order', () => {
    const machine = new UmemMachine({ rlimitMemlock: 4 * PAGE_SIZE });
    const { device, mm } = machine;
    const at = mm.mmap(16 * PAGE_SIZE);
    const errno = (addr: number, size: number, access: number): number => {
      const got = machine.do(get(device, mm, addr, size, access));
      if (!got.ok) return got.errno;
      machine.do(ibUmemRelease(got.value));
      return 0;
    };
    expect(errno(2 ** 64 - 2 ** 13, 2 ** 14, WRITE)).toBe(Errno.EINVAL);
    expect(errno(at, 5 * PAGE_SIZE, WRITE | IbAccess.ON_DEMAND)).toBe(Errno.EOPNOTSUPP);
    expect(errno(at, 0, WRITE)).toBe(Errno.EINVAL);
    expect(errno(at, 5 * PAGE_SIZE, WRITE)).toBe(Errno.ENOMEM);
    expect(errno(at, 4 * PAGE_SIZE, WRITE)).toBe(0);
    expect(errno(at + 1, 4 * PAGE_SIZE, WRITE)).toBe(Errno.ENOMEM);
    expect(errno(at + 14 * PAGE_SIZE, 4 * PAGE_SIZE, WRITE)).toBe(Errno.EFAULT);
    mm.capIpcLock = true;
    expect(errno(at, 16 * PAGE_SIZE, WRITE)).toBe(0);
    mm.capIpcLock = false;
    mm.rlimitMemlock = 0;
    expect(errno(at, 5 * PAGE_SIZE, WRITE | IbAccess.ON_DEMAND)).toBe(Errno.EPERM);
    expect(mm.pinnedVm).toBe(0);
  });

  it('copies from pinned pages, also after the process unmapped them, and dirties only what may be written', () => {
    const machine = new UmemMachine();
    const { mm } = machine;
    const at = mm.mmap(3 * PAGE_SIZE);
    const bytes = pattern(3 * PAGE_SIZE, 3);
    machine.do(copyToUser(mm, at, bytes));
    const folios = [...mm.ptes.values()].map(({ folio }) => folio);
    for (const folio of folios) folio.dirty = false;
    const read = outcomeValue(machine.do(get(machine.device, mm, at + 100, 9000, IbAccess.REMOTE_READ)));
    const seen = new Uint8Array(8000);
    machine.do(vmMunmap(mm, at, 3 * PAGE_SIZE));
    expect(ibUmemCopyFrom(seen, read, 1000)).toBe(0);
    expect(seen).toEqual(bytes.slice(1100, 9100));
    expect(ibUmemCopyFrom(seen, read, 1001)).toBe(-Errno.EINVAL);
    expect(ibUmemCheckRereg(read, { translation: false }, WRITE)).toBe(-Errno.EACCES);
    expect(ibUmemCheckRereg(read, { translation: true }, WRITE)).toBe(0);
    machine.do(ibUmemRelease(read));
    expect(folios.some(({ dirty }) => dirty)).toBe(false);
    expect(machine.pages.liveFrames).toBe(0);
  });

  it('a peer writes into and reads from the pages of the process', () => {
    const machine = new UmemMachine();
    const at = scattered(machine, [1, 2, 1]) + 0x123;
    const reg = outcomeValue(machine.do(register(machine.pd, machine.mm, at, 3 * PAGE_SIZE, at, ALL)));
    const sent = pattern(3 * PAGE_SIZE, 9);
    machine.rig.b.bar.mmioWrite(0, sent);
    const local = {
      addr: machine.rig.b.barAt,
      length: 3 * PAGE_SIZE,
      lkey: machine.rig.b.pd.localDmaLkey,
    };
    const { rkey } = reg.mr;
    const write = { wrId: 1, opcode: 'rdma-write', sgList: [local], remoteAddr: at, rkey } as const;
    ibPostSend(machine.peerQp, [{ ...write, sendFlags: { signaled: true } }], { wr: null });
    expect(machine.rig.settle(machine.rig.b).map(({ status }) => status)).toEqual([0]);
    const landed = new Uint8Array(3 * PAGE_SIZE);
    expect(ibUmemCopyFrom(landed, reg.umem, 0)).toBe(0);
    expect(landed).toEqual(sent);
    expect(machine.do(ibDeregUserMr(reg))).toBe(0);
  });
});

describe('both forms', () => {
  const runs = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 6 });
  test.prop([runs, fc.integer({ min: 0, max: 4095 }), fc.boolean()], { numRuns: 12 })(
    'give the same DMA blocks with the same bytes',
    (shape, offset, iommu) => {
      const seen = forms.map(([, get]) => {
        const machine = new UmemMachine({ iommu });
        const at = scattered(machine, shape);
        const total = shape.reduce((sum, count) => sum + count, 0) * PAGE_SIZE;
        machine.do(copyToUser(machine.mm, at, pattern(total, 1)));
        const size = total - offset;
        const umem = outcomeValue(machine.do(get(machine.device, machine.mm, at + offset, size, WRITE)));
        const blocks = [...rdmaUmemForEachDmaBlock(umem, PAGE_SIZE)];
        expect(blocks).toHaveLength(total / PAGE_SIZE);
        const there = blocks.map((block) => machine.deviceBytes(block, PAGE_SIZE));
        expect(Buffer.concat(there).equals(pattern(total, 1))).toBe(true);
        machine.do(ibUmemRelease(umem));
        return blocks;
      });
      expect(seen[0]).toEqual(seen[1]);
    },
  );
});

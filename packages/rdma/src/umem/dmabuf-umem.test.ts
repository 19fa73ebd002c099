// Registered dma-bufs below the region: checks, mapping once, fences, what a revoke takes and in which order.
import {
  type DmaFence,
  DmaResvUsage,
  dmaFenceContextAlloc,
  dmaFenceInit,
  dmaFenceSignal,
  dmaResvAddFence,
  dmaResvLock,
  dmaResvReserveFences,
  dmaResvUnlock,
} from '@sgfree/dma-buf';
import type { DmaBufOps } from '@sgfree/dma-buf/stage-6';
import type { SgTable } from '@sgfree/dma-sg';
import { type ModelTask, PAGE_SIZE } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { expect, it } from 'vitest';
import { UmemMachine } from '../../test/umem-machine.ts';
import { outcomeValue } from '../../test/verbs-rig.ts';
import { IbAccess } from '../verbs/ib-access.ts';
import {
  ibUmemDmabufGet,
  ibUmemDmabufMapPages,
  ibUmemDmabufRevoke,
  ibUmemDmabufUnmapPages,
} from './dmabuf-umem.ts';
import {
  ibUmemDmabufGetPinned,
  ibUmemDmabufGetPinnedRevocableAndLock,
  ibUmemDmabufSetRevokeLocked,
} from './dmabuf-umem-pinned.ts';
import { ibUmemCheckRereg, ibUmemRelease } from './ib-umem.ts';
import { sgtImport } from './sgt-import.ts';

function rig(seed = 1) {
  const machine = new UmemMachine({ seed });
  const steps: string[] = [];
  const exported = machine.export(
    Float64Array.from([2, 3], (count) => machine.pages.allocRun(count)),
    {
      *pin() {
        yield { at: 'exporter:pin' };
        steps.push('pin');
        return 0;
      },
      *unpin() {
        yield { at: 'exporter:unpin' };
        steps.push(`unpin with ${exported.maps()} mapped`);
      },
    },
  );
  const request = (offset: number, size: number) => {
    const { fd } = exported;
    return { platform: machine.dmaBufs, fd, offset, size, access: IbAccess.LOCAL_WRITE, via: sgtImport };
  };
  const get = (offset: number, size: number) =>
    machine.do(ibUmemDmabufGet(machine.device, request(offset, size), () => ({ allowPeer2peer: true })));
  return { machine, steps, request, get, ...exported };
}

function* locked<T>(umem: { dmabuf: { resv: Parameters<typeof dmaResvLock>[0] } }, body: ModelTask<T>) {
  yield* dmaResvLock(umem.dmabuf.resv);
  const result = yield* body;
  dmaResvUnlock(umem.dmabuf.resv);
  return result;
}

it('refuses parts that wrap, are empty wherever they start, or lie beyond, and keeps no reference', () => {
  const { get, dmabuf } = rig();
  for (const [offset, size] of [
    [2 ** 63, 2 ** 63],
    [0, 0],
    [100, 0],
    [2 * PAGE_SIZE, 0],
    [1, 2 * PAGE_SIZE],
  ] as const) {
    const got = get(offset, size);
    expect(got.ok ? 0 : got.errno).toBe(Errno.EINVAL);
  }
  expect([dmabuf.refs, dmabuf.attachments.length]).toEqual([1, 0]);
});

it('is mapped once, unmapped once, and only with the lock', () => {
  const { machine, get, maps } = rig();
  const umem = outcomeValue(get(100, PAGE_SIZE));
  expect(ibUmemCheckRereg(umem, { translation: true }, 0)).toBe(-Errno.EOPNOTSUPP);
  expect([umem.mapped, umem.iova]).toEqual([false, { high: 0, low: 0 }]);
  for (let i = 0; i < 2; i += 1) {
    expect(machine.do(locked(umem, ibUmemDmabufMapPages(umem)))).toBe(0);
    expect([maps(), umem.mapped]).toEqual([1, true]);
  }
  expect([...umem.dmaRanges()].map(({ bytes }) => bytes)).toEqual([PAGE_SIZE, PAGE_SIZE]);
  for (let i = 0; i < 2; i += 1) {
    machine.do(locked(umem, ibUmemDmabufUnmapPages(umem)));
    expect([maps(), umem.mapped, [...umem.dmaRanges()]]).toEqual([0, false, []]);
  }
  machine.do(ibUmemRelease(umem));
});

it('waits for the fences of the kernel, also when it is mapped already, and for no others', () => {
  const { machine, get, dmabuf } = rig();
  const umem = outcomeValue(get(0, PAGE_SIZE));
  const { scheduler } = machine.rig;
  const context = dmaFenceContextAlloc(machine.dmaBufs, 1);
  const fence = (seqno: number): DmaFence => dmaFenceInit(machine.dmaBufs, {}, { context, seqno });
  for (const [seqno, usage] of [
    [1, DmaResvUsage.KERNEL],
    [2, DmaResvUsage.WRITE],
    [3, DmaResvUsage.KERNEL],
  ] as const) {
    const order: string[] = [];
    const added = fence(seqno);
    function* add(): ModelTask<void> {
      dmaResvReserveFences(dmabuf.resv, 1);
      dmaResvAddFence(dmabuf.resv, added, usage);
      yield { at: 'test:added' };
    }
    function* map(): ModelTask<void> {
      const error = yield* locked(umem, ibUmemDmabufMapPages(umem));
      order.push(`mapped ${error}`);
    }
    function* signal(): ModelTask<void> {
      for (let i = 0; i < 20; i += 1) yield { at: 'test:late' };
      order.push('signaled');
      dmaFenceSignal(added);
    }
    machine.do(locked(umem, add()));
    scheduler.spawn('map', map());
    scheduler.run();
    scheduler.spawn('signal', signal());
    scheduler.run();
    expect(order).toEqual(
      usage === DmaResvUsage.KERNEL ? ['signaled', 'mapped 0'] : ['mapped 0', 'signaled'],
    );
  }
  machine.do(ibUmemRelease(umem));
});

it('a revoke takes hook, mapping and pin in this order, once, also when the release follows', () => {
  const { machine, steps, request, maps, dmabuf } = rig();
  const priv = {};
  function* take() {
    const got = yield* ibUmemDmabufGetPinnedRevocableAndLock(machine.device, request(0, 2 * PAGE_SIZE));
    const made = outcomeValue(got);
    expect(dmabuf.resv.mutex.locked).toBe(true);
    ibUmemDmabufSetRevokeLocked(made, hook, priv);
    dmaResvUnlock(dmabuf.resv);
    return made;
  }
  function* hook({ priv: told }: { readonly priv: unknown }) {
    yield { at: 'test:hook' };
    steps.push(`hook with ${maps()} mapped, ${told === priv}`);
  }
  const umem = machine.do(take());
  machine.do(ibUmemDmabufRevoke(umem));
  machine.do(ibUmemDmabufRevoke(umem));
  machine.do(ibUmemRelease(umem));
  expect(steps).toEqual(['pin', 'hook with 1 mapped, true', 'unpin with 0 mapped']);
  expect([dmabuf.refs, dmabuf.attachments.length, maps()]).toEqual([1, 0, 0]);
});

it('a revoked import is not mapped again', () => {
  const { machine, get } = rig();
  const umem = outcomeValue(get(0, PAGE_SIZE));
  machine.do(ibUmemDmabufRevoke(umem));
  expect(machine.do(locked(umem, ibUmemDmabufMapPages(umem)))).toBe(-Errno.EINVAL);
  machine.do(ibUmemRelease(umem));
});

it('a pinned import that cannot be mapped is unpinned, and keeps nothing', () => {
  const { machine, steps, request, maps, dmabuf } = rig();
  const ops = dmabuf.ops as DmaBufOps<SgTable>;
  ops.mapDmaBuf = function* () {
    yield { at: 'exporter:map' };
    return { ok: false, errno: Errno.EIO };
  };
  const before = machine.leftovers;
  const got = machine.do(ibUmemDmabufGetPinned(machine.device, request(0, PAGE_SIZE)));
  expect(got).toEqual({ ok: false, errno: Errno.EIO });
  expect(steps).toEqual(['pin', 'unpin with 0 mapped']);
  expect([dmabuf.refs, dmabuf.attachments.length, maps()]).toEqual([1, 0, 0]);
  expect(dmabuf.resv.mutex.locked).toBe(false);
  expect(machine.leftovers).toEqual(before);
});

// Regions over a dma-buf: the window of stages 3 and 4, the three modes, what an invalidation does to each, and nothing left.
import { sgtRangeSource } from '@sgfree/dma-buf/sgt';
import type { DmaBufOps } from '@sgfree/dma-buf/stage-6';
import type { SgTable } from '@sgfree/dma-sg';
import { frameOf, PAGE_SIZE } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { UmemMachine } from '../../test/umem-machine.ts';
import { outcomeValue } from '../../test/verbs-rig.ts';
import { IbAccess } from '../verbs/ib-access.ts';
import { ibUmemDmabufMapPages } from './dmabuf-umem.ts';
import { PageFaultService } from './page-fault-service.ts';
import { rangeImport } from './range-import.ts';
import { ibDeregDmabufMr, ibRegDmabufMr, ibRegDmabufMrPinned } from './reg-dmabuf-mr.ts';
import { ibRegDmabufMrRevocable } from './reg-dmabuf-mr-revocable.ts';
import { sgtImport } from './sgt-import.ts';

const ALL = IbAccess.LOCAL_WRITE | IbAccess.REMOTE_READ | IbAccess.REMOTE_WRITE;
const imports = [
  ['tables trimmed in place', sgtImport],
  ['ranges with a window beside them', rangeImport(sgtRangeSource)],
] as const;

function exported(machine: UmemMachine, own?: Parameters<UmemMachine['export']>[1]) {
  const frames = Float64Array.from([3, 2, 1, 4, 1, 2], (count) => machine.pages.allocRun(count));
  return { frames, ...machine.export(frames, own) };
}

describe.each(imports)('through %s', (_name, via) => {
  const request = (machine: UmemMachine, fd: number, offset: number, size: number) => ({
    platform: machine.dmaBufs,
    fd,
    offset,
    size,
    access: ALL,
    via,
  });

  it.each([true, false])(
    'window holds its pages, table comes back as it went (copies: %s)',
    (debugTables) => {
      for (let offset = 0; offset < 6 * PAGE_SIZE; offset += 1000) {
        for (let size = 1; offset + size <= 6 * PAGE_SIZE; size += 3333) {
          const machine = new UmemMachine({ debugTables });
          let given: readonly number[] = [];
          let back: readonly number[] = [];
          const columns = (sgt: SgTable): number[] => [...sgt.list.dmaAddress, ...sgt.list.dmaLength];
          const { fd, frames, dmabuf } = exported(machine);
          const ops = dmabuf.ops as DmaBufOps<SgTable>;
          const own = { ...ops };
          ops.mapDmaBuf = function* (attach, dir) {
            const mapped = yield* own.mapDmaBuf(attach, dir);
            if (mapped.ok && mapped.value !== null) given = columns(mapped.value);
            return mapped;
          };
          ops.unmapDmaBuf = function* (attach, sgt, dir) {
            back = columns(sgt);
            yield* own.unmapDmaBuf(attach, sgt, dir);
          };
          const reg = outcomeValue(
            machine.do(ibRegDmabufMrPinned(machine.pd, request(machine, fd, offset, size), offset)),
          );
          const pages = [...reg.umem.dmaRanges()].flatMap(({ address, bytes }) =>
            Array.from({ length: bytes / PAGE_SIZE }, (_, page) => frameOf(address) + page),
          );
          const last = Math.ceil((offset + size) / PAGE_SIZE);
          expect(pages).toEqual([...frames].slice(Math.floor(offset / PAGE_SIZE), last));
          expect(machine.do(ibDeregDmabufMr(reg))).toBe(0);
          expect(back).toEqual(given);
          expect(given.length).toBeGreaterThan(0);
        }
      }
    },
  );

  it.each(['dynamic', 'pinned', 'revocable'])('%s: keeps nothing after any failed allocation', (mode) => {
    let failures = 0;
    for (let allowed = 0; ; allowed += 1) {
      const machine = new UmemMachine({ iommu: true });
      const { fd, dmabuf, maps } = exported(machine);
      const faults = new PageFaultService(machine.device, machine.rig.scheduler);
      const before = [...machine.leftovers, dmabuf.refs, dmabuf.attachments.length];
      machine.failAfter = allowed;
      const wanted = request(machine, fd, 0, 6 * PAGE_SIZE);
      const made = machine.do(
        mode === 'dynamic'
          ? ibRegDmabufMr(machine.pd, wanted, 0, faults)
          : mode === 'pinned'
            ? ibRegDmabufMrPinned(machine.pd, wanted, 0)
            : ibRegDmabufMrRevocable(machine.pd, wanted, 0),
      );
      if (made.ok) expect(machine.do(ibDeregDmabufMr(made.value))).toBe(0);
      expect([...machine.leftovers, dmabuf.refs, dmabuf.attachments.length]).toEqual(before);
      expect(maps()).toBe(0);
      expect(dmabuf.resv.mutex.locked).toBe(false);
      if (made.ok) break;
      failures += 1;
      expect(made.errno).toBe(Errno.ENOMEM);
    }
    expect(failures).toBeGreaterThan(2);
  });

  it.each(['dynamic', 'pinned', 'revocable'])('%s: keeps nothing after any failed page table', (mode) => {
    let failures = 0;
    for (let allowed = 0; ; allowed += 1) {
      const machine = new UmemMachine({ iommu: true });
      let pins = 0;
      const { fd, dmabuf, maps } = exported(machine, {
        *pin() {
          yield { at: 'exporter:pin' };
          pins += 1;
          return 0;
        },
        *unpin() {
          yield { at: 'exporter:unpin' };
          pins -= 1;
        },
      });
      const faults = new PageFaultService(machine.device, machine.rig.scheduler);
      const before = [...machine.leftovers, dmabuf.refs, dmabuf.attachments.length];
      machine.tables.failAfter = allowed;
      const wanted = request(machine, fd, 0, 6 * PAGE_SIZE);
      const made = machine.do(
        mode === 'dynamic'
          ? ibRegDmabufMr(machine.pd, wanted, 0, faults)
          : mode === 'pinned'
            ? ibRegDmabufMrPinned(machine.pd, wanted, 0)
            : ibRegDmabufMrRevocable(machine.pd, wanted, 0),
      );
      if (made.ok) expect(machine.do(ibDeregDmabufMr(made.value))).toBe(0);
      expect([...machine.leftovers, dmabuf.refs, dmabuf.attachments.length]).toEqual(before);
      expect([maps(), pins]).toEqual([0, 0]);
      expect(dmabuf.resv.mutex.locked).toBe(false);
      if (made.ok) break;
      failures += 1;
      expect(made.errno).toBe(Errno.ENOMEM);
    }
    expect(failures).toBeGreaterThan(0);
  });

  it('a dynamic region loses its mapping in the callback and a fault brings it back', () => {
    const machine = new UmemMachine();
    const { fd, dmabuf, maps } = exported(machine);
    const faults = new PageFaultService(machine.device, machine.rig.scheduler);
    const wanted = request(machine, fd, 0, 6 * PAGE_SIZE);
    const reg = outcomeValue(machine.do(ibRegDmabufMr(machine.pd, wanted, 0, faults)));
    machine.do(machine.invalidate(dmabuf));
    expect(maps()).toBe(0);
    expect(reg.mr.entry.translation?.permits(0, true)).toBe(false);
    machine.do(lockedMap(reg.umem));
    expect(maps()).toBe(1);
    expect(machine.do(ibDeregDmabufMr(reg))).toBe(0);
    expect(maps()).toBe(0);
  });

  it('a revocable region is revoked once, for ever, and its key stays taken', () => {
    const machine = new UmemMachine();
    let pins = 0;
    const { fd, dmabuf, maps } = exported(machine, {
      *pin() {
        yield { at: 'exporter:pin' };
        pins += 1;
        return 0;
      },
      *unpin() {
        yield { at: 'exporter:unpin' };
        pins -= 1;
      },
    });
    const wanted = request(machine, fd, 0, 6 * PAGE_SIZE);
    const reg = outcomeValue(machine.do(ibRegDmabufMrRevocable(machine.pd, wanted, 0)));
    expect([maps(), pins]).toEqual([1, 1]);
    machine.do(machine.invalidate(dmabuf));
    machine.do(machine.invalidate(dmabuf));
    expect([maps(), pins]).toEqual([0, 0]);
    expect(reg.mr.entry.state).toBe('invalid');
    expect(machine.do(lockedMap(reg.umem))).toBe(-Errno.EINVAL);
    expect(machine.pd.usecnt).toBeGreaterThan(0);
    expect(machine.do(ibDeregDmabufMr(reg))).toBe(0);
    expect(dmabuf.attachments).toEqual([]);
  });

  it('refuses what the ioctl and the buffer refuse', () => {
    const machine = new UmemMachine();
    const { fd } = exported(machine);
    const errno = (offset: number, size: number, iova: number, access: number, at = fd): number => {
      const made = machine.do(
        ibRegDmabufMrPinned(machine.pd, { ...request(machine, at, offset, size), access }, iova),
      );
      return made.ok ? 0 : made.errno;
    };
    expect(errno(0, PAGE_SIZE, 1, ALL)).toBe(Errno.EINVAL);
    expect(errno(0, PAGE_SIZE, 0, ALL | IbAccess.MW_BIND)).toBe(Errno.EINVAL);
    expect(errno(0, PAGE_SIZE, 0, IbAccess.REMOTE_WRITE)).toBe(Errno.EINVAL);
    expect(errno(PAGE_SIZE, 6 * PAGE_SIZE, 0, ALL)).toBe(Errno.EINVAL);
    expect(errno(0, 0, 0, ALL)).toBe(Errno.EINVAL);
    expect(errno(0, PAGE_SIZE, 0, ALL, 77)).toBe(Errno.EBADF);
  });
});

function* lockedMap<M>(umem: Parameters<typeof ibUmemDmabufMapPages<M>>[0]) {
  yield* umem.dmabuf.resv.mutex.lock();
  const error = yield* ibUmemDmabufMapPages(umem);
  umem.dmabuf.resv.mutex.unlock();
  return error;
}

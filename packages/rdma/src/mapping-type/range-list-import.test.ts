// Imports by mapping types: the window of a region over a range list, what an invalidation does in each mode, the fallback and its
// warning, and nothing left whichever allocation fails.
import {
  type DmaBuf,
  type DmaBufAttachment,
  type DmaBufMappingMatch,
  type DmaRangeList,
  dmaBufFd,
  dmaBufFreeRangeList,
  dmaBufInvalidateMappings,
  dmaBufMappingExport,
  dmaBufMatchMapping,
  dmaBufPhysVecToRangeList,
  dmaResvLock,
  dmaResvUnlock,
  rangeListExporterMatch,
  rangeListImporterMatch,
} from '@sgfree/dma-buf';
import { sgtExporterMatch, sgtFallback, sgtRangeSource } from '@sgfree/dma-buf/sgt';
import { addOffset, frameOf, type ModelTask, PAGE_SIZE, physAddr } from '@sgfree/hw-model';
import { iommuIovaToPhys } from '@sgfree/iommu';
import { Errno, type Outcome } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { UmemMachine } from '../../test/umem-machine.ts';
import { outcomeValue } from '../../test/verbs-rig.ts';
import * as stage4 from '../stage-4.ts';
import * as stage5 from '../stage-5.ts';
import * as stage6 from '../stage-6.ts';
import * as stage8 from '../stage-8.ts';
import type { DmabufRequest } from '../umem/dmabuf-umem.ts';
import { PageFaultService } from '../umem/page-fault-service.ts';
import { rangeImport as importOfStage4 } from '../umem/range-import.ts';
import { ibDeregDmabufMr, ibRegDmabufMr, ibRegDmabufMrPinned } from '../umem/reg-dmabuf-mr.ts';
import { ibRegDmabufMrRevocable } from '../umem/reg-dmabuf-mr-revocable.ts';
import { IbAccess } from '../verbs/ib-access.ts';
import { rangeImport } from './range-import.ts';
import { rangeListImport } from './range-list-import.ts';

const ALL = IbAccess.LOCAL_WRITE | IbAccess.REMOTE_READ | IbAccess.REMOTE_WRITE;
const PAGES = 6;

const scattered = (machine: UmemMachine): Float64Array =>
  Float64Array.from([3, 2, 1, 4, 1, 2], (count) => machine.pages.allocRun(count));

/** Exports pages as range lists; what is mapped is counted. */
function exported(machine: UmemMachine) {
  const frames = scattered(machine);
  const phys = [...frames].map((frame) => ({ paddr: physAddr(frame * PAGE_SIZE), len: PAGE_SIZE }));
  const size = PAGES * PAGE_SIZE;
  let maps = 0;
  const offer = rangeListExporterMatch(
    {
      *mapRanges(attach, dir) {
        yield { at: 'exporter:map' };
        const list = dmaBufPhysVecToRangeList(attach, null, phys, size, dir);
        if (list.ok) maps += 1;
        return list;
      },
      *unmapRanges(attach, list, dir) {
        yield { at: 'exporter:unmap' };
        dmaBufFreeRangeList(attach, list, dir);
        maps -= 1;
      },
    },
    null,
  );
  const ops = { singleExporterMatch: offer, *release(): ModelTask<void> {} };
  const dmabuf = outcomeValue(dmaBufMappingExport(machine.dmaBufs, { expName: 'test', ops, size, priv: {} }));
  return { frames, dmabuf, fd: dmaBufFd(dmabuf, 0), maps: () => maps };
}

const via = rangeListImport(sgtFallback);
const request = (machine: UmemMachine, fd: number, offset = 0, size: number = PAGES * PAGE_SIZE) => ({
  platform: machine.dmaBufs,
  fd,
  offset,
  size,
  access: ALL,
  via,
});

const warnings = (machine: UmemMachine) =>
  machine.rig.log.events.filter(({ kind }) => kind === 'rdma:deprecated-import');

function* invalidated(dmabuf: DmaBuf<unknown>): ModelTask<void> {
  yield* dmaResvLock(dmabuf.resv);
  yield* dmaBufInvalidateMappings(dmabuf);
  dmaResvUnlock(dmabuf.resv);
}

describe('over a range list', () => {
  it.each([false, true])('the window holds the pages of its bytes (IOMMU %s)', (iommu) => {
    for (let offset = 0; offset < PAGES * PAGE_SIZE; offset += 2500) {
      for (let size = 1; offset + size <= PAGES * PAGE_SIZE; size += 7777) {
        const machine = new UmemMachine({ iommu });
        const { fd, frames, maps } = exported(machine);
        const reg = outcomeValue(
          machine.do(ibRegDmabufMrPinned(machine.pd, request(machine, fd, offset, size), offset)),
        );
        const pages = [...reg.umem.dmaRanges()].flatMap(({ address, bytes }) =>
          Array.from({ length: bytes / PAGE_SIZE }, (_, page) => {
            const at = addOffset(address, page * PAGE_SIZE);
            return frameOf(physAddr(iommu ? iommuIovaToPhys(machine.domain, at) : at));
          }),
        );
        const last = Math.ceil((offset + size) / PAGE_SIZE);
        expect(pages).toEqual([...frames].slice(Math.floor(offset / PAGE_SIZE), last));
        expect(machine.do(ibDeregDmabufMr(reg))).toBe(0);
        expect([maps(), warnings(machine)]).toEqual([0, []]);
      }
    }
  });

  it.each(['dynamic', 'pinned', 'revocable'])('%s: keeps nothing after any failed allocation', (mode) => {
    const errnos: number[] = [];
    for (let allowed = 0; ; allowed += 1) {
      const machine = new UmemMachine({ iommu: true });
      const { fd, dmabuf, maps } = exported(machine);
      const faults = new PageFaultService(machine.device, machine.rig.scheduler);
      const before = [...machine.leftovers, dmabuf.refs, dmabuf.attachments.length];
      machine.failAfter = allowed;
      const wanted = request(machine, fd);
      const made = machine.do(
        mode === 'dynamic'
          ? ibRegDmabufMr(machine.pd, wanted, 0, faults)
          : mode === 'pinned'
            ? ibRegDmabufMrPinned(machine.pd, wanted, 0)
            : ibRegDmabufMrRevocable(machine.pd, wanted, 0),
      );
      if (made.ok) expect(machine.do(ibDeregDmabufMr(made.value))).toBe(0);
      expect([...machine.leftovers, dmabuf.refs, dmabuf.attachments.length]).toEqual(before);
      expect([maps(), dmabuf.resv.mutex.locked]).toEqual([0, false]);
      if (made.ok) break;
      errnos.push(made.errno);
    }
    expect(errnos.length).toBeGreaterThan(3);
    expect(new Set(errnos)).toEqual(new Set([Errno.ENOMEM]));
  });

  it('an invalidation takes the list out of a region at once; a revocable one is over, a dynamic one may come back', () => {
    for (const mode of ['dynamic', 'revocable'] as const) {
      const machine = new UmemMachine({ iommu: true });
      const { fd, dmabuf, maps } = exported(machine);
      const faults = new PageFaultService(machine.device, machine.rig.scheduler);
      const wanted = request(machine, fd);
      const reg = outcomeValue(
        machine.do(
          mode === 'dynamic'
            ? ibRegDmabufMr(machine.pd, wanted, 0, faults)
            : ibRegDmabufMrRevocable(machine.pd, wanted, 0),
        ),
      );
      expect([maps(), reg.umem.mapped]).toEqual([1, true]);
      machine.do(invalidated(dmabuf));
      machine.do(invalidated(dmabuf));
      expect([maps(), reg.umem.mapped, reg.umem.revoked]).toEqual([0, false, mode === 'revocable']);
      expect([...reg.umem.dmaRanges()]).toEqual([]);
      expect(machine.do(ibDeregDmabufMr(reg))).toBe(0);
      expect(dmabuf.attachments).toEqual([]);
    }
  });
});

describe('what is offered', () => {
  it.each([true, false])(
    'is range lists, then the fallback, both with the same word (peer memory %s)',
    (accepts) => {
      const machine = new UmemMachine({ iommu: true });
      const seen: DmaBufMappingMatch[][] = [];
      const dmabuf = outcomeValue(
        dmaBufMappingExport(machine.dmaBufs, {
          ...{ expName: 'test', size: PAGE_SIZE, priv: {} },
          ops: {
            *matchMapping({ impMatches }) {
              yield { at: 'exporter:match' };
              seen.push([...impMatches]);
              return -Errno.EINVAL;
            },
            *release() {},
          },
        }),
      );
      for (const by of [via, rangeListImport()]) {
        const attached = by.attach?.(dmabuf as DmaBuf<never>, machine.dev, { allowPeer2peer: accepts }, null);
        if (attached === undefined) throw new Error('an import without an attach');
        expect(machine.do(attached)).toEqual({ ok: false, errno: Errno.EINVAL });
      }
      const lists = rangeListImporterMatch(machine.dev, accepts);
      expect(seen).toEqual([[lists, sgtFallback.offer(machine.dev, accepts)], [lists]]);
      expect(warnings(machine)).toEqual([]);
    },
  );

  it.each([
    ['range lists first', ['lists', 'tables'], []],
    ['tables first', ['tables', 'lists'], ['DMA Mapped Scatter Gather Table']],
  ] as const)('is taken in the exporter’s order: %s', (_, order, warned) => {
    const machine = new UmemMachine({ iommu: true });
    const nothing = function* (): ModelTask<Outcome<null>> {
      yield { at: 'exporter:map' };
      return { ok: false, errno: Errno.EIO };
    };
    const offers = {
      lists: rangeListExporterMatch({ mapRanges: nothing, *unmapRanges() {} }, null),
      tables: sgtExporterMatch({ mapDmaBuf: nothing, *unmapDmaBuf() {} }, null),
    };
    const dmabuf = outcomeValue(
      dmaBufMappingExport(machine.dmaBufs, {
        ...{ expName: 'test', size: PAGE_SIZE, priv: {} },
        ops: {
          *matchMapping(args) {
            yield { at: 'exporter:match' };
            return dmaBufMatchMapping(
              args,
              order.map((name) => offers[name]),
            );
          },
          *release() {},
        },
      }),
    );
    const attached = via.attach?.(dmabuf as DmaBuf<never>, machine.dev, { allowPeer2peer: true }, null);
    if (attached === undefined) throw new Error('an import without an attach');
    expect(machine.do(attached).ok).toBe(true);
    expect(warnings(machine).map((event) => event['type'])).toEqual(warned);
  });
});

describe('over tables', () => {
  it('warns once for each attachment, and the pages are the same', () => {
    const machine = new UmemMachine();
    const frames = scattered(machine);
    const { fd } = machine.export(frames);
    const reg = outcomeValue(machine.do(ibRegDmabufMrPinned(machine.pd, request(machine, fd), 0)));
    const [first] = reg.umem.dmaRanges();
    expect(frameOf(first?.address ?? physAddr(0))).toBe(frames[0]);
    expect(warnings(machine)).toEqual([
      {
        kind: 'rdma:deprecated-import',
        device: 'nic',
        buffer: 'test',
        type: 'DMA Mapped Scatter Gather Table',
      },
    ]);
    expect(machine.do(ibDeregDmabufMr(reg))).toBe(0);
  });

  it('the import of stage 4 still works at stage 5, without a warning', () => {
    const machine = new UmemMachine();
    const { fd, maps } = machine.export(scattered(machine));
    const old = { ...request(machine, fd), via: rangeImport(sgtRangeSource) };
    const reg = outcomeValue(machine.do(ibRegDmabufMrPinned(machine.pd, old, 0)));
    expect([maps(), warnings(machine)]).toEqual([1, []]);
    expect(machine.do(ibDeregDmabufMr(reg))).toBe(0);
  });

  it('without a fallback there is nothing in common; without a device nothing to attach', () => {
    const machine = new UmemMachine();
    const { fd, dmabuf } = machine.export(scattered(machine));
    const only: DmabufRequest<DmaRangeList> = { ...request(machine, fd), via: rangeListImport() };
    const made = machine.do(ibRegDmabufMrPinned(machine.pd, only, 0));
    expect(made).toEqual({ ok: false, errno: Errno.EINVAL });
    const attach = machine.do(via.attach(dmabuf as DmaBuf<never>, null, { allowPeer2peer: true }, null));
    expect(attach).toEqual({ ok: false, errno: Errno.EINVAL });
    expect(dmabuf.attachments).toEqual([] as DmaBufAttachment<never>[]);
  });
});

it('each stage up to 6 is additive, and stage 5 declares the import of stage 4 anew', () => {
  const names = [stage4, stage5, stage6].map((entry) => Object.keys(entry).sort());
  const [four = [], five = [], six = []] = names;
  expect(five).toEqual(expect.arrayContaining(four));
  expect(five.filter((name) => !four.includes(name))).toEqual(['rangeListImport']);
  expect(six).toEqual(expect.arrayContaining(five));
  expect([stage4.rangeImport, stage5.rangeImport]).toEqual([importOfStage4, rangeImport]);
  // @ts-expect-error stage 4 has no rangeListImport
  expect(stage4.rangeListImport).toBe(undefined);
});

it('at stage 8 an exporter of tables is refused when attaching, and one of range lists is imported', () => {
  const machine = new UmemMachine({});
  const tables = machine.export(Float64Array.of(machine.pages.allocRun(1), machine.pages.allocRun(1)));
  const ranges = exported(machine);
  const importOfStage8 = stage8.rangeListImport();
  const open = (fd: number) =>
    machine.do(
      ibRegDmabufMrPinned(machine.pd, { ...request(machine, fd, 0, PAGE_SIZE), via: importOfStage8 }, 0),
    );
  expect(open(tables.fd)).toEqual({ ok: false, errno: Errno.EINVAL });
  expect([tables.dmabuf.attachments.length, warnings(machine)]).toEqual([0, []]);
  const region = outcomeValue(open(ranges.fd));
  expect([...region.umem.dmaRanges()].map(({ address }) => frameOf(physAddr(address)))).toEqual([
    ranges.frames[0],
  ]);
  expect(machine.do(ibDeregDmabufMr(region))).toBe(0);
  expect(ranges.maps()).toBe(0);
});

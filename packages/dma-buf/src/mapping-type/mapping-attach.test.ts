// Attaching by mapping types: who agrees on what, old importers and exporters among them, and what refusals leave.
import type { SgTable } from '@sgfree/dma-sg';
import type { ModelTask } from '@sgfree/hw-model';
import { Errno, failure } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { Bench } from '../../test/buffer-rig.ts';
import { errnoOf, goodValue, MappingRig } from '../../test/mapping-rig.ts';
import {
  type DmaBuf,
  type DmaBufMappingMatch,
  dmaBufDetach,
  dmaBufInvalidateMappings,
  dmaBufIsDynamic,
  dmaBufMappingAttach,
  dmaBufMappingPalType,
  dmaBufMappingRangeListType,
  dmaBufMappingShow,
  dmaBufMapRangeList,
  dmaBufPut,
  mapTypeOf,
  palExporterMatch,
  privateInterconnect,
  rangeListExporterMatch,
  rangeListImporterMatch,
} from '../index.ts';
import { palImporterMatch } from '../iommufd.ts';
import {
  dmaBufMapAttachment,
  dmaBufSgtAttach,
  dmaBufSgtDmaDevice,
  dmaBufSgtDynamicAttach,
  dmaBufSgtP2pAllowed,
  dmaBufUnmapAttachment,
  sgtExporterMatch,
  sgtImporterMatch,
  sgtOpsOf,
} from '../sgt.ts';
import { dmaBufDynamicAttach as attachOfStage3 } from '../stage-3.ts';
import { dmaBufAttach, dmaBufDynamicAttach } from '../stage-6.ts';

const peerOps = { allowPeer2peer: true, *invalidateMappings(): ModelTask<void> {} };
const tablesOf = (dmabuf: DmaBuf<unknown>): DmaBuf<SgTable> => dmabuf as DmaBuf<SgTable>;
const link = privateInterconnect<{ readonly word: string }>('A');

describe('importers of tables', () => {
  it.each(['the only offer', 'a list of one', 'after another kind'] as const)('sgt_attach: %s', (key) => {
    const rig = new MappingRig({ iommu: true });
    const sgt = sgtExporterMatch(rig.tables, null);
    const exporters = {
      'the only offer': () => goodValue(rig.exportWith({ singleExporterMatch: sgt, *release() {} })),
      'a list of one': () => rig.export([sgt]),
      'after another kind': () => rig.export([link.exporterMatch({ word: 'x' }), sgt]),
    };
    const dmabuf = exporters[key]();
    const attach = goodValue(rig.run(dmaBufSgtAttach(tablesOf(dmabuf), rig.machine.near)));
    expect(attach.mapType.type.name).toBe('DMA Mapped Scatter Gather Table');
    expect(dmaBufSgtDmaDevice(attach)).toBe(rig.machine.near);
    expect([dmaBufSgtP2pAllowed(attach), attach.peer2peer]).toEqual([false, false]);
    expect(sgtOpsOf(attach)).toBe(rig.tables);
  });

  it.each([
    ['the call of stage 3', attachOfStage3],
    ['the call on its way out', dmaBufDynamicAttach],
    ['the call under its new name', dmaBufSgtDynamicAttach],
  ] as const)('%s: agree on tables with new exporters and map them', (_, attachBy) => {
    const rig = new MappingRig({ iommu: true }, [
      [0x3000, 0x1000],
      [0, 0x2000],
    ]);
    const { near, pdev } = rig.machine;
    const dmabuf = tablesOf(
      rig.export([rangeListExporterMatch(rig.ranges, pdev), sgtExporterMatch(rig.tables, pdev)]),
    );
    const attach = goodValue(rig.run(attachBy(dmabuf, near, peerOps, null)));
    expect([dmaBufSgtP2pAllowed(attach), attach.peer2peer, attach.dev]).toEqual([true, true, near]);
    rig.locked(dmabuf, function* () {
      const table = goodValue(yield* dmaBufMapAttachment(attach, 'bidirectional'));
      expect([table.mappedCount, rig.maps]).toEqual([2, 1]);
      yield* dmaBufUnmapAttachment(attach, table, 'bidirectional');
    });
    rig.run(dmaBufDetach(dmabuf, attach));
    expect([rig.maps, dmabuf.attachments, rig.rules()]).toEqual([0, [], []]);
  });

  it('find nothing in common with a buffer that has physical lists only', () => {
    const rig = new MappingRig({ iommu: false });
    const pal = palExporterMatch({
      *mapPhys() {
        yield { at: 'exporter:map' };
        return failure(Errno.EIO);
      },
      *unmapPhys() {},
    });
    const dmabuf = rig.export([pal]);
    for (const attachBy of [attachOfStage3, dmaBufDynamicAttach]) {
      expect(rig.run(attachBy(dmabuf, rig.machine.near, null, null))).toEqual(failure(Errno.EINVAL));
    }
    const attach = goodValue(rig.run(dmaBufMappingAttach(dmabuf, [palImporterMatch], peerOps, null)));
    expect(attach.mapType.type).toBe(dmaBufMappingPalType);
    expect(() => attach.dev).toThrow('dma-buf-attach-no-device');
  });
});

it('mock_attach: a dynamic importer that knows the private kind gets it', () => {
  const rig = new MappingRig({ iommu: false });
  const dmabuf = rig.export([link.exporterMatch({ word: 'mine' }), sgtExporterMatch(rig.tables, null)]);
  const attach = goodValue(rig.run(dmaBufMappingAttach(dmabuf, [link.importerMatch], peerOps, null)));
  expect(attach.mapType.type).toBe(link.type);
  expect(link.opsOf(attach)?.word).toBe('mine');
  const other = privateInterconnect('A');
  expect([other.opsOf(attach), sgtOpsOf(attach as never)]).toEqual([null, null]);
  expect(errnoOf(rig.run(dmaBufMappingAttach(dmabuf, [other.importerMatch], peerOps, null)))).toBe(
    Errno.EINVAL,
  );
  expect(dmaBufMappingShow(dmabuf)).toEqual(['A']);
});

describe('old exporters', () => {
  it('are ones of tables: an importer that lists tables last gets them, one that does not gets nothing', () => {
    const bench = new Bench(false);
    const { dmabuf, dev } = bench;
    const offers = [rangeListImporterMatch(dev, true), sgtImporterMatch(dev, true)];
    const attach = goodValue(bench.run(dmaBufMappingAttach(dmabuf, offers, peerOps, null)));
    expect(mapTypeOf(attach)?.type.name).toBe('DMA Mapped Scatter Gather Table');
    expect([dmaBufSgtP2pAllowed(attach), attach.peer2peer, bench.exporter.calls]).toEqual([
      false,
      true,
      ['attach'],
    ]);
    const refused = bench.run(dmaBufMappingAttach(dmabuf, offers.slice(0, 1), peerOps, null));
    expect([refused, bench.exporter.calls]).toEqual([failure(Errno.EINVAL), ['attach']]);
  });

  it.each([
    ['static', null],
    ['dynamic', { allowPeer2peer: true }],
  ] as const)('see the same from a %s importer as at stage 3', (_, ops) => {
    const calls = [attachOfStage3, dmaBufDynamicAttach].map((attachBy) => {
      const bench = new Bench();
      const { dmabuf, dev } = bench;
      const attach = goodValue(bench.run(attachBy(dmabuf, dev, ops, 'mine')));
      expect([attach.dev, attach.importerOps, attach.importerPriv]).toEqual([dev, ops, 'mine']);
      bench.exporter.failing = 'attach';
      expect(errnoOf(bench.run(attachBy(dmabuf, dev, ops, null)))).toBe(Errno.EIO);
      expect(errnoOf(bench.run(attachBy(dmabuf, null, ops, null)))).toBe(Errno.EINVAL);
      expect(dmabuf.attachments).toEqual([attach]);
      return [...bench.exporter.calls, ...bench.rules()];
    });
    expect(calls[1]).toEqual(calls[0]);
    expect(calls[0]).toEqual(['attach', 'attach', 'dma-buf-attach-null']);
  });

  it('the static call takes no peer memory', () => {
    const bench = new Bench();
    const attach = goodValue(bench.run(dmaBufAttach(bench.dmabuf, bench.dev)));
    expect([attach.importerOps, attach.peer2peer]).toEqual([null, false]);
  });
});

describe('the peer-to-peer condition of tables and of range lists', () => {
  const rows = [
    { key: 'plain.no-p2p', exp: ['plain'], accepts: false, where: 'near', listed: true, won: 0 },
    { key: 'plain.accepts', exp: ['plain'], accepts: true, where: 'far', listed: false, won: 0 },
    { key: 'requires.no-p2p', exp: ['requires'], accepts: false, where: 'near', listed: true, won: -1 },
    { key: 'requires.bus-addr', exp: ['requires'], accepts: true, where: 'near', listed: true, won: 0 },
    {
      key: 'requires.thru-host-bridge',
      exp: ['requires'],
      accepts: true,
      where: 'far',
      listed: true,
      won: 0,
    },
    { key: 'requires.no-way', exp: ['requires'], accepts: true, where: 'far', listed: false, won: -1 },
    { key: 'both.no-p2p', exp: ['requires', 'plain'], accepts: false, where: 'near', listed: true, won: 1 },
    { key: 'both.no-way', exp: ['requires', 'plain'], accepts: true, where: 'far', listed: false, won: 1 },
    { key: 'both.accepts', exp: ['requires', 'plain'], accepts: true, where: 'near', listed: true, won: 0 },
  ] as const;
  const kinds = ['tables', 'range lists'] as const;
  it.each(kinds.flatMap((kind) => rows.map((row) => ({ kind, ...row }))))('$kind: $key', (row) => {
    const { kind, exp, accepts, where, listed, won } = row;
    const rig = new MappingRig({ iommu: true, listed });
    const { pdev } = rig.machine;
    const dev = rig.machine[where];
    const offers: DmaBufMappingMatch[] = exp.map((word) => {
      const peer = word === 'plain' ? null : pdev;
      return kind === 'tables'
        ? sgtExporterMatch({ ...rig.tables }, peer)
        : rangeListExporterMatch({ ...rig.ranges }, peer);
    });
    const mine = kind === 'tables' ? sgtImporterMatch(dev, accepts) : rangeListImporterMatch(dev, accepts);
    const attach = rig.run(dmaBufMappingAttach(rig.export(offers), [mine], peerOps, null));
    if (won === -1) expect(attach).toEqual(failure(Errno.EINVAL));
    else expect(offers.findIndex(({ expOps }) => expOps === goodValue(attach).mapType.expOps)).toBe(won);
  });

  it('an exporter that requires it and names no device is warned of and passed over', () => {
    const rig = new MappingRig({ iommu: false });
    const offer = { ...rangeListExporterMatch(rig.ranges, rig.machine.pdev), exportingP2pDevice: null };
    const mine = rangeListImporterMatch(rig.machine.near, true);
    const attach = rig.run(dmaBufMappingAttach(rig.export([offer]), [mine], peerOps, null));
    expect([errnoOf(attach), rig.rules()]).toEqual([Errno.EINVAL, ['dma-buf-p2p-no-exporter']]);
  });
});

describe('the rules of export', () => {
  const plain = { *release(): ModelTask<void> {} };
  const rows = [
    { key: 'match-mapping', ops: ['match'], errno: 0 },
    { key: 'single', ops: ['single'], errno: 0 },
    { key: 'legacy', ops: ['map', 'unmap'], errno: 0 },
    { key: 'neither', ops: [], errno: Errno.EINVAL },
    { key: 'legacy-half', ops: ['map'], errno: Errno.EINVAL },
    { key: 'both-new', ops: ['match', 'single'], errno: Errno.EINVAL },
    { key: 'match-and-map', ops: ['match', 'map', 'unmap'], errno: Errno.EINVAL },
    { key: 'single-and-unmap', ops: ['single', 'unmap'], errno: Errno.EINVAL },
  ] as const;
  it.each(rows)('$key', ({ ops, errno }) => {
    const rig = new MappingRig({ iommu: false });
    const { mapDmaBuf, unmapDmaBuf } = rig.tables;
    const parts = {
      match: {
        *matchMapping() {
          yield { at: 'exporter:match' };
          return 0;
        },
      },
      single: { singleExporterMatch: link.exporterMatch({ word: 'one' }) },
      map: { mapDmaBuf },
      unmap: { unmapDmaBuf },
    };
    const made = rig.exportWith(Object.assign({ ...plain }, ...ops.map((name) => parts[name])));
    expect([errnoOf(made), rig.rules().length]).toEqual([errno, errno === 0 ? 0 : 1]);
    expect(rig.platform.buffers.size).toBe(errno === 0 ? 1 : 0);
  });

  it('operations of an object with a state of its own are called on it', () => {
    const rig = new MappingRig({ iommu: false });
    class Ops {
      #released = 0;
      readonly singleExporterMatch = link.exporterMatch({ word: 'class' });

      get released(): number {
        return this.#released;
      }

      *release(): ModelTask<void> {
        yield { at: 'exporter:release' };
        this.#released += 1;
      }
    }
    const ops = new Ops();
    const dmabuf = goodValue(rig.exportWith(ops));
    expect(dmaBufIsDynamic(dmabuf)).toBe(false);
    rig.run(dmaBufPut(dmabuf));
    expect([ops.released, rig.platform.buffers.size, rig.rules()]).toEqual([1, 0, []]);
  });
});

it('mapping asks for the kind that was agreed on, and refuses another', () => {
  const rig = new MappingRig({ iommu: false });
  const { near, pdev } = rig.machine;
  const dmabuf = rig.export([rangeListExporterMatch(rig.ranges, pdev), sgtExporterMatch(rig.tables, pdev)]);
  const open = (offer: DmaBufMappingMatch) =>
    goodValue(rig.run(dmaBufMappingAttach(dmabuf, [offer], peerOps, null)));
  const [ranges, tables] = [open(rangeListImporterMatch(near, true)), open(sgtImporterMatch(near, true))];
  expect(ranges.mapType.type).toBe(dmaBufMappingRangeListType);
  rig.locked(dmabuf, function* () {
    expect(errnoOf(yield* dmaBufMapAttachment(ranges as never, 'to-device'))).toBe(Errno.EINVAL);
    expect(errnoOf(yield* dmaBufMapRangeList(tables as never, 'to-device'))).toBe(Errno.EINVAL);
  });
  expect([rig.rules(), rig.maps]).toEqual([['dma-buf-no-tables', 'dma-buf-no-range-list'], 0]);
});

it('without a buffer: -EINVAL and a violation on the log of the device that is offered', () => {
  const rig = new MappingRig({ iommu: false });
  const { near, far, log } = rig.machine;
  const attach = (...offers: DmaBufMappingMatch[]) =>
    rig.run(dmaBufMappingAttach<unknown>(null, offers, peerOps, null));
  expect([attach(), attach(link.importerMatch), rig.rules()]).toEqual([
    failure(Errno.EINVAL),
    failure(Errno.EINVAL),
    [],
  ]);
  const each = [rangeListImporterMatch(near, true), sgtImporterMatch(far, false)] as const;
  expect(attach(link.importerMatch, ...each)).toEqual(failure(Errno.EINVAL));
  expect(attach(each[1])).toEqual(failure(Errno.EINVAL));
  const warned = log.events.filter(({ kind }) => kind === 'violation');
  expect(warned.map(({ rule, device }) => [rule, device])).toEqual([
    ['dma-buf-attach-null', 'near'],
    ['dma-buf-attach-null', 'far'],
  ]);
});

it('with the lock held: a violation', () => {
  const rig = new MappingRig({ iommu: false });
  const dmabuf = rig.export([]);
  rig.locked(dmabuf, () => dmaBufMappingAttach(dmabuf, [], peerOps, null));
  expect(rig.rules()).toEqual(['dma-buf-lock-forbidden']);
});

it('no failed allocation leaves an attachment, and the newest attachment is told first', () => {
  const rig = new MappingRig({ iommu: false });
  const dmabuf = rig.export([rangeListExporterMatch(rig.ranges, null)]);
  const told: unknown[] = [];
  const open = () =>
    rig.run(
      dmaBufMappingAttach(
        dmabuf,
        [rangeListImporterMatch(rig.machine.near, false)],
        {
          allowPeer2peer: false,
          *invalidateMappings(attach) {
            yield { at: 'importer:told' };
            told.push(attach);
          },
        },
        null,
      ),
    );
  rig.failAfter = 0;
  expect([errnoOf(open()), dmabuf.attachments]).toEqual([Errno.ENOMEM, []]);
  rig.failAfter = -1;
  const [first, second] = [goodValue(open()), goodValue(open())];
  rig.locked(dmabuf, () => dmaBufInvalidateMappings(dmabuf));
  expect(told).toEqual([second, first]);
});

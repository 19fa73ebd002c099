// A VFIO exporter with mapping types: who agrees on what, bytes through range lists on every path, revokes that wait for them as for
// tables, physical doors, and nothing left.
import {
  type DmaBuf,
  type DmaBufAttachment,
  type DmaBufMappingMatch,
  type DmaBufPhysList,
  type DmaRangeList,
  DmaResvUsage,
  dmaBufDetach,
  dmaBufGet,
  dmaBufMappingAttach,
  dmaBufMapRangeList,
  dmaBufPut,
  dmaBufUnmapRangeList,
  dmaFenceInit,
  dmaFencePut,
  dmaFenceSignal,
  dmaResvAddFence,
  dmaResvLock,
  dmaResvReserveFences,
  dmaResvUnlock,
  rangeListImporterMatch,
  vfioIommufdInterconnect,
} from '@sgfree/dma-buf';
import { dmaBufPalMapPhys, dmaBufPalUnmapPhys, palImporterMatch } from '@sgfree/dma-buf/iommufd';
import { sgtImporterMatch } from '@sgfree/dma-buf/sgt';
import { dmaAddr, type ModelTask } from '@sgfree/hw-model';
import { Errno, failure, type Outcome } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { TestImporter } from '../../test/test-importer.ts';
import { featureBytes, VfioMachine, type VfioMachineOptions } from '../../test/vfio-machine.ts';
import { vfioPciConfigWrite } from '../config/config-write.ts';
import { vfioPciIoctlReset } from '../device/device-reset.ts';
import { vfioPciCoreCloseDevice } from '../device/open-close.ts';
import { vfioSgtOffer } from './sgt-offer.ts';
import { vfioMappingTypes } from './vfio-mapping-types.ts';

const CLEAN = [0, 0, 0, 0, 0, 0, 0];
const memoryOff = Uint8Array.of(0, 0);
const twoRanges = [
  [0x3000n, 0x2000n],
  [0n, 0x1000n],
] as const;
const revocable = { allowPeer2peer: true, *invalidateMappings(): ModelTask<void> {} };
const errnoOf = <T>(outcome: Outcome<T>): number => (outcome.ok ? 0 : outcome.errno);

/** A machine whose exporters offer everything they have. */
function mappingMachine(options: VfioMachineOptions = {}): VfioMachine {
  return new VfioMachine({ mapping: vfioMappingTypes({ tables: vfioSgtOffer() }), ...options });
}

function bufferOf(machine: VfioMachine, fd: number): DmaBuf<unknown> {
  const got = dmaBufGet<unknown>(machine.platform, fd);
  if (!got.ok) throw new Error('no buffer');
  return got.value;
}

function* locked<T>({ resv }: DmaBuf<unknown>, body: () => ModelTask<T>): ModelTask<T> {
  yield* dmaResvLock(resv);
  const result = yield* body();
  dmaResvUnlock(resv);
  return result;
}

describe('attaching', () => {
  const rows = [
    { key: 'no-peer', p2p: false, revoked: false, can: true, errno: Errno.EINVAL },
    { key: 'no-peer-revoked', p2p: false, revoked: true, can: true, errno: Errno.EINVAL },
    { key: 'revoked', p2p: true, revoked: true, can: true, errno: Errno.ENODEV },
    { key: 'revoked-not-revocable', p2p: true, revoked: true, can: false, errno: Errno.ENODEV },
    { key: 'not-revocable', p2p: true, revoked: false, can: false, errno: Errno.EOPNOTSUPP },
    { key: 'good', p2p: true, revoked: false, can: true, errno: 0 },
  ] as const;
  const kinds = [
    ['range lists', rangeListImporterMatch],
    ['tables', sgtImporterMatch],
  ] as const;
  it.each(kinds.flatMap(([kind, offer]) => rows.map((row) => ({ kind, offer, ...row }))))(
    '$kind: $key',
    ({ offer, p2p, revoked, can, errno }) => {
      const machine = mappingMachine();
      const dmabuf = bufferOf(machine, machine.ioctl(featureBytes()));
      if (revoked) machine.run(vfioPciConfigWrite(machine.vdev, 4, memoryOff));
      const ops = can ? revocable : { allowPeer2peer: true };
      const attach = machine.run(dmaBufMappingAttach(dmabuf, [offer(machine.near, p2p)], ops, null));
      expect([errnoOf(attach), dmabuf.attachments.length]).toEqual([errno, errno === 0 ? 1 : 0]);
    },
  );

  it('a path that peer-to-peer DMA cannot take is refused here, not when mapping', () => {
    const machine = mappingMachine({ listed: false });
    const dmabuf = bufferOf(machine, machine.ioctl(featureBytes()));
    for (const offer of [rangeListImporterMatch, sgtImporterMatch]) {
      const attach = dmaBufMappingAttach(dmabuf, [offer(machine.far, true)], revocable, null);
      expect(machine.run(attach)).toEqual(failure(Errno.EINVAL));
    }
  });

  it('offers the doors, then range lists, then tables, whatever the importer lists first', () => {
    const machine = mappingMachine();
    const dmabuf = bufferOf(machine, machine.ioctl(featureBytes()));
    const { near } = machine;
    const everything = [
      sgtImporterMatch(near, true),
      rangeListImporterMatch(near, true),
      palImporterMatch,
      vfioIommufdInterconnect.importerMatch,
    ];
    const got: string[] = [];
    for (let known = everything.length; known > 0; known -= 1) {
      const attach = machine.run(dmaBufMappingAttach(dmabuf, everything.slice(0, known), revocable, null));
      got.push(attach.ok ? attach.value.mapType.type.name : 'none');
    }
    expect(got).toEqual([
      'VFIO to iommufd',
      'Physical Address List',
      'DMA Mapped Range List',
      'DMA Mapped Scatter Gather Table',
    ]);
  });

  it('without the offer of tables an importer of tables finds nothing', () => {
    const machine = mappingMachine({ mapping: vfioMappingTypes() });
    const importer = new TestImporter(machine);
    expect(machine.run(importer.open(machine.ioctl(featureBytes())))).toBe(-Errno.EINVAL);
  });

  it('an offer of another party stands between the doors and range lists', () => {
    const offered: unknown[] = [];
    const more = [
      (priv: unknown): DmaBufMappingMatch => {
        offered.push(priv);
        return sgtImporterMatch(machine.near, true);
      },
    ];
    const machine: VfioMachine = mappingMachine({ mapping: vfioMappingTypes({ doors: [], more }) });
    const dmabuf = bufferOf(machine, machine.ioctl(featureBytes()));
    const attach = dmaBufMappingAttach(dmabuf, [palImporterMatch], revocable, null);
    expect(machine.run(attach)).toEqual(failure(Errno.EINVAL));
    expect(offered).toEqual([machine.vdev.dmabufs[0]]);
  });
});

describe('a range list', () => {
  it.each([
    ['near', true],
    ['near', false],
    ['far', true],
    ['far', false],
  ] as const)(
    '%s, IOMMU %s: bytes of every range arrive, tables beside it work too, all is given back',
    (where, iommu) => {
      const machine = mappingMachine({ iommu });
      const fd = machine.ioctl(featureBytes({ ranges: twoRanges }));
      const dmabuf = bufferOf(machine, fd) as DmaBuf<DmaRangeList>;
      const old = new TestImporter(machine, where);
      expect(machine.run(old.open(fd))).toBe(0);
      expect(machine.run(old.write(Uint8Array.of(9, 9)))).toBe(0);
      expect([...machine.bar.pageBytes(3).subarray(0, 2)]).toEqual([9, 9]);
      const offer = rangeListImporterMatch(machine[where], true);
      machine.run(
        (function* (): ModelTask<void> {
          const attach = yield* dmaBufMappingAttach(dmabuf, [offer], revocable, null);
          if (!attach.ok) throw new Error('no attachment');
          const list = yield* locked(dmabuf, () => dmaBufMapRangeList(attach.value, 'bidirectional'));
          if (!list.ok) throw new Error('no list');
          expect(machine.vdev.dmabufs[0]?.kref).toBe(3);
          for (const [offset, value] of [
            [0x10, 1],
            [0x1ffc, 2],
            [0x2008, 3],
          ] as const) {
            const at = list.value.find(offset)?.address ?? dmaAddr(0);
            expect(yield* machine.engines[where].write(at, Uint8Array.of(value))).toBe('success');
          }
          yield* locked(dmabuf, () => dmaBufUnmapRangeList(attach.value, list.value, 'bidirectional'));
          yield* dmaBufDetach(dmabuf, attach.value);
          yield* dmaBufPut(dmabuf);
        })(),
      );
      const { bar } = machine;
      expect([bar.pageBytes(3)[0x10], bar.pageBytes(4)[0xffc], bar.pageBytes(0)[8]]).toEqual([1, 2, 3]);
      machine.run(old.close());
      machine.run(machine.platform.files.close(fd));
      expect([machine.leftovers, machine.rules()]).toEqual([CLEAN, []]);
    },
  );

  it.each(['reset', 'memory-off', 'close'] as const)(
    'a revoke by %s waits for the fence and for the list, then nothing can be mapped until it is taken back',
    (trigger) => {
      const machine = mappingMachine({ iommu: true });
      const dmabuf = bufferOf(machine, machine.ioctl(featureBytes())) as DmaBuf<DmaRangeList>;
      const order: string[] = [];
      const held: { attach: DmaBufAttachment<DmaRangeList> | null; list: DmaRangeList | null } = {
        attach: null,
        list: null,
      };
      const ops = {
        allowPeer2peer: true,
        *invalidateMappings(): ModelTask<void> {
          yield { at: 'importer:told' };
          order.push('told');
        },
      };
      const fence = dmaFenceInit(
        machine.platform,
        {},
        { context: machine.platform.takeContexts(1), seqno: 1 },
      );
      machine.run(
        (function* (): ModelTask<void> {
          const attach = yield* dmaBufMappingAttach(
            dmabuf,
            [rangeListImporterMatch(machine.far, true)],
            ops,
            null,
          );
          if (!attach.ok) throw new Error('no attachment');
          held.attach = attach.value;
          const list = yield* locked(dmabuf, function* () {
            dmaResvReserveFences(dmabuf.resv, 1);
            dmaResvAddFence(dmabuf.resv, fence, DmaResvUsage.BOOKKEEP);
            return yield* dmaBufMapRangeList(attach.value, 'bidirectional');
          });
          if (list.ok) held.list = list.value;
        })(),
      );
      const { attach, list } = held;
      if (attach === null || list === null) throw new Error('not mapped');
      const revoke = {
        reset: () => vfioPciIoctlReset(machine.vdev),
        'memory-off': () => vfioPciConfigWrite(machine.vdev, 4, memoryOff),
        close: () => vfioPciCoreCloseDevice(machine.vdev),
      }[trigger];
      machine.scheduler.spawn(
        'owner',
        (function* (): ModelTask<void> {
          yield* revoke();
          order.push('revoked');
        })(),
      );
      machine.scheduler.run();
      expect(order).toEqual(['told']);
      dmaFenceSignal(fence);
      dmaFencePut(fence);
      machine.scheduler.run();
      expect([order, machine.vdev.dmabufs[0]?.kref]).toEqual([['told'], 1]);
      machine.run(locked(dmabuf, () => dmaBufUnmapRangeList(attach, list, 'bidirectional')));
      machine.scheduler.run();
      expect(order.filter((step) => step === 'revoked')).toEqual(['revoked']);
      const again = machine.run(locked(dmabuf, () => dmaBufMapRangeList(attach, 'bidirectional')));
      expect(errnoOf(again)).toBe(trigger === 'reset' ? 0 : Errno.ENODEV);
      expect(machine.rules()).toEqual([]);
    },
  );
});

describe('the doors to physical addresses', () => {
  it('a physical list is a copy that counts as a mapping, and is refused while the memory is taken back', () => {
    const machine = mappingMachine();
    const dmabuf = bufferOf(machine, machine.ioctl(featureBytes({ ranges: twoRanges })));
    const priv = machine.vdev.dmabufs[0];
    const made = machine.run(dmaBufMappingAttach(dmabuf, [palImporterMatch], revocable, null));
    if (!made.ok || priv === undefined) throw new Error('no attachment');
    const attach = made.value as DmaBufAttachment<DmaBufPhysList>;
    const mapped = machine.run(locked(dmabuf, () => dmaBufPalMapPhys(attach)));
    if (!mapped.ok) throw new Error('no list');
    expect([mapped.value.phys, priv.kref]).toEqual([priv.physVec, 2]);
    expect(mapped.value.phys).not.toBe(priv.physVec);
    machine.run(locked(dmabuf, () => dmaBufPalUnmapPhys(attach, mapped.value)));
    expect(priv.kref).toBe(1);
    machine.platform.allocate = () => false;
    expect(errnoOf(machine.run(locked(dmabuf, () => dmaBufPalMapPhys(attach))))).toBe(Errno.ENOMEM);
    machine.platform.allocate = () => true;
    machine.run(vfioPciConfigWrite(machine.vdev, 4, memoryOff));
    expect(errnoOf(machine.run(locked(dmabuf, () => dmaBufPalMapPhys(attach))))).toBe(Errno.ENODEV);
    expect([priv.kref, machine.rules()]).toEqual([1, []]);
  });

  it.each([
    ['one range', [[0x3000n, 0x2000n]], 0],
    ['several ranges', twoRanges, Errno.EOPNOTSUPP],
  ] as const)('the interconnect hands over %s without a reference', (_, ranges, errno) => {
    const machine = mappingMachine();
    const dmabuf = bufferOf(machine, machine.ioctl(featureBytes({ ranges })));
    const offers = [vfioIommufdInterconnect.importerMatch];
    const made = machine.run(dmaBufMappingAttach(dmabuf, offers, revocable, null));
    if (!made.ok) throw new Error('no attachment');
    const door = vfioIommufdInterconnect.opsOf(made.value);
    const phys = machine.run(
      locked(dmabuf, function* () {
        yield { at: 'importer:asks' };
        return door?.iommufdMap(made.value) ?? failure(Errno.EIO);
      }),
    );
    expect([errnoOf(phys), machine.vdev.dmabufs[0]?.kref]).toEqual([errno, 1]);
    if (phys.ok) expect([phys.value]).toEqual(machine.vdev.dmabufs[0]?.physVec);
  });
});

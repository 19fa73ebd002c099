// Mapping types by the text of the RFC: when the match is made and what it sees, what an attachment keeps for its whole life, whom the
// peer-to-peer condition lets in, and that the rest of an exporter's operations is reached as before.
import { Device } from '@sgfree/dma-core';
import type { ModelTask } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import { pciP2pdmaMapType } from '@sgfree/p2p';
import { describe, expect, it } from 'vitest';
import {
  type DmaBufMappingMatch,
  type DmaBufMappingOps,
  type DmaBufMatchArgs,
  type DmaRangeList,
  type DmaSgtRequiresP2p,
  dmaBufBeginCpuAccess,
  dmaBufDetach,
  dmaBufEndCpuAccess,
  dmaBufInvalidateMappings,
  dmaBufMappingAttach,
  dmaBufMappingRangeListType,
  dmaBufMappingShow,
  dmaBufMapRangeList,
  dmaBufMatchMapping,
  dmaBufMmap,
  dmaBufPin,
  dmaBufUnmapRangeList,
  dmaBufUnpin,
  dmaBufVmap,
  dmaBufVunmap,
  mapTypeOf,
  palExporterMatch,
  rangeListExporterMatch,
  rangeListImporterMatch,
} from '../../src/index.ts';
import { palImporterMatch } from '../../src/iommufd.ts';
import { sgtExporterMatch, sgtImporterMatch } from '../../src/sgt.ts';
import { dmaBufDynamicAttach as attachOfStage3 } from '../../src/stage-3.ts';
import { dmaBufDynamicAttach } from '../../src/stage-6.ts';
import { errnoOf, goodValue, MappingRig } from '../mapping-rig.ts';

const revocable = { allowPeer2peer: true, *invalidateMappings(): ModelTask<void> {} };
const INVAL = Errno.EINVAL;

/** A rig whose exporter answers with `answer`, after noting what it saw. */
function asked(answer: (args: DmaBufMatchArgs, rig: MappingRig) => number, attachErrno = 0) {
  const rig = new MappingRig({ iommu: true });
  const steps: string[] = [];
  const seen: DmaBufMatchArgs[] = [];
  const ops: DmaBufMappingOps = {
    *matchMapping(args) {
      yield { at: 'exporter:match' };
      steps.push(`match, lock ${args.dmabuf.resv.mutex.locked ? 'held' : 'free'}`);
      steps.push(`blank: ${args.attach.mapType === null}`, `listed: ${args.dmabuf.attachments.length}`);
      seen.push(args);
      return answer(args, rig);
    },
    *attach(_, attach) {
      yield { at: 'exporter:attach' };
      steps.push(`attach: ${mapTypeOf(attach)?.type.name}, ${String(attach.importerPriv)}`);
      return attachErrno;
    },
    *detach(_, attach) {
      yield { at: 'exporter:detach' };
      steps.push(`detach: ${mapTypeOf(attach)?.type.name}`);
    },
    *release() {},
  };
  return { rig, dmabuf: goodValue(rig.exportWith(ops)), steps, seen };
}

const ranges = (args: DmaBufMatchArgs, rig: MappingRig): number =>
  dmaBufMatchMapping(args, [rangeListExporterMatch(rig.ranges, rig.machine.pdev)]);
const NEGOTIATED = ['match, lock free', 'blank: true', 'listed: 0'];
const NAME = 'DMA Mapped Range List';

describe('a negotiation', () => {
  it('is made before anything else, without the lock; then the exporter is asked, who knows the outcome', () => {
    const { rig, dmabuf, steps, seen } = asked(ranges);
    const offers = [palImporterMatch, rangeListImporterMatch(rig.machine.near, true)];
    const attach = goodValue(rig.run(dmaBufMappingAttach(dmabuf, offers, revocable, 'mine')));
    expect(steps).toEqual([...NEGOTIATED, `attach: ${NAME}, mine`]);
    expect([seen[0]?.impMatches, seen[0]?.dmabuf]).toEqual([offers, dmabuf]);
    expect([attach.importerOps, dmabuf.attachments]).toEqual([revocable, [attach]]);
    rig.run(dmaBufDetach(dmabuf, attach));
    expect([steps.at(-1), dmabuf.attachments]).toEqual([`detach: ${NAME}`, []]);
  });

  it.each([Errno.ENOMEM, Errno.EIO, Errno.EOPNOTSUPP, Errno.ENODEV])(
    'that the exporter ends with errno %i ends the attach with it; nobody is asked further',
    (errno) => {
      const { rig, dmabuf, steps } = asked(() => -errno);
      const offers = [rangeListImporterMatch(rig.machine.near, true)];
      expect(rig.run(dmaBufMappingAttach(dmabuf, offers, revocable, null))).toEqual(failure(errno));
      expect([steps, dmabuf.attachments]).toEqual([NEGOTIATED, []]);
    },
  );

  it('counts for nothing when the exporter then refuses', () => {
    const { rig, dmabuf, steps } = asked(ranges, -Errno.EIO);
    const offers = [rangeListImporterMatch(rig.machine.near, true)];
    expect(errnoOf(rig.run(dmaBufMappingAttach(dmabuf, offers, revocable, 'x')))).toBe(Errno.EIO);
    expect([steps, dmabuf.attachments]).toEqual([[...NEGOTIATED, `attach: ${NAME}, x`], []]);
  });

  it('of an old importer has one offer, of tables, for the device and the word of its operations', () => {
    for (const attachBy of [attachOfStage3, dmaBufDynamicAttach]) {
      for (const [ops, word] of [
        [null, 'no-p2p'],
        [{ allowPeer2peer: false }, 'no-p2p'],
        [{ allowPeer2peer: true }, 'importer-accepts-p2p'],
      ] as const) {
        const { rig, dmabuf, seen } = asked(() => -INVAL);
        rig.run(attachBy(dmabuf, rig.machine.near, ops, null));
        expect(seen[0]?.impMatches).toEqual([sgtImporterMatch(rig.machine.near, word !== 'no-p2p')]);
        expect(seen[0]?.impMatches[0]).toMatchObject({
          importerAcceptsP2p: word satisfies DmaSgtRequiresP2p,
          expOps: null,
        });
      }
    }
  });
});

describe('what was agreed on', () => {
  it('stays for the life of the attachment, through mappings and invalidations', () => {
    const { rig, dmabuf } = asked(ranges);
    const offers = [rangeListImporterMatch(rig.machine.near, true)];
    const attach = goodValue(rig.run(dmaBufMappingAttach(dmabuf, offers, revocable, null)));
    const agreed = attach.mapType;
    for (let round = 0; round < 3; round += 1) {
      rig.locked(dmabuf, function* () {
        const list = goodValue(yield* dmaBufMapRangeList(attach as never, 'to-device'));
        yield* dmaBufInvalidateMappings(dmabuf);
        yield* dmaBufUnmapRangeList(attach as never, list, 'to-device');
      });
      expect(attach.mapType).toBe(agreed);
    }
    expect(dmaBufMappingShow(dmabuf)).toEqual([
      `${NAME}: near, exporter-requires-p2p-distance, importer-accepts-p2p`,
    ]);
  });

  it.each([
    ['tables', sgtExporterMatch, sgtImporterMatch],
    ['range lists', rangeListExporterMatch, rangeListImporterMatch],
  ] as const)(
    'of %s names the importing device and both words, never the exporting device',
    (_, exp, imp) => {
      const rig = new MappingRig({ iommu: true });
      const { near, pdev } = rig.machine;
      const expOps = { ...rig.tables, ...rig.ranges };
      const dmabuf = rig.export([exp(expOps, pdev)]);
      const attach = goodValue(rig.run(dmaBufMappingAttach(dmabuf, [imp(near, true)], revocable, null)));
      expect(attach.mapType).toMatchObject({
        expOps,
        importingDmaDevice: near,
        exportingP2pDevice: null,
        importerAcceptsP2p: 'importer-accepts-p2p',
        exporterRequiresP2p: 'exporter-requires-p2p-distance',
      });
      expect([attach.dev, attach.peer2peer]).toEqual([near, true]);
    },
  );
});

/** Offers of range lists for each of `devs`, in this order. */
const each = (...devs: readonly Device[]): DmaBufMappingMatch[] =>
  devs.map((dev) => rangeListImporterMatch(dev, true));

describe('the peer-to-peer condition', () => {
  it('passes over a device without a way and takes the importer’s next one', () => {
    const rig = new MappingRig({ iommu: true, listed: false });
    const { near, far, pdev } = rig.machine;
    const dmabuf = rig.export([rangeListExporterMatch(rig.ranges, pdev)]);
    const attach = goodValue(rig.run(dmaBufMappingAttach(dmabuf, each(far, near), revocable, null)));
    expect(attach.dev).toBe(near);
    expect(errnoOf(rig.run(dmaBufMappingAttach(dmabuf, each(far, far), revocable, null)))).toBe(INVAL);
  });

  it('with a way for both, the importer’s order decides', () => {
    const rig = new MappingRig({ iommu: true });
    const { near, far, pdev } = rig.machine;
    const dmabuf = rig.export([rangeListExporterMatch(rig.ranges, pdev)]);
    for (const [first, second] of [
      [near, far],
      [far, near],
    ] as const) {
      const offers = each(first, second);
      expect(goodValue(rig.run(dmaBufMappingAttach(dmabuf, offers, revocable, null))).dev).toBe(first);
    }
  });

  it('holds at distance 0: the exporting function imports its own memory', () => {
    const rig = new MappingRig({ iommu: true });
    const { near, pdev } = rig.machine;
    const self = new Device({
      name: 'self',
      platform: near.platform,
      requesterId: pdev.requesterId,
      isPci: true,
    });
    const dmabuf = rig.export([rangeListExporterMatch(rig.ranges, pdev)]);
    expect(goodValue(rig.run(dmaBufMappingAttach(dmabuf, each(self, near), revocable, null))).dev).toBe(self);
  });

  it('lets no device in that is not on PCI, save by an offer without the condition', () => {
    const rig = new MappingRig({ iommu: false });
    const { pdev } = rig.machine;
    const misc = new Device({ name: 'misc', platform: rig.machine.near.platform });
    const offers = each(misc);
    const strict = rangeListExporterMatch(rig.ranges, pdev);
    const moved = rangeListExporterMatch({ ...rig.ranges }, null);
    expect(errnoOf(rig.run(dmaBufMappingAttach(rig.export([strict]), offers, revocable, null)))).toBe(INVAL);
    const attach = rig.run(dmaBufMappingAttach(rig.export([strict, moved]), offers, revocable, null));
    expect(goodValue(attach).mapType.expOps).toBe(moved.expOps);
  });

  it('a device below a PCI function agrees by its parent’s distance, and finds no way when it maps', () => {
    const rig = new MappingRig({ iommu: false });
    const { near, pdev, provider } = rig.machine;
    class Child extends Device {
      readonly parent = near;
    }
    const child = new Child({ name: 'usb adapter', platform: near.platform });
    const dmabuf = rig.export([rangeListExporterMatch(rig.ranges, pdev)]);
    const attach = goodValue(rig.run(dmaBufMappingAttach(dmabuf, each(child), revocable, null)));
    expect(pciP2pdmaMapType(provider, child)).toBe('not-supported');
    const mapped = rig.locked(dmabuf, () => dmaBufMapRangeList(attach as never, 'to-device'));
    expect([errnoOf(mapped), rig.maps, rig.rules()]).toEqual([INVAL, 0, []]);
  });
});

describe('kinds that know no device', () => {
  const pal = palExporterMatch({
    *mapPhys() {
      yield { at: 'exporter:map' };
      return failure(Errno.EIO);
    },
    *unmapPhys() {},
  });

  it.each([
    ['first', [0, 1]],
    ['last', [1, 0]],
  ] as const)('go with every importer of them; standing %s with the exporter decides', (where, order) => {
    const rig = new MappingRig({ iommu: false });
    const offers = [pal, rangeListExporterMatch(rig.ranges, null)];
    const dmabuf = rig.export(order.map((at) => offers[at] as DmaBufMappingMatch));
    const mine = [rangeListImporterMatch(rig.machine.near, false), palImporterMatch];
    const attach = goodValue(rig.run(dmaBufMappingAttach(dmabuf, mine, revocable, null)));
    expect(attach.mapType.type === dmaBufMappingRangeListType).toBe(where === 'last');
  });
});

it('a range list over a peer is MMIO, over ordinary memory it is not', () => {
  for (const [where, iommu] of [
    ['near', true],
    ['far', true],
    ['far', false],
  ] as const) {
    const rig = new MappingRig({ iommu });
    const dmabuf = rig.export([rangeListExporterMatch(rig.ranges, rig.machine.pdev)]);
    const offers = each(rig.machine[where]);
    const attach = goodValue(rig.run(dmaBufMappingAttach(dmabuf, offers, revocable, null)));
    rig.locked(dmabuf, function* () {
      const list: DmaRangeList = goodValue(yield* dmaBufMapRangeList(attach as never, 'to-device'));
      expect(list.attrs).toEqual({ mmio: true });
      yield* dmaBufUnmapRangeList(attach as never, list, 'to-device');
    });
  }
});

it('pinning, processor access, kernel and user mappings reach an exporter with mapping types', () => {
  const rig = new MappingRig({ iommu: false });
  const calls: string[] = [];
  const map = {};
  const noted = <T>(call: string, result: T) =>
    function* (): ModelTask<T> {
      yield { at: `exporter:${call}` };
      calls.push(call);
      return result;
    };
  const dmabuf = goodValue(
    rig.exportWith({
      singleExporterMatch: rangeListExporterMatch(rig.ranges, null),
      release: noted('release', undefined),
      pin: noted('pin', 0),
      unpin: noted('unpin', undefined),
      beginCpuAccess: noted('begin', -Errno.EIO),
      endCpuAccess: noted('end', -Errno.ENODEV),
      mmap: noted('mmap', -Errno.EACCES),
      vmap: noted<Outcome<object>>('vmap', success(map)),
      vunmap: noted('vunmap', undefined),
    }),
  );
  const offers = [rangeListImporterMatch(rig.machine.near, false)];
  const attach = goodValue(rig.run(dmaBufMappingAttach(dmabuf, offers, revocable, null)));
  rig.locked(dmabuf, function* () {
    expect(yield* dmaBufPin(attach)).toBe(0);
    yield* dmaBufUnpin(attach);
    expect(goodValue(yield* dmaBufVmap(dmabuf))).toBe(map);
    yield* dmaBufVunmap(dmabuf, map);
  });
  expect(rig.run(dmaBufBeginCpuAccess(dmabuf, 'to-device'))).toBe(-Errno.EIO);
  expect(rig.run(dmaBufEndCpuAccess(dmabuf, 'to-device'))).toBe(-Errno.ENODEV);
  rig.run(dmaBufMmap(dmabuf, { pageOffset: 0, pages: 1 }));
  expect(calls).toEqual(['pin', 'unpin', 'vmap', 'vunmap', 'begin', 'end', 'mmap']);
});

it('a static importer of range lists pins before it maps and unpins after', () => {
  const rig = new MappingRig({ iommu: false });
  const calls: string[] = [];
  const note = (call: string) =>
    function* (): ModelTask<number> {
      yield { at: `exporter:${call}` };
      return calls.push(`${call}, ${rig.maps} mapped`) * 0;
    };
  const dmabuf = goodValue(
    rig.exportWith({
      singleExporterMatch: rangeListExporterMatch(rig.ranges, null),
      *release() {},
      pin: note('pin'),
      *unpin() {
        yield* note('unpin')();
      },
    }),
  );
  const offers = [rangeListImporterMatch(rig.machine.near, false)];
  const attach = goodValue(rig.run(dmaBufMappingAttach(dmabuf, offers, null, null)));
  rig.locked(dmabuf, function* () {
    const list = goodValue(yield* dmaBufMapRangeList(attach as never, 'to-device'));
    yield* dmaBufUnmapRangeList(attach as never, list, 'to-device');
  });
  expect(calls).toEqual(['pin, 0 mapped', 'unpin, 0 mapped']);
});

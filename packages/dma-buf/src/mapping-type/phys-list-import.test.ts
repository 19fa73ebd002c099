// Physical lists: what is refused as none, and who may map one.
import { addOffset, type ModelTask, physAddr } from '@sgfree/hw-model';
import { Errno, failure, success } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { errnoOf, goodValue, MappingRig } from '../../test/mapping-rig.ts';
import type { DmaBufAttachment } from '../buffer/dma-buf-attachment.ts';
import type { PhysVec } from '../phys-vec.ts';
import { dmaBufMappingAttach } from './mapping-attach.ts';
import { dmaBufPalMapPhys, dmaBufPalUnmapPhys, palImporterMatch } from './phys-list-import.ts';
import { type DmaBufPhysList, palExporterMatch } from './phys-list-type.ts';
import { rangeListExporterMatch, rangeListImporterMatch } from './range-list-type.ts';

const ops = { allowPeer2peer: true };

/** A buffer of four pages whose exporter hands out `phys`, and how many lists are out. */
function exported(phys: readonly PhysVec[] | null) {
  const rig = new MappingRig({ iommu: true }, [[0, 0x4000]]);
  const out = { lists: 0 };
  const offer = palExporterMatch({
    *mapPhys() {
      yield { at: 'exporter:map' };
      if (phys === null) return failure(Errno.ENODEV);
      out.lists += 1;
      return success({ phys });
    },
    *unmapPhys(): ModelTask<void> {
      yield { at: 'exporter:unmap' };
      out.lists -= 1;
    },
  });
  const dmabuf = rig.export([offer, rangeListExporterMatch(rig.ranges, null)]);
  const attach = goodValue(rig.run(dmaBufMappingAttach(dmabuf, [palImporterMatch], ops, null)));
  return { rig, dmabuf, out, attach: attach as DmaBufAttachment<DmaBufPhysList> };
}

const at = (offset: number, len: number): PhysVec => ({
  paddr: addOffset(physAddr(0xc0000000), offset),
  len,
});

describe('a list', () => {
  const rows: { key: string; phys: PhysVec[] | null; errno: number }[] = [
    { key: 'one-range', phys: [at(0, 0x4000)], errno: 0 },
    { key: 'a-range-for-each-page', phys: [0, 1, 2, 3].map((page) => at(page * 0x2000, 0x1000)), errno: 0 },
    { key: 'overlap', phys: [at(0, 0x2000), at(0x1000, 0x2000)], errno: 0 },
    { key: 'refused', phys: null, errno: Errno.ENODEV },
    { key: 'empty', phys: [], errno: Errno.EINVAL },
    { key: 'zero-length', phys: [at(0, 0x4000), at(0x8000, 0)], errno: Errno.EINVAL },
    { key: 'unaligned-address', phys: [at(8, 0x4000)], errno: Errno.EINVAL },
    { key: 'unaligned-length', phys: [at(0, 0x3800), at(0x8000, 0x800)], errno: Errno.EINVAL },
    { key: 'shorter-than-the-buffer', phys: [at(0, 0x3000)], errno: Errno.EINVAL },
    { key: 'longer-than-the-buffer', phys: [at(0, 0x5000)], errno: Errno.EINVAL },
  ];
  it.each(rows)('$key', ({ phys, errno }) => {
    const { rig, dmabuf, out, attach } = exported(phys);
    rig.locked(dmabuf, function* () {
      const list = yield* dmaBufPalMapPhys(attach);
      expect([errnoOf(list), out.lists]).toEqual([errno, errno === 0 ? 1 : 0]);
      if (!list.ok) return;
      expect(list.value.phys).toEqual(phys);
      yield* dmaBufPalUnmapPhys(attach, list.value);
    });
    expect(out.lists).toBe(0);
    expect(rig.rules()).toEqual(errno === Errno.EINVAL ? ['dma-buf-phys-list'] : []);
  });
});

it('is not for an attachment that agreed on something else, and needs the lock', () => {
  const { rig, dmabuf, out, attach } = exported([at(0, 0x4000)]);
  const offer = rangeListImporterMatch(rig.machine.near, true);
  const other = goodValue(rig.run(dmaBufMappingAttach(dmabuf, [offer], ops, null)));
  const refused = rig.locked(dmabuf, () => dmaBufPalMapPhys(other as DmaBufAttachment<DmaBufPhysList>));
  expect([errnoOf(refused), out.lists, rig.rules()]).toEqual([Errno.EINVAL, 0, ['dma-buf-no-phys-list']]);
  expect(rig.run(dmaBufPalMapPhys(attach)).ok).toBe(true);
  expect(rig.rules()).toContain('dma-buf-lock-needed');
});

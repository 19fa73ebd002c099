// Every abuse is found under the flavour that contains it, and none under an exporter that has none.
import { type DmaBuf, type DmaBufAttachment, dmaBufDetach, dmaBufPut, type PhysVec } from '@sgfree/dma-buf';
import {
  dmaBufFreeSgt,
  dmaBufMapAttachmentUnlocked,
  dmaBufPhysVecToSgt,
  dmaBufUnmapAttachmentUnlocked,
} from '@sgfree/dma-buf/sgt';
import { type DmaBufOps, dmaBufDynamicAttach } from '@sgfree/dma-buf/stage-6';
import { dmaMapResource, dmaUnmapResource } from '@sgfree/dma-core';
import {
  dmaMapSgtable,
  dmaUnmapSgtable,
  NO_PAGE,
  SgTable,
  sgAllocTable,
  sgFreeTable,
  sgSetPage,
} from '@sgfree/dma-sg';
import { type DmaAddr, EventLog, PAGE_SIZE } from '@sgfree/hw-model';
import { type Outcome, success } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { GpuMachine, type GpuMachineOptions } from '../../test/gpu-machine.ts';
import { RangeImporter } from '../../test/range-importer.ts';
import { amdgpuDmaBufOps } from '../legacy/amdgpu-exporter.ts';
import { xeDmaBufOps } from '../legacy/xe-exporter.ts';
import { exportBoMappings } from '../mapping/export-mappings.ts';
import { gpuMappingOps } from '../mapping/gpu-mapping-ops.ts';
import { watchedMappingOps } from '../mapping/watched-mapping-ops.ts';
import { exportBo } from '../objects/export-bo.ts';
import type { GpuBo, GpuBoSpec } from '../objects/gpu-bo.ts';
import { moveBo } from '../objects/move-bo.ts';
import { createBo, destroyBo } from '../objects/place-bo.ts';
import { AbuseWatch } from './abuse-watch.ts';
import type { GpuAbuseName } from './gpu-abuse.ts';

const BYTES = 8 * PAGE_SIZE;
type Flavour = (bo: GpuBo) => DmaBufOps<SgTable>;
const flavours = [
  ['amdgpu', amdgpuDmaBufOps],
  ['xe', xeDmaBufOps],
] as const;

const good = <T>(outcome: Outcome<T>): T => {
  if (!outcome.ok) throw new RangeError(`errno ${outcome.errno}`);
  return outcome.value;
};

function object(options: GpuMachineOptions, spec: Partial<GpuBoSpec>): { machine: GpuMachine; bo: GpuBo } {
  const machine = new GpuMachine(options);
  const wanted = { name: 'watched', bytes: BYTES, placements: ['vram', 'tt'], ...spec } as const;
  return { machine, bo: good(machine.do(createBo(machine.card, wanted))) };
}

interface Watched {
  readonly machine: GpuMachine;
  readonly bo: GpuBo;
  readonly watch: AbuseWatch;
  readonly dmabuf: DmaBuf<SgTable>;
}

function watched(flavour: Flavour, options: GpuMachineOptions = {}, spec: Partial<GpuBoSpec> = {}): Watched {
  const { machine, bo } = object(options, spec);
  const watch = new AbuseWatch(machine.log);
  return { machine, bo, watch, dmabuf: good(exportBo(bo, watch.watchedOps(bo, flavour(bo)))) };
}

/** One importer maps, `between` happens, and it unmaps; what was found. */
function mapped(
  { machine, watch, dmabuf }: Watched,
  place: 'near' | 'far',
  peer: boolean,
  between = (): void => {},
): Partial<Record<GpuAbuseName, number>> {
  const ops = { allowPeer2peer: peer, *invalidateMappings() {} };
  const attach: DmaBufAttachment<SgTable> = good(
    machine.do(dmaBufDynamicAttach(dmabuf, machine[place], ops, null)),
  );
  const table = good(machine.do(dmaBufMapAttachmentUnlocked(attach, 'bidirectional')));
  between();
  machine.do(dmaBufUnmapAttachmentUnlocked(attach, table, 'bidirectional'));
  machine.do(dmaBufDetach(dmabuf, attach));
  return watch.counts;
}

describe.each(flavours)('%s', (name, flavour) => {
  const placement = name === 'amdgpu' ? { 'unmap-by-current-placement': 1 } : {};

  describe.each([false, true])('with an IOMMU: %s', (iommu) => {
    it('tables of VRAM for a peer below the same switch', () => {
      const all = watched(flavour, { iommu }, { mostBlockBytes: 2 * PAGE_SIZE });
      expect(mapped(all, 'near', true)).toEqual({
        'null-page-scatterlist': 1,
        'page-pointer-as-type-tag': 1,
        'ignoring-p2p-bus-addressing': 1,
        ...placement,
      });
      expect(all.watch.found[0]).toEqual({
        name: 'null-page-scatterlist',
        object: 'watched',
        device: 'near',
        detail: '4 of 4 entries',
      });
    });

    it('a peer behind the host bridge needs no bus address', () => {
      const all = watched(flavour, { iommu });
      expect(mapped(all, 'far', true)).toEqual({
        'null-page-scatterlist': 1,
        'page-pointer-as-type-tag': 1,
        ...placement,
      });
    });

    it('pages are told by the first of them, and unmapped with other attributes than they were mapped with', () => {
      const all = watched(flavour, { iommu });
      expect(mapped(all, 'near', false)).toEqual({ 'page-pointer-as-type-tag': 1, 'attribute-mismatch': 1 });
      expect(all.watch.found.map(({ detail }) => detail)).toEqual([
        'reads of the page: 1',
        'SKIP_CPU_SYNC at map, none at unmap',
      ]);
    });
  });

  it('nothing is left behind by a watched exporter', () => {
    const all = watched(flavour, { iommu: true });
    mapped(all, 'near', true);
    all.machine.do(dmaBufPut(all.dmabuf));
    all.machine.do(destroyBo(all.bo));
    expect(all.machine.inUse).toEqual({ pages: 0, vram: 0, entries: 0, ranges: 0 });
  });
});

describe('amdgpu chooses how to unmap by where the object lies by then', () => {
  it('also when it has moved since', () => {
    const all = watched(amdgpuDmaBufOps);
    const { machine, bo, watch } = all;
    mapped(all, 'near', true, () => {
      expect(machine.do(machine.held(bo, () => moveBo(bo, 'tt')))).toBe(0);
    });
    const [found] = watch.found.filter((abuse) => abuse.name === 'unmap-by-current-placement');
    expect(found?.detail).toBe('mapped in vram, now in tt');
  });

  it.each(['near', 'far'] as const)('the page of registers, for a peer %s that rings it', (place) => {
    const all = watched(amdgpuDmaBufOps, { iommu: true }, { bytes: PAGE_SIZE, placements: ['mmio-remap'] });
    const { machine, bo } = all;
    const ops = { allowPeer2peer: true };
    const attach: DmaBufAttachment<SgTable> = good(
      machine.do(dmaBufDynamicAttach(all.dmabuf, machine[place], ops, null)),
    );
    const table = good(machine.do(dmaBufMapAttachmentUnlocked(attach, 'bidirectional')));
    const bell = Uint8Array.of(1, 2, 3, 4);
    expect(machine.peerWrites(machine[place], (table.list.dmaAddress[0] ?? 0) as never, bell)).toBe(
      'success',
    );
    const rung = new Uint8Array(4);
    machine.gpu.registers?.mmioRead(0, rung);
    expect(rung).toEqual(bell);
    expect(machine.do(machine.held(bo, () => moveBo(bo, 'tt')))).toBe(-22);
    machine.do(dmaBufUnmapAttachmentUnlocked(attach, table, 'bidirectional'));
    expect(all.watch.count('unmap-by-current-placement')).toBe(1);
    machine.do(dmaBufDetach(all.dmabuf, attach));
    machine.do(dmaBufPut(all.dmabuf));
    machine.do(destroyBo(bo));
    expect(machine.inUse).toEqual({ pages: 0, vram: 0, entries: 0, ranges: 0 });
  });
});

/** An exporter that names no page, says so, and goes by its own table; pages with the same attributes both ways. */
const cleanOps: Flavour = (bo) => ({
  *mapDmaBuf(attach, dir) {
    yield { at: 'clean:map' };
    const { resource, card, bytes } = bo;
    if (resource.kind === 'vram') {
      const ranges = resource.blocks.map(
        ({ offset, bytes: len }): PhysVec => ({ paddr: card.vramPhys(offset), len }),
      );
      return dmaBufPhysVecToSgt(attach, card.provider, ranges, bytes, dir);
    }
    const table = new SgTable();
    if (resource.kind === 'tt') {
      sgAllocTable(table, resource.frames.length);
      for (const [sg, frame] of resource.frames.entries()) sgSetPage(table.list, sg, frame, PAGE_SIZE, 0);
      dmaMapSgtable(attach.dev, table, dir, {});
    }
    return success(table);
  },
  *unmapDmaBuf(attach, table, dir) {
    yield { at: 'clean:unmap' };
    if (table.segmentCount === 0) {
      dmaBufFreeSgt(attach, table, dir);
      return;
    }
    dmaUnmapSgtable(attach.dev, table, dir, {});
    sgFreeTable(table);
  },
  *release() {},
});

/** As it, with `during` done in the middle of each mapping and of each unmapping. */
const cleanAnd =
  (during: (at: 'map' | 'unmap', bo: GpuBo, table: SgTable | null) => void): Flavour =>
  (bo) => {
    const clean = cleanOps(bo);
    return {
      ...clean,
      *mapDmaBuf(attach, dir) {
        yield { at: 'busy:map' };
        during('map', bo, null);
        return yield* clean.mapDmaBuf(attach, dir);
      },
      *unmapDmaBuf(attach, table, dir) {
        yield { at: 'busy:unmap' };
        during('unmap', bo, table);
        yield* clean.unmapDmaBuf(attach, table, dir);
      },
    };
  };

describe('an exporter without abuses', () => {
  it.each([
    [false, 'near'],
    [false, 'far'],
    [true, 'near'],
    [true, 'far'],
  ] as const)('of tables is not accused: IOMMU %s, peer %s', (iommu, place) => {
    for (const placements of [['vram'], ['tt']] as const)
      expect(mapped(watched(cleanOps, { iommu }, { placements }), place, true)).toEqual({});
  });

  it.each([
    [false, 'near'],
    [false, 'far'],
    [true, 'near'],
    [true, 'far'],
  ] as const)('of mapping types is not accused: IOMMU %s, peer %s', (iommu, place) => {
    const { machine, bo } = object({ iommu }, {});
    const watch = new AbuseWatch(machine.log);
    const dmabuf = good(exportBoMappings(bo, watchedMappingOps(bo, gpuMappingOps(bo), watch)));
    const importer = new RangeImporter(machine, machine[place]);
    expect(machine.do(importer.join(dmabuf))).toBe(0);
    for (const kind of ['vram', 'tt'] as const) {
      expect(machine.do(importer.access(new Uint8Array(BYTES), 'write'))).toBe(0);
      expect(bo.resource.kind).toBe(kind);
      if (kind === 'vram') expect(machine.do(machine.held(bo, () => moveBo(bo, 'tt')))).toBe(0);
    }
    machine.do(importer.leave());
    expect([watch.found, importer.told]).toEqual([[], 1]);
  });

  it.each([
    ['in VRAM, for a peer that is reached by bus addresses', 'vram'],
    ['in pages that are mapped with no attribute', 'tt'],
  ] as const)('is not accused of what it does for another device meanwhile: %s', (_, placement) => {
    const pages = new SgTable();
    let bell: DmaAddr | -1 = -1;
    const busy = cleanAnd((at, { card }) => {
      const { far } = all.machine;
      if (at === 'unmap') {
        dmaUnmapResource(far, bell as DmaAddr, PAGE_SIZE, 'bidirectional', {});
        dmaUnmapSgtable(far, pages, 'bidirectional', { skipCpuSync: true });
        return;
      }
      bell = dmaMapResource(far, card.vramPhys(0), PAGE_SIZE, 'bidirectional', {});
      sgAllocTable(pages, 1);
      sgSetPage(pages.list, 0, card.pages.allocPages(0), PAGE_SIZE, 0);
      expect(dmaMapSgtable(far, pages, 'bidirectional', { skipCpuSync: true })).toBe(0);
    });
    const all = watched(busy, { iommu: true }, { placements: [placement] });
    expect(mapped(all, 'near', placement === 'vram')).toEqual({});
    expect(bell).toBeGreaterThan(0);
  });

  it.each([
    ['tt', 'before it calls the DMA API', { 'page-pointer-as-type-tag': 1 }],
    ['vram', 'before it calls the DMA API', { 'page-pointer-as-type-tag': 1 }],
    // The DMA API looks at pages as well; where there are none nobody has to look.
    ['tt', 'after', {}],
    ['vram', 'after', { 'page-pointer-as-type-tag': 1 }],
  ] as const)('is accused when it looks at the page of a table of %s %s: %o', (placement, when, counts) => {
    const seen: unknown[] = [];
    const reader = cleanAnd((at, { card }, table) => {
      if (at === 'map') return;
      if (when === 'after') {
        const bell = dmaMapResource(card.dev, card.vramPhys(0), PAGE_SIZE, 'to-device', {});
        dmaUnmapResource(card.dev, bell as DmaAddr, PAGE_SIZE, 'to-device', {});
      }
      seen.push(table?.list.pageFrame[0]);
    });
    expect(mapped(watched(reader, {}, { placements: [placement] }), 'near', true)).toEqual(counts);
    expect(seen).toEqual([placement === 'tt' ? expect.any(Number) : NO_PAGE]);
  });

  it('is accused when it reads where the object lies', () => {
    const reader: Flavour = (bo) => ({
      ...cleanOps(bo),
      *unmapDmaBuf(attach, table, dir) {
        if (bo.resource.bytes > 0) yield* cleanOps(bo).unmapDmaBuf(attach, table, dir);
      },
    });
    expect(mapped(watched(reader), 'near', true)).toEqual({ 'unmap-by-current-placement': 1 });
  });
});

it('needs a log', () => {
  expect(() => new AbuseWatch(new EventLog())).toThrow(expect.objectContaining({ name: 'InternalError' }));
});

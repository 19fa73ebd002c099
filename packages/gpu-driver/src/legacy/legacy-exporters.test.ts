// The two exporters of today, with importers that really read and write what the table says.
import {
  type DmaBuf,
  type DmaBufAttachment,
  type DmaBufAttachOps,
  DmaResvUsage,
  dmaBufDetach,
  dmaBufPin,
  dmaBufPut,
  dmaBufUnpin,
  dmaResvLock,
  dmaResvUnlock,
  dmaResvWaitTimeout,
  MAX_SCHEDULE_TIMEOUT,
} from '@sgfree/dma-buf';
import {
  dmaBufMapAttachment,
  dmaBufMapAttachmentUnlocked,
  dmaBufUnmapAttachment,
  dmaBufUnmapAttachmentUnlocked,
  sgtRanges,
} from '@sgfree/dma-buf/sgt';
import { dmaBufAttach, dmaBufDynamicAttach } from '@sgfree/dma-buf/stage-6';
import type { Device } from '@sgfree/dma-core';
import type { SgTable } from '@sgfree/dma-sg';
import { addOffset, type ModelTask, PAGE_SIZE } from '@sgfree/hw-model';
import { Errno, failure, type Outcome } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { GpuMachine, type GpuMachineOptions } from '../../test/gpu-machine.ts';
import type { VramResource } from '../memory/gpu-resource.ts';
import { exportBo } from '../objects/export-bo.ts';
import type { GpuBo, GpuBoSpec } from '../objects/gpu-bo.ts';
import { moveBo } from '../objects/move-bo.ts';
import { createBo, destroyBo } from '../objects/place-bo.ts';
import { amdgpuDmaBufOps } from './amdgpu-exporter.ts';
import { xeDmaBufOps } from './xe-exporter.ts';

const BYTES = 64 * PAGE_SIZE;
const flavours = [
  ['amdgpu', amdgpuDmaBufOps],
  ['xe', xeDmaBufOps],
] as const;

const outcomeValue = <T>(outcome: Outcome<T>): T => {
  if (!outcome.ok) throw new Error(`errno ${outcome.errno}`);
  return outcome.value;
};
const pattern = (key: number): Uint8Array =>
  Uint8Array.from({ length: BYTES }, (_, at) => (at * 7 + Math.floor(at / 100) + key) & 0xff);
const differs = (found: Uint8Array, wanted: Uint8Array): number =>
  found.findIndex((byte, at) => byte !== wanted[at]);

/** A dynamic importer: it drops its table when told and maps again when asked. */
class Importer {
  readonly machine: GpuMachine;
  readonly dev: Device;
  attach!: DmaBufAttachment<SgTable>;
  table: SgTable | null = null;
  told = 0;

  constructor(machine: GpuMachine, dev: Device) {
    this.machine = machine;
    this.dev = dev;
  }

  join(dmabuf: DmaBuf<SgTable>, allowPeer2peer = true): number {
    const ops: DmaBufAttachOps<SgTable> = {
      allowPeer2peer,
      invalidateMappings: (attach) => this.#drop(attach),
    };
    const made = this.machine.do(dmaBufDynamicAttach(dmabuf, this.dev, ops, this));
    if (made.ok) this.attach = made.value;
    return made.ok ? 0 : -made.errno;
  }

  *#drop(attach: DmaBufAttachment<SgTable>): ModelTask<void> {
    this.told += 1;
    if (this.table !== null) yield* dmaBufUnmapAttachment(attach, this.table, 'bidirectional');
    this.table = null;
  }

  *map(): ModelTask<Outcome<SgTable>> {
    const { resv } = this.attach.dmabuf;
    yield* dmaResvLock(resv);
    const mapped = yield* dmaBufMapAttachment(this.attach, 'bidirectional');
    if (mapped.ok) this.table = mapped.value;
    yield* dmaResvWaitTimeout(resv, DmaResvUsage.KERNEL, false, MAX_SCHEDULE_TIMEOUT);
    dmaResvUnlock(resv);
    return mapped;
  }

  *leave(): ModelTask<void> {
    if (this.table !== null) yield* dmaBufUnmapAttachmentUnlocked(this.attach, this.table, 'bidirectional');
    this.table = null;
    yield* dmaBufDetach(this.attach.dmabuf, this.attach);
  }

  read(): Uint8Array {
    const all = new Uint8Array(BYTES);
    let at = 0;
    for (const { address, bytes } of sgtRanges(this.table as SgTable)) {
      expect(this.machine.peerReads(this.dev, address, all.subarray(at, at + bytes))).toBe('success');
      at += bytes;
    }
    expect(at).toBe(BYTES);
    return all;
  }

  write(from: Uint8Array): void {
    let at = 0;
    for (const { address, bytes } of sgtRanges(this.table as SgTable)) {
      expect(this.machine.peerWrites(this.dev, address, from.subarray(at, at + bytes))).toBe('success');
      at += bytes;
    }
  }
}

function shared(
  flavour: (typeof flavours)[number][1],
  options: GpuMachineOptions = {},
  spec: Partial<GpuBoSpec> = {},
): { machine: GpuMachine; bo: GpuBo; dmabuf: DmaBuf<SgTable> } {
  const machine = new GpuMachine(options);
  const wanted = { name: 'shared', bytes: BYTES, placements: ['vram', 'tt'], ...spec } as const;
  const bo = outcomeValue(machine.do(createBo(machine.card, wanted)));
  return { machine, bo, dmabuf: outcomeValue(exportBo(bo, flavour(bo))) };
}

function ended(machine: GpuMachine, bo: GpuBo, dmabuf: DmaBuf<SgTable>): void {
  machine.do(dmaBufPut(dmabuf));
  expect(bo.dmabuf).toBeNull();
  machine.do(destroyBo(bo));
  expect(machine.inUse).toEqual({ pages: 0, vram: 0, entries: 0, ranges: 0 });
  expect(machine.card.runtimeRefs).toBe(0);
}

describe.each(flavours)('%s', (name, flavour) => {
  describe.each([false, true])('with an IOMMU: %s', (iommu) => {
    it.each(['near', 'far'] as const)('a peer %s reads and writes VRAM, and follows a move', (place) => {
      const { machine, bo, dmabuf } = shared(flavour, { iommu }, { mostBlockBytes: 8 * PAGE_SIZE });
      const importer = new Importer(machine, machine[place]);
      machine.fill(bo, pattern(1));
      expect(importer.join(dmabuf)).toBe(0);
      expect(importer.attach.peer2peer).toBe(true);
      expect(machine.do(importer.map()).ok).toBe(true);
      expect(bo.resource.kind).toBe('vram');
      expect(importer.table?.mappedCount).toBe(8);
      expect(differs(importer.read(), pattern(1))).toBe(-1);
      importer.write(pattern(2));
      expect(differs(machine.bytesOf(bo), pattern(2))).toBe(-1);
      expect(machine.do(machine.held(bo, () => moveBo(bo, 'tt')))).toBe(0);
      expect([importer.told, importer.table]).toEqual([1, null]);
      expect(machine.do(importer.map()).ok).toBe(true);
      expect(bo.resource.kind).toBe('tt');
      expect(differs(importer.read(), pattern(2))).toBe(-1);
      machine.do(importer.leave());
      ended(machine, bo, dmabuf);
    });

    it('an importer that takes no peer memory, and a static one, get system memory', () => {
      const { machine, bo, dmabuf } = shared(flavour, { iommu });
      machine.fill(bo, pattern(3));
      const importer = new Importer(machine, machine.near);
      expect(importer.join(dmabuf, false)).toBe(0);
      expect(machine.do(importer.map()).ok).toBe(true);
      expect(bo.resource.kind).toBe('tt');
      expect(differs(importer.read(), pattern(3))).toBe(-1);
      machine.do(importer.leave());
      const attach = outcomeValue(machine.do(dmaBufAttach(dmabuf, machine.far)));
      const table = outcomeValue(machine.do(dmaBufMapAttachmentUnlocked(attach, 'bidirectional')));
      expect([bo.resource.kind, bo.pinCount]).toEqual(['tt', 1]);
      machine.do(dmaBufUnmapAttachmentUnlocked(attach, table, 'bidirectional'));
      expect(bo.pinCount).toBe(0);
      machine.do(dmaBufDetach(dmabuf, attach));
      ended(machine, bo, dmabuf);
    });
  });

  it('a peer behind an unlisted bridge is moved to system memory, or refused when there is no way', () => {
    const { machine, bo, dmabuf } = shared(flavour, { listed: false });
    const importer = new Importer(machine, machine.far);
    expect(importer.join(dmabuf)).toBe(0);
    expect(importer.attach.peer2peer).toBe(false);
    expect(machine.do(importer.map()).ok).toBe(true);
    expect(bo.resource.kind).toBe('tt');
    machine.do(importer.leave());
    ended(machine, bo, dmabuf);
    const stuck = shared(flavour, { listed: false }, { placements: ['vram'] });
    const other = new Importer(stuck.machine, stuck.machine.far);
    expect(other.join(stuck.dmabuf)).toBe(name === 'xe' ? -95 : 0);
  });

  it('a pin in VRAM needs every importer to take a peer', () => {
    const { machine, bo, dmabuf } = shared(flavour);
    const [one, other] = [new Importer(machine, machine.near), new Importer(machine, machine.far)];
    one.join(dmabuf);
    const pin = () => machine.do(machine.held(bo, () => dmaBufPin(one.attach)));
    expect(pin()).toBe(0);
    expect([bo.resource.kind, bo.pinCount]).toEqual(['vram', 1]);
    other.join(dmabuf, false);
    expect(pin()).toBe(-22);
    expect(bo.pinCount).toBe(1);
    machine.do(machine.held(bo, () => dmaBufUnpin(one.attach)));
    expect(pin()).toBe(0);
    expect(bo.resource.kind).toBe('tt');
  });

  it('objects of user memory and of one address space are not exported', () => {
    const machine = new GpuMachine();
    for (const own of [{ userptr: true }, { vmPrivate: true }]) {
      const spec = { name: 'own', bytes: BYTES, placements: ['tt'], ...own } as const;
      const bo = outcomeValue(machine.do(createBo(machine.card, spec)));
      expect(exportBo(bo, flavour(bo))).toEqual({ ok: false, errno: 1 });
    }
  });
});

it('xe refuses VRAM that the BAR does not show; amdgpu moves it to where it does', () => {
  for (const [name, flavour] of flavours) {
    const { machine, bo, dmabuf } = shared(flavour, { visibleBytes: 2 ** 19 });
    machine.fill(bo, pattern(4));
    const importer = new Importer(machine, machine.near);
    importer.join(dmabuf);
    const mapped = machine.do(importer.map());
    if (name === 'xe') {
      expect(mapped).toEqual({ ok: false, errno: 95 });
      continue;
    }
    expect(differs(importer.read(), pattern(4))).toBe(-1);
    expect(bo.resource.kind).toBe('vram');
  }
});

it('a compressed object of amdgpu is never shared in VRAM', () => {
  const { machine, bo, dmabuf } = shared(amdgpuDmaBufOps, {}, { compressed: true });
  const importer = new Importer(machine, machine.near);
  importer.join(dmabuf);
  expect(importer.attach.peer2peer).toBe(false);
  machine.do(importer.map());
  expect(bo.resource.kind).toBe('tt');
});

it('amdgpu pins an object that may not lie in VRAM in system memory, whoever its importers are', () => {
  const { machine, bo, dmabuf } = shared(amdgpuDmaBufOps, {}, { placements: ['tt'] });
  const importer = new Importer(machine, machine.near);
  importer.join(dmabuf);
  expect(machine.do(machine.held(bo, () => dmaBufPin(importer.attach)))).toBe(0);
  expect([bo.resource.kind, bo.pinCount]).toEqual(['tt', 1]);
});

it.each(flavours)('no entry of a table of %s is longer than a segment of the importer', (_, flavour) => {
  const { machine, dmabuf } = shared(flavour, {}, { placements: ['tt'] });
  machine.near.maxSegmentSize = 4 * PAGE_SIZE;
  const importer = new Importer(machine, machine.near);
  importer.join(dmabuf);
  machine.do(importer.map());
  const lengths = [...sgtRanges(importer.table as SgTable)].map(({ bytes }) => bytes);
  expect(lengths).toEqual(Array.from({ length: 16 }, () => 4 * PAGE_SIZE));
});

const GIB = 2 ** 30;

describe.each(flavours)('objects of %s that are longer than an entry may be', (_, flavour) => {
  it.each([
    ['a whole entry', 2, [2]],
    ['one block of two', 4, [2, 2]],
    ['blocks of 4, 2 and 1 GiB', 7, [2, 2, 2, 1]],
  ] as const)('%s', (_name, size, entries) => {
    const bytes = size * GIB;
    const { machine, bo, dmabuf } = shared(flavour, { vramBytes: 8 * GIB }, { bytes, placements: ['vram'] });
    const importer = new Importer(machine, machine.near);
    importer.join(dmabuf);
    const { list } = outcomeValue(machine.do(importer.map()));
    const lengths = list.dmaLength.subarray(0, list.entryCount);
    expect([...lengths]).toEqual(entries.map((each) => each * GIB));
    const { blocks } = bo.resource as VramResource;
    const places = blocks.flatMap(({ offset, bytes: all }) =>
      Array.from({ length: Math.ceil(all / (2 * GIB)) }, (_, at) => offset + 2 * GIB * at),
    );
    for (const [at, { address, bytes: length }] of [...sgtRanges(importer.table as SgTable)].entries()) {
      for (const [place, where] of [0, length - 4].entries()) {
        const mark = Uint8Array.of(1, at, place, 4);
        expect(machine.peerWrites(machine.near, addOffset(address, where), mark)).toBe('success');
        const found = new Uint8Array(4);
        machine.gpu.vram.mmioRead((places[at] ?? 0) + where, found);
        expect(found).toEqual(mark);
      }
    }
    machine.do(importer.leave());
    ended(machine, bo, dmabuf);
  });
});

it.each(
  flavours.flatMap(
    ([name, flavour]) =>
      [
        { name, flavour, cause: 'no range of DMA addresses', spent: 'allowedRanges', errno: Errno.EBUSY },
        { name, flavour, cause: 'no memory for the table', spent: 'allowed', errno: Errno.ENOMEM },
      ] as const,
  ),
)('$name: $cause for a table of pages', ({ flavour, spent, errno }) => {
  const { machine, bo, dmabuf } = shared(flavour, { iommu: true }, { placements: ['tt'] });
  const importer = new Importer(machine, machine.near);
  importer.join(dmabuf);
  const { inUse } = machine;
  machine[spent] = 0;
  expect(machine.do(importer.map())).toEqual(failure(errno));
  expect(machine.inUse).toEqual(inUse);
  machine[spent] = -1;
  expect(machine.do(importer.map()).ok).toBe(true);
  machine.do(importer.leave());
  ended(machine, bo, dmabuf);
});

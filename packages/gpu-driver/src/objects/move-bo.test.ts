// Buffer objects that move: their bytes arrive, fences are waited for, importers are told, and nothing is left.
import {
  DmaFence,
  DmaResvUsage,
  dmaFenceSignal,
  dmaResvAddFence,
  dmaResvReserveFences,
} from '@sgfree/dma-buf';
import { describe, expect, it } from 'vitest';
import { GpuMachine } from '../../test/gpu-machine.ts';
import type { GpuBo, GpuBoSpec } from './gpu-bo.ts';
import { moveBo } from './move-bo.ts';
import { createBo, destroyBo, pinBo, unpinBo, validateBo } from './place-bo.ts';

const MIB = 2 ** 20;
const KIB256 = MIB / 4;
const PAGE = 4096;
const pattern = (bytes: number, key: number): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, at) => (Math.floor(at / 64) * 31 + at * 7 + key) & 0xff);

/** Index of the first byte that is not as expected; -1 = none. */
const firstDifference = (found: Uint8Array, wanted: Uint8Array): number =>
  found.length === wanted.length ? found.findIndex((byte, at) => byte !== wanted[at]) : 0;

function made(machine: GpuMachine, spec: Partial<GpuBoSpec> = {}): GpuBo {
  const bo = machine.do(
    createBo(machine.card, { name: 'bo', bytes: KIB256, placements: ['vram', 'tt'], ...spec }),
  );
  if (!bo.ok) throw new Error(`no object: ${bo.errno}`);
  return bo.value;
}

describe.each([false, true])('with an IOMMU: %s', (iommu) => {
  it('bytes survive VRAM, system memory and fragmented VRAM, over the bus', () => {
    const machine = new GpuMachine({ iommu });
    const bo = made(machine, { mostBlockBytes: 4 * PAGE });
    const bytes = pattern(bo.bytes, 5);
    machine.fill(bo, bytes);
    for (const type of ['tt', 'vram', 'vram', 'tt'] as const) {
      expect(machine.do(machine.held(bo, () => moveBo(bo, type)))).toBe(0);
      expect(bo.resource.kind).toBe(type);
      expect(firstDifference(machine.bytesOf(bo), bytes)).toBe(-1);
    }
    expect(machine.gpu.dma.counters.bytesWritten).toBe(2 * KIB256);
    expect(machine.gpu.dma.counters.bytesRead).toBe(KIB256);
    machine.do(destroyBo(bo));
    expect(machine.inUse).toEqual({ pages: 0, vram: 0, entries: 0, ranges: 0 });
  });

  it('a full VRAM evicts the least recently used object that nobody needs there', () => {
    const machine = new GpuMachine({ iommu });
    const objects = ['a', 'b', 'c', 'd'].map((name) => made(machine, { name }));
    for (const [key, bo] of objects.entries()) machine.fill(bo, pattern(bo.bytes, key));
    const [a, b, c] = objects as [GpuBo, GpuBo, GpuBo];
    expect(machine.do(machine.held(a, () => pinBo(a, ['vram'])))).toBe(0);
    expect(machine.do(machine.held(b, () => validateBo(b, ['vram'])))).toBe(0);
    const more = made(machine, { name: 'e', placements: ['vram'] });
    expect(more.resource.kind).toBe('vram');
    expect([a, b, c].map(({ resource }) => resource.kind)).toEqual(['vram', 'vram', 'tt']);
    for (const [key, bo] of objects.entries())
      expect(firstDifference(machine.bytesOf(bo), pattern(bo.bytes, key))).toBe(-1);
    expect(machine.card.counters.evictions).toBe(1);
    expect(machine.do(machine.held(a, () => moveBo(a, 'tt')))).toBe(-22);
    expect(machine.do(machine.held(a, () => validateBo(a, ['tt'])))).toBe(-22);
    unpin(machine, a);
    expect(machine.do(machine.held(a, () => moveBo(a, 'tt')))).toBe(0);
  });
});

function unpin(machine: GpuMachine, bo: GpuBo): void {
  machine.do(
    machine.held(bo, function* () {
      unpinBo(bo);
      yield { at: 'test' };
    }),
  );
}

it('the copy waits for every fence that was there, and the old memory is not free before', () => {
  const machine = new GpuMachine();
  const bo = made(machine);
  const bytes = pattern(bo.bytes, 9);
  const user = new DmaFence(machine.dmaBufs, {}, { context: machine.dmaBufs.takeContexts(1), seqno: 1 });
  machine.do(
    machine.held(bo, function* () {
      expect(dmaResvReserveFences(bo.resv, 1)).toBe(0);
      dmaResvAddFence(bo.resv, user, DmaResvUsage.BOOKKEEP);
      expect(yield* moveBo(bo, 'tt')).toBe(0);
    }),
  );
  expect(machine.gpu.copies.counters.copies).toBe(0);
  expect(machine.inUse.vram).toBe(KIB256);
  // The user of the fence still writes to where the object was.
  machine.gpu.vram.mmioWrite(0, new Uint8Array(0));
  const from = MIB - KIB256;
  machine.gpu.vram.mmioWrite(from, bytes);
  dmaFenceSignal(user);
  machine.scheduler.run();
  expect(machine.inUse.vram).toBe(0);
  expect(firstDifference(machine.bytesOf(bo), bytes)).toBe(-1);
});

it('an object that fits nowhere is refused, and nothing is kept', () => {
  const machine = new GpuMachine({ visibleBytes: KIB256 });
  const wanted = { name: 'big', bytes: 2 * KIB256, placements: ['vram'], visible: true } as const;
  expect(machine.do(createBo(machine.card, wanted))).toEqual({ ok: false, errno: 12 });
  expect(machine.do(createBo(machine.card, { ...wanted, bytes: 100 }))).toEqual({ ok: false, errno: 22 });
  expect(machine.inUse.vram).toBe(0);
  expect(machine.card.lru).toEqual([]);
});

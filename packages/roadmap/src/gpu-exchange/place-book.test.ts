// The watch over who uses which memory, held against accesses that are made on purpose: each kind is told from the others.
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
import { destroyBo, type GpuBo, moveBo } from '@sgfree/gpu-driver';
import { AbuseWatch } from '@sgfree/gpu-driver/stage-3';
import {
  addOffset,
  dmaAddr,
  EventLog,
  InternalError,
  type ModelTask,
  PAGE_SIZE,
  physAddr,
} from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { ExchangeScene } from './exchange-scene.ts';
import { gpuExchangeSettings } from './gpu-exchange-input.ts';
import { type ObjectPage, pagesOf, peekObject, physicalRuns } from './object-places.ts';
import { rangeListWay } from './range-list-way.ts';
import { newObject } from './shared-object.ts';

const BYTES = 65536;

function sceneOf() {
  const log = new EventLog();
  log.enabled = true;
  const settings = gpuExchangeSettings({ way: 'range-list', place: 'switch', iommu: false, seed: 1 });
  const scene = new ExchangeScene(settings, rangeListWay(new AbuseWatch(log)), log);
  const object = (name: string, shared: boolean): GpuBo =>
    newObject(scene, { name, bytes: BYTES, placements: ['vram', 'tt'] }, shared);
  return { scene, shared: object('shared', true), kept: object('kept', false) };
}

type Scene = ReturnType<typeof sceneOf>['scene'];

/** The adapter writes one byte into a page. */
function touch({ computer }: Scene, { vram, page }: ObjectPage): void {
  const { fabric, gpu, nic } = computer;
  const base = vram ? fabric.barPhys(gpu.endpoint, 0) : physAddr(0);
  const status = fabric.write(nic.endpoint, dmaAddr(addOffset(base, page * PAGE_SIZE)), Uint8Array.of(1));
  if (status !== 'success') throw new InternalError(status);
}

const first = (bo: GpuBo): ObjectPage => pagesOf(bo.resource)[0] ?? { vram: true, page: 0 };
const seen = ({ book }: Scene): readonly number[] => [book.accesses, book.late, book.stray, book.early];

/** Somebody's unfinished work on the object. */
function* busy({ kernel }: Scene, { resv }: GpuBo): ModelTask<DmaFence> {
  yield* dmaResvLock(resv);
  dmaResvReserveFences(resv, 1);
  const context = dmaFenceContextAlloc(kernel.dmaBufs, 1);
  const fence = dmaFenceInit(kernel.dmaBufs, {}, { context, seqno: 1 });
  dmaResvAddFence(resv, fence, DmaResvUsage.BOOKKEEP);
  dmaResvUnlock(resv);
  return fence;
}

function* moved(bo: GpuBo, to: 'vram' | 'tt'): ModelTask<number> {
  yield* dmaResvLock(bo.resv);
  const error = yield* moveBo(bo, to);
  dmaResvUnlock(bo.resv);
  return error;
}

describe('an access', () => {
  it('to an object that is shared is nothing special; to memory of others and of nobody it is', () => {
    const { scene, shared, kept } = sceneOf();
    touch(scene, first(shared));
    expect(seen(scene)).toEqual([1, 0, 0, 0]);
    touch(scene, first(kept));
    expect(seen(scene)).toEqual([2, 0, 1, 0]);
    const used = new Set([shared, kept].flatMap(({ resource }) => pagesOf(resource).map(({ page }) => page)));
    const free = Array.from({ length: 256 }, (_, page) => page).find((page) => !used.has(page)) ?? 0;
    touch(scene, { vram: true, page: free });
    expect(seen(scene)).toEqual([3, 0, 2, 0]);
  });

  it.each(['vram', 'tt'] as const)(
    'while an object moves to %s is told by where and when it is made',
    (to) => {
      const { scene, shared } = sceneOf();
      const old = first(shared);
      const fence = scene.run(busy(scene, shared));
      expect(scene.run(moved(shared, to))).toBe(0);
      scene.runAll();
      const next = first(shared);
      expect(next).not.toEqual(old);
      touch(scene, old);
      expect(seen(scene)).toEqual([1, 0, 0, 0]);
      touch(scene, next);
      expect(seen(scene)).toEqual([2, 0, 0, 1]);
      dmaFenceSignal(fence);
      const { gpu } = scene.computer;
      while (gpu.copies.counters.bytes === 0) scene.scheduler.step();
      touch(scene, old);
      expect(seen(scene)).toEqual([3, 1, 0, 1]);
      scene.runAll();
      touch(scene, old);
      expect(seen(scene)).toEqual([4, 1, 1, 1]);
      touch(scene, next);
      expect(seen(scene)).toEqual([5, 1, 1, 1]);
      const [move] = scene.book.moves;
      expect(move).toMatchObject({ object: 'shared', from: 'vram', to, late: 1 });
      expect(move?.ended).toBeGreaterThan(move?.copyBegan ?? Number.POSITIVE_INFINITY);
    },
  );

  it('to an object that has ended is one to memory of nobody', () => {
    const { scene, shared } = sceneOf();
    const page = first(shared);
    scene.run(destroyBo(shared));
    scene.book.forget(shared);
    touch(scene, page);
    expect(seen(scene)).toEqual([1, 0, 1, 0]);
  });
});

it('the bytes of an object are found where they lie', () => {
  const { scene, shared } = sceneOf();
  touch(scene, first(shared));
  const { computer } = scene;
  const bytes = (): number[] => [...peekObject(shared, computer.gpu, computer.memory).subarray(0, 2)];
  expect([bytes(), physicalRuns(shared.resource)]).toEqual([[1, 0], 1]);
  expect(scene.run(moved(shared, 'tt'))).toBe(0);
  expect(bytes()).toEqual([1, 0]);
});

it('a move begins when the first importer is told, the next one when one is told again', () => {
  const { scene, shared } = sceneOf();
  const { book, clock } = scene;
  const toldNow = (): number => {
    clock.tick();
    book.told(shared);
    return clock.step;
  };
  const started: number[] = [];
  for (const to of ['tt', 'vram'] as const) {
    started.push(toldNow());
    toldNow();
    expect(scene.run(moved(shared, to))).toBe(0);
  }
  expect(book.moves.map((move) => move.started)).toEqual(started);
});

// Several type 1 calls at once: whichever runs when, every page is unmapped by exactly one of them and nothing is lost.
import { Errno } from '@sgfree/mm';
import { expect, it } from 'vitest';
import {
  iommufdVfioMapDma,
  iommufdVfioUnmapDma,
  u64,
  u64Number,
  type VfioDmaUnmapped,
} from '../../src/index.ts';
import { BASE, NOTHING_LEFT, P, tagOf, VA, VfioWorld } from './vfio-world.ts';

const SEEDS = Array.from({ length: 25 }, (_, at) => at + 1);
const PAGES = 12;

const window = (
  page: number,
  pages: number,
): { flags: number; iova: ReturnType<typeof u64>; size: ReturnType<typeof u64> } => ({
  flags: 0,
  iova: u64(BASE + page * P),
  size: u64(pages * P),
});

function mapped(seed: number): VfioWorld {
  const world = new VfioWorld({ type: 'type1', capIpcLock: true, seed });
  world.fill(2 * PAGES);
  expect(world.map(VA, BASE, PAGES * P)).toBe(0);
  return world;
}

it.each(SEEDS)('pages of one mapping, each by a task of its own, seed %i', (seed) => {
  const world = mapped(seed);
  const { scheduler } = world.machine;
  const tasks = Array.from({ length: PAGES }, (_, page) =>
    scheduler.spawn(`page ${page}`, iommufdVfioUnmapDma(world.ctx, window(page, 1))),
  );
  expect(scheduler.run().status).toBe('idle');
  expect(tasks.map((task) => task.result)).toEqual(tasks.map(() => ({ error: 0, size: u64(P) })));
  expect(world.areas).toEqual([]);
  expect(world.close()).toEqual(NOTHING_LEFT);
});

it.each(SEEDS)('windows that overlap, and a mapping in their place, seed %i', (seed) => {
  const world = mapped(seed);
  const { scheduler } = world.machine;
  const unmaps = [window(0, 6), window(3, 6), window(6, 6)].map((unmap, index) =>
    scheduler.spawn(`unmap ${index}`, iommufdVfioUnmapDma(world.ctx, unmap)),
  );
  const map = { flags: 3, vaddr: u64(VA + PAGES * P), iova: u64(BASE), size: u64(2 * P) };
  const mapping = scheduler.spawn('map', iommufdVfioMapDma(world.ctx, map));
  expect(scheduler.run().status).toBe('idle');
  const results = unmaps.map((task) => task.result as VfioDmaUnmapped);
  // One finds what another is taking away; it may try again.
  expect(results.every(({ error }) => [0, -Errno.EBUSY, -Errno.ENOENT].includes(error))).toBe(true);
  expect([0, -Errno.EEXIST]).toContain(mapping.result);
  // What each tells of itself adds up, also of those that failed on their way.
  const gone = results.reduce((sum, { size }) => sum + (size === null ? 0 : u64Number(size)), 0);
  const left = world.areas.reduce((sum, [first, last]) => sum + last + 1 - first, 0);
  const added = mapping.result === 0 ? 2 * P : 0;
  expect(gone + left).toBe(PAGES * P + added);
  expect(world.machine.process.mm.pinnedVm).toBe(left / P);
  const shown = world.deviceReads(BASE);
  if (shown !== null) expect([tagOf(0), tagOf(PAGES)]).toContain(shown);
  expect(world.close()).toEqual(NOTHING_LEFT);
});

// Frames of a physical list, from front to back and from anywhere, against a list of single pages.
import { fc, test } from '@fast-check/vitest';
import { PAGE_SIZE, physOfFrame } from '@sgfree/hw-model';
import { expect, it } from 'vitest';
import { FrameRuns } from './frame-runs.ts';

const ranges = fc.array(
  fc.record({ frame: fc.integer({ min: 1, max: 2 ** 30 }), pages: fc.integer({ min: 1, max: 5 }) }),
  { minLength: 1, maxLength: 6 },
);
const listOf = (list: readonly { readonly frame: number; readonly pages: number }[]): FrameRuns =>
  new FrameRuns(list.map(({ frame, pages }) => ({ paddr: physOfFrame(frame), len: pages * PAGE_SIZE })));

test.prop([ranges, fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 8 })), { minLength: 1 })])(
  'each run is what lies at its pages, and ends with its range at the latest',
  (list, reads) => {
    const frames = list.flatMap(({ frame, pages }) => Array.from({ length: pages }, (_, at) => frame + at));
    const ends = list.map((_, at) => list.slice(0, at + 1).reduce((sum, { pages }) => sum + pages, 0));
    const runs = listOf(list);
    for (const [from, most] of reads) {
      const page = from % frames.length;
      const { frame, count } = runs.runAt(page, most);
      const end = ends.find((last) => last > page) ?? 0;
      expect([frame, count]).toEqual([frames[page], Math.min(most, end - page)]);
    }
  },
);

it('a page behind the end is an error of the model', () => {
  expect(() => listOf([{ frame: 1, pages: 2 }]).runAt(2, 1)).toThrow('behind the end');
});

// The VRAM manager against a map of every page: no page twice, none outside, none lost, and the window of the BAR is kept.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { VramBlock } from './vram-block.ts';
import { VramManager } from './vram-manager.ts';

const PAGE = 4096;
const PAGES = 96;
const VISIBLE_PAGES = 32;

const pagesOf = (blocks: readonly VramBlock[]): number[] =>
  blocks.flatMap(({ offset, bytes }) =>
    Array.from({ length: bytes / PAGE }, (_, page) => offset / PAGE + page),
  );

const request = fc.record({
  pages: fc.integer({ min: 1, max: 40 }),
  visible: fc.boolean(),
  contiguous: fc.boolean(),
  most: fc.constantFrom(undefined, PAGE, 4 * PAGE),
});

it('never hands out a page twice, keeps to the window, and takes everything back', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(request, fc.nat(7)), { maxLength: 40 }), (steps) => {
      const vram = new VramManager(PAGES * PAGE, VISIBLE_PAGES * PAGE);
      const held: VramBlock[][] = [];
      const used = new Set<number>();
      for (const [{ pages, visible, contiguous, most }, drop] of steps) {
        const free = vram.freeBytes;
        const got = vram.alloc({
          bytes: pages * PAGE,
          visible,
          contiguous,
          ...(most === undefined ? {} : { mostBlockBytes: most }),
        });
        if (!got.ok) {
          expect(got.errno).toBe(28);
          expect(vram.freeBytes).toBe(free);
          const limit = visible ? VISIBLE_PAGES : PAGES;
          const room = Array.from({ length: limit }, (_, page) => page).filter(
            (page) => !used.has(page),
          ).length;
          if (!contiguous) expect(room).toBeLessThan(pages);
        } else {
          held.push(got.value);
          for (const { offset, bytes } of got.value) expect(offset % bytes).toBe(0);
          if (contiguous) expect(got.value.length).toBe(1);
          if (visible) expect(vram.isVisible(got.value)).toBe(true);
          for (const page of pagesOf(got.value)) {
            expect(used.has(page) || page >= PAGES).toBe(false);
            used.add(page);
          }
        }
        if (held.length > drop) {
          const [gone] = held.splice(drop, 1) as [VramBlock[]];
          vram.free(gone);
          for (const page of pagesOf(gone)) used.delete(page);
        }
        expect(vram.freeBytes).toBe((PAGES - used.size) * PAGE);
      }
      for (const blocks of held) vram.free(blocks);
      const whole = vram.alloc({ bytes: 64 * PAGE, visible: false, contiguous: true });
      expect(whole.ok).toBe(true);
    }),
    { numRuns: 300 },
  );
});

describe('placement', () => {
  it('memory that need not be seen comes from the top, visible memory from the bottom', () => {
    const vram = new VramManager(PAGES * PAGE, VISIBLE_PAGES * PAGE);
    const hidden = vram.alloc({ bytes: PAGE, visible: false });
    const seen = vram.alloc({ bytes: PAGE, visible: true });
    expect(hidden.ok && hidden.value[0]?.offset).toBe((PAGES - 1) * PAGE);
    expect(seen.ok && seen.value[0]?.offset).toBe(0);
  });

  it('refuses sizes that are no pages', () => {
    const vram = new VramManager(PAGES * PAGE, PAGES * PAGE);
    for (const bytes of [0, -PAGE, 100])
      expect(vram.alloc({ bytes, visible: true })).toEqual({ ok: false, errno: 22 });
  });
});

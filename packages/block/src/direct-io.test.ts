// From a user's buffer to bios: pages become bio_vecs, huge pages join, and no bio is longer than the kernel allows.
import { fc, test } from '@fast-check/vitest';
import { addOffset, offsetWithin, PAGE_SIZE, physAddr } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { type BioVec, bioVecsOf, cutBioVecs, HUGE_PAGE_BYTES, junctionBits, totalBytes } from './bio-vec.ts';
import { BIO_MAX_VECS, buildBios, type DirectIo } from './direct-io.ts';

const piece = (phys: number, bytes: number): BioVec => ({ phys: physAddr(phys), bytes });
const io = (...iovecs: BioVec[][]): DirectIo => ({ operation: 'write', position: 8192, iovecs });

describe('bio_vecs', () => {
  it('are one per page of ordinary memory, however the pages lie', () => {
    const [bio] = buildBios(io([piece(0x10200, 3 * 4096)]), 'base-pages', 512);
    expect(bio?.vecs).toEqual([
      piece(0x10200, 3584),
      piece(0x11000, 4096),
      piece(0x12000, 4096),
      piece(0x13000, 512),
    ]);
  });

  it('join inside one huge page and not across two', () => {
    const end = HUGE_PAGE_BYTES * 3;
    const [bio] = buildBios(io([piece(end - 8192, 16384)]), 'huge-pages', 512);
    expect(bio?.vecs).toEqual([piece(end - 8192, 8192), piece(end, 8192)]);
  });

  it('join across iovecs where the memory goes on', () => {
    const vecs = bioVecsOf([piece(0x200000, 4096), piece(0x201000, 512), piece(0x201400, 512)], 'huge-pages');
    expect(vecs).toEqual([piece(0x200000, 4608), piece(0x201400, 512)]);
  });

  test.prop([fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 200 })])(
    'are cut anywhere without losing a byte: %i vecs, %i words',
    (count, words) => {
      const vecs = Array.from({ length: count }, (_, i) => piece(0x1000 * (2 * i + 1), 4 * ((i % 7) + 1)));
      const bytes = Math.min(words * 4, totalBytes(vecs));
      const { head, tail } = cutBioVecs(vecs, bytes);
      expect(totalBytes(head)).toBe(bytes);
      expect(totalBytes(tail)).toBe(totalBytes(vecs) - bytes);
      const flat = (list: readonly BioVec[]): number[] =>
        list.flatMap((vec) => Array.from({ length: vec.bytes / 4 }, (_, i) => addOffset(vec.phys, 4 * i)));
      expect([...flat(head), ...flat(tail)]).toEqual(flat(vecs));
    },
  );

  it('meet with the or of both sides, page bits only', () => {
    expect(junctionBits(piece(0x1000, 0x1000), piece(0x9000, 4))).toBe(0);
    expect(junctionBits(piece(0x1000, 0x200), piece(0x9004, 4))).toBe(0x204);
  });
});

describe('bios', () => {
  it('hold at most 256 bio_vecs and end on a block', () => {
    const pages = Array.from({ length: 300 }, (_, i) => piece(0x1000000 + i * 0x2000 + 4, 4092));
    const last = piece(0x9000000, 300 * 4);
    const bios = buildBios(io([...pages, last]), 'base-pages', 512);
    expect(bios).toHaveLength(2);
    const [first, second] = bios;
    expect(first?.vecs.length).toBeLessThanOrEqual(BIO_MAX_VECS);
    expect(offsetWithin(totalBytes(first?.vecs ?? []), 512)).toBe(0);
    expect(second?.position).toBe(8192 + totalBytes(first?.vecs ?? []));
    expect(totalBytes(bios.flatMap((bio) => bio.vecs))).toBe(300 * PAGE_SIZE);
  });

  it('are none for no data', () => {
    expect(buildBios(io(), 'base-pages', 512)).toEqual([]);
  });
});

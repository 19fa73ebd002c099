// Type 1 against type 1 v2: any sequence of mapping and unmapping against a list of areas, with the device reading through
// its page table after each call; and the two ways in which an area cannot be cut.
import { Errno } from '@sgfree/mm';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  iommufdAccessCreate,
  iommufdAccessDestroy,
  iommufdAccessPinPages,
  iommufdAccessUnpinPages,
  u64,
} from '../../src/index.ts';
import { BASE, NOTHING_LEFT, P, tagOf, VA, type VfioType, VfioWorld } from './vfio-world.ts';

const PAGES = 24;

/** An area in pages: where it is shown, how many, and the first page of the process. */
interface Shown {
  readonly at: number;
  readonly pages: number;
  readonly from: number;
}

type Command = readonly ['map' | 'unmap', at: number, pages: number, from: number];

const commands = fc.array(
  fc.tuple(
    fc.constantFrom('map' as const, 'map' as const, 'unmap' as const),
    fc.nat(PAGES - 1),
    fc.integer({ min: 1, max: 9 }),
    fc.nat(PAGES - 1),
  ),
  { minLength: 1, maxLength: 25 },
);

const ends = ({ at, pages }: Pick<Shown, 'at' | 'pages'>): number => at + pages;
const meets = (a: Shown, at: number, pages: number): boolean => a.at < at + pages && ends(a) > at;

/** Both halves of an area that page `at` begins within. */
const halves = (area: Shown, at: number): Shown[] =>
  area.at < at && ends(area) > at
    ? [
        { ...area, pages: at - area.at },
        { at, pages: ends(area) - at, from: area.from + at - area.at },
      ]
    : [area];

/** What unmapping answers, and the areas that are left. */
function expectedUnmap(
  type: VfioType,
  areas: readonly Shown[],
  at: number,
  pages: number,
): readonly [error: number, gone: number, left: Shown[]] {
  let left = [...areas];
  if (type === 'type1')
    left = left.flatMap((area) => halves(area, at)).flatMap((area) => halves(area, at + pages));
  let gone = 0;
  for (const area of left.filter((candidate) => meets(candidate, at, pages))) {
    if (area.at < at || ends(area) > at + pages) return [-Errno.ENOENT, gone, left];
    gone += area.pages;
    left = left.filter((candidate) => candidate !== area);
  }
  return [0, gone, left];
}

class Shadow {
  areas: Shown[] = [];
  readonly world: VfioWorld;
  readonly type: VfioType;

  constructor(type: VfioType) {
    this.type = type;
    this.world = new VfioWorld({ type, capIpcLock: true });
    this.world.fill(2 * PAGES);
  }

  apply([what, at, pages, from]: Command): void {
    if (what === 'map') this.#map(at, pages, from);
    else this.#unmap(at, pages);
    this.#compare();
  }

  #map(at: number, pages: number, from: number): void {
    const taken = this.areas.some((area) => meets(area, at, pages));
    const got = this.world.map(VA + from * P, BASE + at * P, pages * P);
    expect(got).toBe(taken ? -Errno.EEXIST : 0);
    if (!taken) this.areas = [...this.areas, { at, pages, from }].sort((a, b) => a.at - b.at);
  }

  #unmap(at: number, pages: number): void {
    const [error, gone, left] = expectedUnmap(this.type, this.areas, at, pages);
    expect(this.world.unmap(BASE + at * P, pages * P)).toEqual({ error, size: BigInt(gone * P) });
    this.areas = left;
  }

  #compare(): void {
    const { world, areas } = this;
    expect(world.areas).toEqual(areas.map((area) => [BASE + area.at * P, BASE + ends(area) * P - 1]));
    const tags = new Map<number, number>();
    for (const { at, pages, from } of areas) {
      for (let page = 0; page < pages; page += 1) tags.set(at + page, tagOf(from + page));
    }
    for (let page = 0; page < 2 * PAGES; page += 1) {
      const tag = tags.get(page) ?? null;
      expect([0, P - 1].map((byte) => world.deviceReads(BASE + page * P + byte))).toEqual([tag, tag]);
    }
    expect(world.machine.process.mm.pinnedVm).toBe(tags.size);
  }
}

describe.each(['type1', 'type1v2'] as const)('%s', (type) => {
  it('maps and unmaps as a list of areas does', () => {
    fc.assert(
      fc.property(commands, (list) => {
        const shadow = new Shadow(type);
        for (const command of list) shadow.apply(command);
        expect(shadow.world.close()).toEqual(NOTHING_LEFT);
      }),
      { numRuns: 60 },
    );
  });

  it('never cuts a dma-buf, yet unmaps it whole', () => {
    const world = new VfioWorld({ type });
    const { machine } = world;
    expect(machine.mapFile(world.ioas, machine.buffer(4 * P).fd, 0, 4 * P, u64(BASE)).ok).toBe(true);
    const cut =
      type === 'type1' ? { error: -Errno.EOPNOTSUPP, size: BigInt(P) } : { error: -Errno.ENOENT, size: 0n };
    for (let page = 0; page < 4; page += 1) expect(world.unmap(BASE + page * P, P)).toEqual(cut);
    expect(world.areas).toHaveLength(1);
    expect(world.deviceReads(BASE)).not.toBeNull();
    expect(world.unmap(BASE, 4 * P)).toEqual({ error: 0, size: BigInt(4 * P) });
    expect(world.deviceReads(BASE)).toBeNull();
    expect(world.close()).toEqual(NOTHING_LEFT);
  });
});

describe('type 1', () => {
  it('does not cut what the kernel itself has pinned', () => {
    const world = new VfioWorld({ type: 'type1', capIpcLock: true });
    world.fill(8);
    expect(world.map(VA, BASE, 8 * P)).toBe(0);
    const access = iommufdAccessCreate(world.ctx, {
      needsPinPages: true,
      *unmap() {
        yield* [];
      },
    });
    if (!access.ok) throw new Error('no access');
    expect(world.run(access.value.attach(world.ioas.id))).toBe(0);
    expect(world.run(iommufdAccessPinPages(access.value.access, u64(BASE), u64(P), false)).ok).toBe(true);
    // Cutting far away from the pinned page is refused as well.
    expect(world.unmap(BASE + 4 * P, P)).toEqual({ error: -Errno.EINVAL, size: BigInt(P) });
    world.run(iommufdAccessUnpinPages(access.value.access, u64(BASE), u64(P)));
    expect(world.unmap(BASE + 4 * P, P)).toEqual({ error: 0, size: BigInt(P) });
    expect(world.areas).toHaveLength(2);
    world.run(iommufdAccessDestroy(access.value));
    expect(world.close()).toEqual(NOTHING_LEFT);
  });

  it('keeps a cut that was made before the other end was refused', () => {
    const world = new VfioWorld({ type: 'type1', capIpcLock: true });
    world.fill(8);
    expect(world.map(VA, BASE, 8 * P)).toBe(0);
    expect(world.unmap(BASE + P + 1, 3 * P - 1)).toEqual({ error: -Errno.EINVAL, size: BigInt(3 * P - 1) });
    expect(world.areas).toEqual([
      [BASE, BASE + 4 * P - 1],
      [BASE + 4 * P, BASE + 8 * P - 1],
    ]);
    expect(world.deviceReads(BASE + 2 * P)).toBe(tagOf(2));
    expect(world.close()).toEqual(NOTHING_LEFT);
  });

  it('cuts only the end of a window that begins at 0', () => {
    const world = new VfioWorld({ type: 'type1', attached: false });
    world.fill(4);
    expect(world.map(VA, 0, 4 * P)).toBe(0);
    expect(world.unmap(0, P)).toEqual({ error: 0, size: BigInt(P) });
    expect(world.areas).toEqual([[P, 4 * P - 1]]);
  });

  it('is what an address space becomes whose large pages an option forbids', () => {
    const world = new VfioWorld({ type: null });
    world.fill(4);
    const option = new Uint8Array(24);
    new DataView(option.buffer).setUint32(0, 24, true);
    new DataView(option.buffer).setUint32(4, 1, true);
    new DataView(option.buffer).setUint32(12, world.ioas.id, true);
    expect(world.call(0x3b87, option)).toBe(0);
    expect(world.map(VA, BASE, 4 * P)).toBe(0);
    expect(world.unmap(BASE + P, P)).toEqual({ error: 0, size: BigInt(P) });
    expect([0, 1, 2].map((page) => world.deviceReads(BASE + page * P))).toEqual([tagOf(0), null, tagOf(2)]);
  });
});

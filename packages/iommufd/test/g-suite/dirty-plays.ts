// Plays of the rows about the dirty record: which devices can, and a bitmap that is read back bit by bit.
// Source followed: the `iommufd_dirty_tracking` tests of selftests/iommu/iommufd.c of Linux 7.3.4.
// Simplified: none.

import { type MockDevice, u64 } from '../../src/index.ts';
import { BITMAP_OFFSETS, type DirtyBuffer } from '../tables/g-mock-rows.ts';
import type { GAnswer } from '../tables/g-row.ts';
import { HugeMock } from './huge-mock.ts';
import type { Plays } from './play.ts';
import { APERTURE, named, P, type SuiteWorld, VA } from './suite-world.ts';

const UNIT = 2048;
const BITMAP = 2 ** 41;
const GUARD = 64;
const HUGE_FROM = 2 ** 24;

/** A table that records, made by hand; its number. */
function recorder(world: SuiteWorld, device = 0): { readonly answer: string; readonly hwpt: number } {
  const fields = { dev_id: world.idevs[device] ?? 0, pt_id: world.ioas, flags: 2 };
  const { answer, fields: after } = world.ioctl('iommu_hwpt_alloc', fields);
  return { answer, hwpt: Number(after['out_hwpt_id']) };
}

const capability = (world: SuiteWorld): number => {
  const { fields } = world.ioctl('iommu_hw_info', { dev_id: world.idevs.at(-1) ?? 0 });
  return Number(fields['out_capabilities']) & 1;
};

const plain = (world: SuiteWorld): MockDevice => world.machine.mock(false);

function enforce(world: SuiteWorld): GAnswer[] {
  const { answer, hwpt } = recorder(world);
  const able = world.mock(hwpt);
  world.endMock();
  const unable = world.mock(hwpt, plain(world));
  const other = world.newIoas();
  world.mock(other, plain(world));
  return [answer, able, unable, recorder(world, world.idevs.length - 1).answer];
}

function track(world: SuiteWorld): GAnswer[] {
  const { hwpt } = recorder(world);
  const set = (flags: number): string =>
    world.ioctl('iommu_hwpt_set_dirty_tracking', { hwpt_id: hwpt, flags }).answer;
  return [set(1), set(0)];
}

function capabilities(world: SuiteWorld): GAnswer[] {
  const able = capability(world);
  world.mock(world.newIoas(), plain(world));
  return [able, capability(world)];
}

/** A window over a gap, one that begins in it, and one that covers everything. */
function overHole(world: SuiteWorld): GAnswer[] {
  const { hwpt } = recorder(world);
  world.machine.mmap(2 * P, VA);
  world.machine.mmap(P, BITMAP);
  for (const page of [0, 3]) world.map(P, APERTURE + page * P);
  const read = (page: number, pages: number): string =>
    world.ioctl('iommu_hwpt_get_dirty_bitmap', {
      hwpt_id: hwpt,
      iova: BigInt(APERTURE + page * P),
      length: BigInt(pages * P),
      page_size: BigInt(P),
      data: BigInt(BITMAP),
    }).answer;
  return [read(0, 4), read(1, 3), read(-16, 64)];
}

/** T01, T02, T04 and the row on holes. */
export const RECORD_PLAYS: Plays = { T01: enforce, T02: track, T04: capabilities };
export const HOLE_PLAYS: Plays = { X14: overHole };

/** A buffer at the start of the aperture behind a table that records. */
class DirtyRig {
  readonly #world: SuiteWorld;
  readonly #buffer: DirtyBuffer;
  readonly #hwpt: number;

  constructor(world: SuiteWorld, buffer: DirtyBuffer) {
    const { machine } = world;
    this.#world = world;
    this.#buffer = buffer;
    // Without large pages an entry has 4 KiB whatever is behind it, and huge user pages come sooner.
    machine.process.mm.mmap(buffer.bytes, { at: VA, huge: buffer.huge || buffer.bytes >= HUGE_FROM });
    machine.process.mm.mmap(buffer.bytes / UNIT / 8 + 2 * P, { at: BITMAP });
    if (buffer.huge) world.mock(world.ioas, new HugeMock({ memory: machine.memory, frames: machine.tables }));
    else world.hugePages('set', 0n);
    this.#hwpt = recorder(world, world.idevs.length - 1).hwpt;
    // The kernel's fixture has no table but this one.
    while (world.stdevs.length > 0) world.endMock();
    if (world.map(buffer.bytes, APERTURE) !== APERTURE) throw new Error('the buffer is not mapped');
    const start = world.ioctl('iommu_hwpt_set_dirty_tracking', { hwpt_id: this.#hwpt, flags: 1 });
    if (start.answer !== 'ok') throw new Error('nothing is recorded');
  }

  /** Writes to every other entry; how many. */
  mark(): number {
    const { bytes, unitsPerEntry } = this.#buffer;
    const { domain } = this.#world.machine.hwpt(this.#hwpt);
    let marked = 0;
    for (let unit = 0; unit < bytes / UNIT; unit += 2 * unitsPerEntry) {
      if (domain?.markDirty(u64(APERTURE + unit * UNIT)) === true) marked += 1;
    }
    return marked;
  }

  /** Reads the record into a clean bitmap, `offset` bytes behind a page, and says what it looks like. */
  read(flags: number, offset: number): string {
    const { bytes, unitsPerEntry } = this.#buffer;
    const count = bytes / UNIT;
    const size = Math.ceil(count / 8);
    const world = this.#world;
    world.poke(BITMAP + offset, new Uint8Array(size + GUARD));
    const { answer } = world.ioctl('iommu_hwpt_get_dirty_bitmap', {
      ...{ hwpt_id: this.#hwpt, flags, iova: BigInt(APERTURE), length: BigInt(bytes) },
      ...{ page_size: BigInt(UNIT), data: BigInt(BITMAP + offset) },
    });
    if (answer !== 'ok') return answer;
    return looks(world.peek(BITMAP + offset, size + GUARD), count, unitsPerEntry);
  }
}

/** `run` bits that are set, then as many that are not, and so on for `count` bits; nothing behind. */
function looks(bitmap: Uint8Array, count: number, run: number): string {
  if (bitmap.every((byte) => byte === 0)) return 'clean';
  const expected = new Uint8Array(bitmap.length);
  for (let at = 0; at < count; at += 1) {
    if (Math.floor(at / run) % 2 === 0) expected[at >> 3] = (expected[at >> 3] ?? 0) | (1 << (at & 7));
  }
  return bitmap.every((byte, at) => byte === expected[at]) ? 'alternating' : 'something else';
}

const marking = (rig: DirtyRig, marked: number): string => (rig.mark() === marked ? 'marked' : named(1));

/** T05 and T06 with one buffer: the play of each. */
export const dirtyPlays = (buffer: DirtyBuffer): Plays => ({
  T05: (world) => {
    const rig = new DirtyRig(world, buffer);
    return BITMAP_OFFSETS.flatMap((offset) =>
      marking(rig, buffer.marked) === 'marked' ? [rig.read(0, offset), rig.read(0, offset)] : ['not marked'],
    );
  },
  T06: (world) => {
    const rig = new DirtyRig(world, buffer);
    if (marking(rig, buffer.marked) !== 'marked') return ['not marked'];
    return BITMAP_OFFSETS.flatMap((offset) => [rig.read(1, offset), rig.read(1, offset)]);
  },
});

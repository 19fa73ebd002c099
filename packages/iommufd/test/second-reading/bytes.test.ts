// How far the walk over changed bytes reaches, and what it leaves out: sizes, bytes behind the structure, a table that records.
// Source followed: iommufd_fops_ioctl in main.c of iommufd, read anew; iommufd_hwpt_get_dirty_bitmap in hw_pagetable.c.
import { Errno, type ErrnoName } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { IOMMUFD_STRUCTS, IommufdHwptPaging, iommufdStruct, u64 } from '../../src/index.ts';
import { AbiWorld, ID, NOTHING_LEFT } from '../abi-world.ts';
import { expectedAnswer } from '../oracle/abi-oracle.ts';
import { smallEntries } from '../small-entries.ts';
import { VALID_CALLS, validBytes } from '../valid-calls.ts';

const ROWS = VALID_CALLS.map(([name], index) => [`${name} (${index})`, index] as const);
const CHANGES = [0x01, 0x80, 0xff];
const TAIL = 8;
const numberOf = (errno: ErrnoName | null): number => (errno === null ? 0 : Errno[errno]);

/** A world that is replaced when a call has changed it. */
class Worlds {
  world: AbiWorld = new AbiWorld().populate();

  answer(name: string, bytes: Uint8Array): number {
    const errno = this.world.raw(iommufdStruct(name).request, bytes);
    if (errno === 0) {
      expect(this.world.close()).toEqual(NOTHING_LEFT);
      this.world = new AbiWorld().populate();
    }
    return errno;
  }
}

const sized = (bytes: Uint8Array, size: number): Uint8Array => {
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, size, true);
  return bytes;
};

describe.each(ROWS)('%s', (_, index) => {
  it('takes bytes behind the structure that are zero, and refuses every one that is not', () => {
    const worlds = new Worlds();
    const longer = (at: number, change: number) => {
      const { name, bytes } = validBytes(worlds.world, index);
      const all = sized(Uint8Array.from([...bytes, ...new Uint8Array(TAIL)]), bytes.length + TAIL);
      all[bytes.length + at] = change;
      return { name, all, plain: expectedAnswer(worlds.world, name, bytes) };
    };
    for (let at = 0; at < TAIL; at += 1) {
      for (const change of CHANGES) {
        const { name, all } = longer(at, change);
        expect(worlds.answer(name, all), `byte ${at} behind ${name}`).toBe(Errno.E2BIG);
      }
    }
    const { name, all, plain } = longer(0, 0);
    expect(worlds.answer(name, all)).toBe(numberOf(plain));
    expect(worlds.world.close()).toEqual(NOTHING_LEFT);
  });

  it('is refused below the smallest size, and filled up with zeros from there on', () => {
    const worlds = new Worlds();
    const { name } = validBytes(worlds.world, index);
    const { minBytes, bytes: full } = iommufdStruct(name);
    for (let size = 0; size <= full; size += 1) {
      const { bytes } = validBytes(worlds.world, index);
      const short = sized(bytes, size);
      if (size >= 4 && size >= minBytes) short.fill(0xee, size);
      const expected = size < minBytes ? Errno.EINVAL : numberOf(expectedAnswer(worlds.world, name, short));
      expect(worlds.answer(name, short), `${size} bytes of ${name}`).toBe(expected);
    }
  });
});

/** Fields that cannot change an answer: what they would be looked at for is not there, or anything will do. */
const UNHEARD: readonly string[] = [
  'iommu_viommu_alloc.hwpt_id',
  'iommu_viommu_alloc.data_len',
  'iommu_viommu_alloc.data_uptr',
  'iommu_vdevice_alloc.viommu_id',
  'iommu_vdevice_alloc.dev_id',
  'iommu_vdevice_alloc.virt_id',
  'iommu_veventq_alloc.viommu_id',
  'iommu_hw_queue_alloc.viommu_id',
  'iommu_hw_queue_alloc.index',
  'iommu_hw_queue_alloc.nesting_parent_iova',
  'iommu_hw_queue_alloc.length',
  'iommu_ioas_noiommu_get_pa.iova',
  'iommu_ioas_noiommu_get_pa.length',
  'iommu_hwpt_alloc.data_uptr',
  'iommu_hwpt_invalidate.data_type',
  'iommu_hwpt_get_dirty_bitmap.data',
  // On tables that do not record, every answer is that one; below they are changed on a table that does.
  'iommu_hwpt_get_dirty_bitmap.__reserved',
  'iommu_hwpt_get_dirty_bitmap.flags',
  'iommu_hwpt_set_dirty_tracking.flags',
];

it('the walk hears of every field that is looked at', () => {
  const world = new AbiWorld().populate();
  const heard = new Set<string>();
  for (const [index] of VALID_CALLS.entries()) {
    const { name, bytes } = validBytes(world, index);
    const usual = expectedAnswer(world, name, bytes);
    for (const { name: field, offset, bytes: width } of iommufdStruct(name).fields) {
      for (let at = offset; at < offset + width; at += 1) {
        for (const change of CHANGES) {
          const changed = Uint8Array.from(bytes);
          changed[at] = (changed[at] ?? 0) ^ change;
          if (expectedAnswer(world, name, changed) !== usual) heard.add(`${name}.${field}`);
        }
      }
    }
  }
  const all = IOMMUFD_STRUCTS.flatMap(({ name, fields }) =>
    fields
      .filter(({ use }) => !['out', 'ignored'].includes(use))
      .map(({ name: field }) => `${name}.${field}`),
  );
  expect(all.filter((field) => !heard.has(field)).sort()).toEqual([...UNHEARD].sort());
});

const RECORDING = 8;
const BASE = 0x1010000n;

function recordingWorld(world = new AbiWorld().populate()): AbiWorld {
  const made = world.call('iommu_hwpt_alloc', { dev_id: ID.device, pt_id: ID.mapped, flags: 2 });
  if (made.errno !== 0) throw new Error('no table that records');
  return world;
}

/** What both calls on the record answer, from their bytes alone. */
function recordAnswer(name: string, bytes: Uint8Array): ErrnoName | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const { bytes: full, minBytes } = iommufdStruct(name);
  const size = view.getUint32(0, true);
  if (size < minBytes) return 'EINVAL';
  if (size > full) return 'EFAULT';
  const reading = name === 'iommu_hwpt_get_dirty_bitmap';
  const [hwpt, flags] = [view.getUint32(reading ? 4 : 8, true), view.getUint32(reading ? 8 : 4, true)];
  if (flags > 1 || (reading && view.getUint32(12, true) !== 0)) return 'EOPNOTSUPP';
  if (![ID.autoHwpt, ID.parent, RECORDING].includes(hwpt as 5)) return 'ENOENT';
  const wrong = reading ? windowAnswer(view) : null;
  return wrong ?? (hwpt === RECORDING ? null : 'EOPNOTSUPP');
}

function windowAnswer(view: DataView): ErrnoName | null {
  const [iova, length, unit] = [16, 24, 32].map((at) => view.getBigUint64(at, true)) as [
    bigint,
    bigint,
    bigint,
  ];
  if (length === 0n) return 'EINVAL';
  if (iova + length > 2n ** 64n) return 'EOVERFLOW';
  const both = iova | ((iova + length) % 2n ** 64n);
  if (both % 2048n !== 0n || unit === 0n) return 'EINVAL';
  return (both & (unit - 1n)) === 0n ? null : 'EINVAL';
}

/** The table that records, and a reader of its bitmap that makes nothing clean. */
function reader(world: AbiWorld) {
  const hwpt = world.ctx.objects.at(RECORDING);
  if (!(hwpt instanceof IommufdHwptPaging) || hwpt.domain === null) throw new Error('no table that records');
  const bitmap = (unit: bigint, from: bigint, bytes: bigint): number[] => {
    world.poke(world.scratch, new Uint8Array(16));
    const window = { hwpt_id: RECORDING, flags: 1, page_size: unit, iova: from, length: bytes };
    const fields = { ...window, data: BigInt(world.scratch) };
    expect(world.call('iommu_hwpt_get_dirty_bitmap', fields).errno).toBe(0);
    return [...world.peek(world.scratch, 4)];
  };
  return { domain: hwpt.domain, bitmap };
}

describe('a table that records', () => {
  const read = (world: AbiWorld) => ({
    hwpt_id: RECORDING,
    iova: BASE,
    length: 0x4000n,
    page_size: 0x1000n,
    data: BigInt(world.scratch),
  });
  const calls = [
    ['iommu_hwpt_set_dirty_tracking', () => ({ flags: 1, hwpt_id: RECORDING, __reserved: 5 })],
    ['iommu_hwpt_get_dirty_bitmap', read],
  ] as const;

  it.each(calls)('%s answers with every byte changed to every other', (name, fields) => {
    const world = recordingWorld();
    const { bytes } = world.call(name, fields(world));
    const counts = new Map<number, number>();
    for (let at = 0; at < bytes.length; at += 1) {
      for (let change = 0; change < 256; change += 1) {
        const changed = Uint8Array.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ change;
        const got = world.raw(iommufdStruct(name).request, changed);
        expect(got, `${name}, byte ${at} by ${change}`).toBe(numberOf(recordAnswer(name, changed)));
        counts.set(got, (counts.get(got) ?? 0) + 1);
      }
    }
    expect(counts.get(0) ?? 0).toBeGreaterThan(bytes.length);
    expect(world.violations).toBe(0);
  });

  it('reads exactly the bits of the pages that were written, counted from the window', () => {
    const { domain, bitmap } = reader(recordingWorld(smallEntries(new AbiWorld().populate())));
    // An entry is a page of 4 KiB: two units.
    const units = [1, 2, 7].filter((unit) => domain.markDirty(u64(Number(BASE) + unit * 2048)));
    expect(units).toEqual([1, 2, 7]);
    expect(bitmap(2048n, BASE, 0x4000n)).toEqual([0b11001111, 0, 0, 0]);
    expect(bitmap(4096n, BASE, 0x4000n)).toEqual([0b1011, 0, 0, 0]);
    expect(bitmap(8192n, BASE, 0x4000n)).toEqual([0b11, 0, 0, 0]);
    expect(bitmap(2048n, BASE + 0x1000n, 0x3000n)).toEqual([0b110011, 0, 0, 0]);
    expect(bitmap(4096n, BASE + 0x2000n, 0x1000n)).toEqual([0, 0, 0, 0]);
    expect(bitmap(4096n, BASE + 0x3000n, 0x1000n)).toEqual([1, 0, 0, 0]);
  });

  it('shows an entry of several pages as a whole, from the middle of a page as well', () => {
    const { domain, bitmap } = reader(recordingWorld());
    expect(domain.markDirty(u64(Number(BASE) + 0x2900))).toBe(true);
    expect(bitmap(2048n, BASE, 0x4000n)).toEqual([0xff, 0, 0, 0]);
    expect(bitmap(2048n, BASE + 0x800n, 0x3800n)).toEqual([0x7f, 0, 0, 0]);
    expect(bitmap(1024n, BASE + 0x1800n, 0x1000n)).toEqual([0xf, 0, 0, 0]);
  });
});

// The three doors side by side: one table of imports, what each door answers, what page tables show then, and bytes that a device
// moves through them; and the traits of each door, computed from runs.
import { frameOf, PAGE_SIZE } from '@sgfree/hw-model';
import { Errno, type Outcome } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import {
  doorTraits,
  type IommufdDoor,
  type IommufdDoorTraits,
  type U64,
  u64,
  u64Number,
} from '../src/index.ts';
import { DoorMachine } from './door-machine.ts';
import { type LendingExporter, lenderInterconnect } from './lending-exporter.ts';

const P = PAGE_SIZE;
const AT = 0x1000000;
const DOORS: readonly IommufdDoor[] = ['interconnect', 'pal', 'converter'];
const ONE = [[2 * P, 4 * P]] as const;
/** Neighbours at first, then a gap, then backwards. */
const SEVERAL = [
  [4 * P, P],
  [5 * P, P],
  [9 * P, P],
  [P, P],
] as const;
const numberOf = (outcome: Outcome<U64>): number => (outcome.ok ? u64Number(outcome.value) : -outcome.errno);

/** The ways to a door; the interconnect has two. */
const ways = [
  { way: 'interconnect, as in 7.3.4', door: 'interconnect', wired: true },
  { way: 'interconnect, by mapping type', door: 'interconnect', wired: false },
  { way: 'pal', door: 'pal', wired: false },
  { way: 'converter', door: 'converter', wired: false },
] as const;
type Way = (typeof ways)[number];

function rig({ door, wired }: Way): DoorMachine {
  return new DoorMachine({ door, interconnects: wired ? [lenderInterconnect] : [] });
}

/** Mapping types need none of the tables that the old attach wants. */
function lend(
  machine: DoorMachine,
  { wired }: Way,
  ranges: readonly (readonly [number, number])[],
): LendingExporter {
  const lender = machine.lend(ranges);
  if (wired) lender.acceptOldImporters();
  return lender;
}

describe.each(ways)('$way', (way) => {
  const several = way.door !== 'interconnect';

  it.each([
    { key: 'all of one range', ranges: ONE, start: 0, length: 4 * P, pages: [2, 3, 4, 5] },
    { key: 'a window', ranges: ONE, start: P, length: 2 * P, pages: [3, 4] },
    { key: 'several ranges', ranges: SEVERAL, start: 0, length: 4 * P, pages: [4, 5, 9, 1] },
    { key: 'a window over ranges', ranges: SEVERAL, start: P, length: 2 * P, pages: [5, 9] },
  ])('$key: shown in each domain, copied, moved by a device, and gone at once when taken back', (row) => {
    const machine = rig(way);
    const ioas = machine.ioas();
    const other = machine.ioas();
    machine.run(machine.attach(ioas, machine.vtd(0)));
    machine.run(machine.attach(other, machine.vtd(1)));
    const lender = lend(machine, way, row.ranges);
    const { start, length } = row;
    const mapped = numberOf(machine.run(machine.mapFile(ioas, lender.fd, start, length, AT)));
    if (row.ranges.length > 1 && !several) {
      expect([mapped, lender.dmabuf.attachments.length, lender.dmabuf.refs]).toEqual([
        -Errno.EOPNOTSUPP,
        0,
        1,
      ]);
      return;
    }
    expect(mapped).toBe(AT);
    expect(numberOf(machine.run(machine.copy(ioas, AT, length, other)))).toBe(AT);
    expect(machine.run(machine.addDomain(ioas))).toBe(0);
    expect(machine.domains).toHaveLength(3);
    for (const domain of machine.domains) {
      expect(row.pages.map((_, at) => machine.barPage(domain, AT + at * P))).toEqual(row.pages);
    }
    for (const [at, page] of row.pages.entries()) {
      for (const which of [0, 1]) {
        expect(machine.write(AT + at * P + 16, Uint8Array.of(at + 1, which + 7), which)).toBe('success');
        expect([...machine.bar.pageBytes(page).subarray(16, 18)]).toEqual([at + 1, which + 7]);
      }
    }
    machine.run(lender.take());
    expect([machine.leaves, lender.kref]).toEqual([0, 1]);
    const before = [...machine.bar.pageBytes(row.pages[0] ?? 0)];
    for (const which of [0, 1]) expect(machine.write(AT, Uint8Array.of(99), which)).not.toBe('success');
    expect([...machine.bar.pageBytes(row.pages[0] ?? 0)]).toEqual(before);
    for (const space of [ioas, other]) {
      expect(numberOf(machine.run(machine.unmap(space, AT, length)))).toBe(length);
    }
    expect([lender.dmabuf.attachments.length, lender.dmabuf.refs, machine.rules()]).toEqual([0, 1, []]);
  });

  it.each([0, 512, 2048])('from byte %d of a page', (byte) => {
    const machine = rig(way);
    const ioas = machine.ioas();
    const device = machine.mock();
    const lender = lend(machine, way, several ? SEVERAL : ONE);
    const attached = machine.run(machine.attach(ioas, device));
    expect(attached.ok).toBe(true);
    const mapped = machine.run(machine.mapFile(ioas, lender.fd, P + byte, 2 * P - byte));
    const [domain] = machine.domains;
    if (byte === 512) {
      // The mock IOMMU has pages of 2 KiB.
      expect([numberOf(mapped), lender.kref]).toEqual([-Errno.EINVAL, 1]);
      return;
    }
    if (!mapped.ok || domain === undefined) throw new Error('not mapped');
    const at = u64Number(mapped.value);
    const page = several ? [5, 9] : [3, 4];
    expect([at % P, domain.byteAt(mapped.value), machine.barPage(domain, at)]).toEqual([byte, byte, page[0]]);
    expect([domain.byteAt(u64(at + P - byte)), machine.barPage(domain, at + P - byte)]).toEqual([0, page[1]]);
    expect(numberOf(machine.run(machine.unmap(ioas, at, 2 * P - byte)))).toBe(2 * P - byte);
    expect([machine.leaves, lender.kref, machine.rules()]).toEqual([0, 1, []]);
  });

  it('a buffer that was taken back stays dead, in later domains too, until it is imported anew', () => {
    const machine = rig(way);
    const ioas = machine.ioas();
    const lender = lend(machine, way, ONE);
    const map = (iova: number | null): number =>
      numberOf(machine.run(machine.mapFile(ioas, lender.fd, 0, 4 * P, iova)));
    expect(map(AT)).toBe(AT);
    machine.run(lender.take());
    machine.run(machine.attach(ioas, machine.vtd()));
    expect([machine.leaves, map(null)]).toEqual([0, -Errno.ENODEV]);
    machine.run(lender.giveOut());
    expect([machine.leaves, map(AT)]).toEqual([0, -Errno.EEXIST]);
    const again = map(AT + 8 * P);
    expect([again, machine.leaves]).toEqual([AT + 8 * P, 4]);
    machine.run(machine.addDomain(ioas));
    expect(machine.leaves).toBe(8);
    machine.run(machine.removeDomain(ioas));
    expect(machine.leaves).toBe(4);
    expect(numberOf(machine.run(machine.unmap(ioas, AT, 4 * P)))).toBe(4 * P);
    expect(numberOf(machine.run(machine.unmap(ioas, again, 4 * P)))).toBe(4 * P);
    expect([machine.leaves, lender.kref, lender.dmabuf.refs, machine.rules()]).toEqual([0, 1, 1, []]);
  });

  it('born taken back: refused when attaching; taken back while it is asked: refused there; nothing stays', () => {
    const machine = rig(way);
    const ioas = machine.ioas();
    const lender = lend(machine, way, ONE);
    lender.revoked = true;
    const map = (): number => numberOf(machine.run(machine.mapFile(ioas, lender.fd, 0, 4 * P)));
    expect([map(), lender.counters.attached]).toEqual([-Errno.ENODEV, 0]);
    lender.revoked = false;
    lender.onAttached = () => {
      lender.revoked = true;
    };
    expect([map(), lender.counters.attached]).toEqual([-Errno.ENODEV, 1]);
    expect([lender.dmabuf.attachments.length, lender.dmabuf.refs, lender.kref]).toEqual([0, 1, 1]);
    expect(machine.rules()).toEqual([]);
  });

  it('each allocation that fails leaves nothing behind', () => {
    let finished = false;
    for (let nth = 0; !finished; nth += 1) {
      const machine = rig(way);
      const ioas = machine.ioas();
      machine.run(machine.attach(ioas, machine.vtd()));
      const lender = lend(machine, way, several ? SEVERAL : ONE);
      let left = nth;
      machine.platform.dmaBufs.allocate = () => {
        left -= 1;
        return left >= 0;
      };
      const mapped = numberOf(machine.run(machine.mapFile(ioas, lender.fd, 0, 4 * P, AT)));
      machine.platform.dmaBufs.allocate = () => true;
      finished = left >= 0;
      expect(mapped).toBe(finished ? AT : -Errno.ENOMEM);
      if (finished) machine.run(machine.unmap(ioas, AT, 4 * P));
      expect([machine.leaves, lender.kref, lender.dmabuf.refs]).toEqual([0, 1, 1]);
      expect([lender.dmabuf.attachments.length, machine.rules()]).toEqual([0, []]);
    }
  });

  it('an entry in the way is -EEXIST of the table, and nothing of the area stays', () => {
    const machine = rig(way);
    const ioas = machine.ioas();
    machine.run(machine.attach(ioas, machine.vtd()));
    const lender = lend(machine, way, several ? SEVERAL : ONE);
    const [domain] = machine.domains;
    domain?.map(u64(AT + 2 * P), frameOf(machine.barBase), 0, P, 3);
    const mapped = numberOf(machine.run(machine.mapFile(ioas, lender.fd, 0, 4 * P, AT)));
    expect(mapped).toBeLessThan(0);
    expect([machine.leaves, lender.kref, lender.dmabuf.refs]).toEqual([1, 1, 1]);
  });
});

describe('doors together', () => {
  it('the exporter’s order decides; a door that cannot express the buffer is left out', () => {
    const found = [ONE, SEVERAL].map((ranges) => {
      const machine = new DoorMachine({ door: ['converter', 'pal', 'interconnect'] });
      const lender = machine.lend(ranges);
      expect(numberOf(machine.run(machine.mapFile(machine.ioas(), lender.fd, 0, 4 * P, AT)))).toBe(AT);
      return [lender.counters.interconnects, lender.counters.attached, lender.counters.lists];
    });
    expect(found).toEqual([
      [1, 1, 0],
      [1, 2, 1],
    ]);
  });

  it.each([
    { offers: ['pal'], door: 'converter', errno: Errno.EINVAL },
    { offers: ['converter'], door: 'pal', errno: Errno.EINVAL },
    { offers: ['pal'], door: 'interconnect', errno: Errno.EINVAL },
    { offers: ['interconnect'], door: ['pal', 'converter'], errno: Errno.EINVAL },
    { offers: ['interconnect'], door: ['pal', 'interconnect'], errno: 0 },
  ] as const)('offers $offers at the door $door: $errno', ({ offers, door, errno }) => {
    const machine = new DoorMachine({ door });
    const lender = machine.lend(ONE, offers);
    const mapped = machine.run(machine.mapFile(machine.ioas(), lender.fd, 0, P));
    expect([mapped.ok ? 0 : mapped.errno, machine.rules()]).toEqual([errno, []]);
  });

  const broken = [
    { key: 'empty', ranges: [], size: 4 * P },
    { key: 'shorter', ranges: [[0, 3 * P]], size: 4 * P },
    {
      key: 'zero length',
      ranges: [
        [0, 4 * P],
        [8 * P, 0],
      ],
      size: 4 * P,
    },
    { key: 'unaligned', ranges: [[8, 4 * P]], size: 4 * P },
  ] as const;
  it.each(broken)('a list that is $key is -EINVAL at both doors that take lists', ({ ranges, size }) => {
    for (const door of ['pal', 'converter'] as const) {
      const machine = new DoorMachine({ door });
      const lender = machine.lend(ranges, DOORS, 'good', size);
      const mapped = numberOf(machine.run(machine.mapFile(machine.ioas(), lender.fd, 0, P)));
      expect([mapped, lender.kref, lender.dmabuf.refs]).toEqual([-Errno.EINVAL, 1, 1]);
      expect(machine.rules()).toEqual(['dma-buf-phys-list']);
    }
  });

  it('ranges that overlap are shown as they are listed', () => {
    for (const door of ['pal', 'converter'] as const) {
      const machine = new DoorMachine({ door });
      const ioas = machine.ioas();
      machine.run(machine.attach(ioas, machine.vtd()));
      const lender = machine.lend([
        [0, 2 * P],
        [P, 2 * P],
      ]);
      machine.run(machine.mapFile(ioas, lender.fd, 0, 4 * P, AT));
      const shown = machine.domains.map((domain) =>
        [0, 1, 2, 3].map((at) => machine.barPage(domain, AT + at * P)),
      );
      expect(shown).toEqual([[0, 1, 1, 2]]);
    }
  });
});

describe('traits', () => {
  it.each(DOORS)('%s: computed from runs', (door) => {
    expect(traitsOf(door)).toEqual(doorTraits[door]);
  });
});

function traitsOf(door: IommufdDoor): IommufdDoorTraits {
  const machine = new DoorMachine({ door });
  const [ioas, other] = [machine.ioas(), machine.ioas()];
  machine.run(machine.attach(ioas, machine.vtd(0)));
  machine.run(machine.attach(other, machine.vtd(1)));
  const lender = machine.lend(ONE);
  const asks = (): number => lender.counters.interconnects + lender.counters.lists;
  machine.run(machine.mapFile(ioas, lender.fd, 0, 4 * P, AT));
  const asksForImport = asks();
  const counted = lender.kref > 1;
  machine.run(machine.copy(ioas, AT, 4 * P, other));
  const asksForDomain = asks() - asksForImport;
  const kept = machine.log.events.length;
  expect(kept).toBeGreaterThan(0);
  const { attachments } = lender.dmabuf;
  const pages = attachments[0]?.importerPriv as { readonly source: { readonly buffer: object } };
  const exposesPhysicalAddresses = holds(pages.source.buffer, lender.physVec[0]?.paddr ?? -1);
  machine.run(lender.take());
  const revoke = machine.leaves === 0;
  machine.run(lender.giveOut());
  const move = machine.leaves > 0;
  const ranges = machine.lend(SEVERAL);
  const severalRanges = machine.run(machine.mapFile(ioas, ranges.fd, 0, 4 * P)).ok;
  return { exposesPhysicalAddresses, severalRanges, revoke, move, counted, asksForImport, asksForDomain };
}

/** Objects that belong to somebody else. */
const FOREIGN = new Set(['dmabuf', 'attach', 'area', 'domain']);

/** True when `value` can be read from `object`: in its fields, or from what its methods without arguments of trouble tell. */
function holds(object: object, value: number, seen: Set<object> = new Set()): boolean {
  if (seen.has(object)) return false;
  seen.add(object);
  if ('runAt' in object && typeof object.runAt === 'function') {
    const run = (object.runAt as (page: number, most: number) => { frame: number }).call(object, 0, 1);
    return run.frame * P === value;
  }
  return Object.entries(object).some(([name, field]: [string, unknown]) => {
    if (FOREIGN.has(name)) return false;
    return typeof field === 'object' && field !== null ? holds(field, value, seen) : field === value;
  });
}

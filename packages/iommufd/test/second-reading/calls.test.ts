// A second reading of drivers/iommu/iommufd: what it answers and no other test here asks.
// A row of the table is a fresh populated world, the steps, and what each of them answers; nothing is left behind.
import { Errno, ProcessMemory } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import {
  decodeIommufdStruct,
  type IommufdAccess,
  type IommufdAccessOps,
  type IommufdFieldValues,
  IommufdHwptPaging,
  IommufdProcess,
  IoptAccess,
  iommufdAccessAttach,
  iommufdAccessCreate,
  iommufdAccessDestroy,
  iommufdAccessPinPages,
  iommufdAccessRw,
  iommufdAccessUnpinPages,
  iommufdIoasMapFile,
  iommufdTestMockDomain,
  ioptChangeProcess,
  ioptCutIova,
  u64,
  u64OfBigint,
} from '../../src/index.ts';
import { AbiWorld, ID, NOTHING_LEFT, P } from '../abi-world.ts';
import { CoreMachine, numberOf } from '../core-machine.ts';

const MAX = 2n ** 64n - 1n;
/** The lowest number that a populated world has free. */
const NEXT = 8;

/**
 * Name | steps | answers. Numbers are hex and `-` leaves the choice of the IOVA to the kernel. Address space 1 is `plain`,
 * 2 is `mapped`, 3 the mock device, 6 the table made by hand; the areas are those of the populated world.
 */
const TABLE = `
the last byte of memory ends at 2^64 | map - 1 va=ffffffffffffffff | EOVERFLOW
the last byte of a file does not pass it | file ffffffffffffffff 1 fd=plain; file ffffffffffffffff 2 | 1fff EOVERFLOW
two bytes less than 2^64 | map 50000 fffffffffffffffe va=0 | EINVAL
the longest area | ioas; map 0 fffffffffffff000 va=0 in=8; map - ffffffffffffefff va=0 in=8; map 0 ffffffffffffefff va=0 in=8 | 8 EINVAL EOVERFLOW 0
the last page of the space | map fffffffffffff000 1000; map fffffffffffffffe 1; copy fffffffffffff000 1000 0; unmap fffffffffffff000 1000 | fffffffffffff000 EEXIST 0 1000
a source need not exist without a table | map 50000 1000 va=1000; unmap 50000 1000 | 50000 1000
nor must areas fit a device that comes later | device 1; unmap 0 ffffffffffffffff; device 1 | EADDRINUSE 8000 0
an offset larger than the alignment is put in by OR | map - 1 at=801; map - 1 at=801 | 1801 1803
a copy is aligned as its first byte is | copy 11800 800 - | 1800
areas in allowed ranges are no conflict, but taken | allow 10000-14fff; map - 1000; map - 1000 | 0 14000 ENOSPC
allowed ranges that touch are one | allow 41000-41fff 40000-40fff; map - 2000 | 0 40000
the next allowed range when the first has no room | allow 41000-41fff 60000-6ffff; map - 2000; map - 1000 | 0 60000 41000
the first page is never chosen | allow 0-fff; map - 1000; map 0 1000 | 0 ENOSPC 0
the last page is never chosen | allow fffffffffffff000-ffffffffffffffff; map - 1000; map fffffffffffff000 1000 | 0 ENOSPC fffffffffffff000
a hole of one byte is none | allow 50000-50001; map - 1; map - 1; map 50001 1 | 0 50000 ENOSPC 50001
a wish is not confined to allowed ranges | allow 50000-5ffff; map 70000 1000; map - 1000 | 0 70000 50000
a refused list leaves the old one, an empty one frees | allow 50000-5ffff; allow 80000-80000; map - 1000; allow; map - 1000 | 0 EINVAL 50000 0 1000
a device cannot address an allowed range | unmap 0 ffffffffffffffff; allow fff000-1000fff; device 1; allow; device 1 | 8000 0 EADDRINUSE 0 0
unmapping nearly everything | unmap 0 fffffffffffffffe; unmap 0 fffffffffffffffe; unmap 0 ffffffffffffffff | 8000 ENOENT 0
what stood before a cut area is gone | unmap 10000 11000; unmap 10000 4000; unmap 20000 4000 | ENOENT ENOENT 4000
a copy onto itself | copy 10000 1000 13fff; copy 10000 4000 10000 | EEXIST EEXIST
a copy across a gap | copy 13000 e000 50000 | ENOENT
a copy of two areas makes two | map 14000 2000; copy 13000 2000 50000; unmap 50000 1000; copy 50000 1000 -; unmap 51000 1000 | 14000 50000 1000 ENOENT 1000
permission narrows, and widens up to that of the pages | copy 10000 1000 50000 flags=4; copy 50000 1000 51000 flags=2; copy 20000 1000 52000 flags=2 | 50000 51000 EPERM
a second area that is not writable makes none | map 14000 1000 flags=4; copy 13000 2000 50000; unmap 50000 2000; copy 13000 2000 50000 flags=4 | 14000 EPERM ENOENT 50000
a border that suits no table is refused by the table | map 50000 3e8; map 503e8 418 at=800; copy 50000 800 1100000 to=2; pinned; unmap 1100000 800 in=2 | 50000 503e8 ENXIO 4 ENOENT
a copy pins nothing more and keeps its pages | pinned; copy 1011000 2000 1200000 from=2 to=2; pinned; unmap 1010000 4000 in=2; pinned | 4 1200000 4 4000 2
the alignment follows small pages | option 0 1 0; alignment 1; option 0 1 0; option 1 1 0; option 0 1 1; alignment 1 | 0 1000 0 0 1 1
small pages while a table shows nothing | unmap 0 ffffffffffffffff in=2; option 0 2 0; map - 800 in=2; map - 1000 in=2; option 0 2 0; option 0 2 1; alignment 2 | 4000 0 EINVAL 1000000 0 1 800
alignment and aperture go with the last table | destroy 3; alignment 2; destroy 2; destroy 6; alignment 2; map 0 3 in=2 at=1 | 0 800 EBUSY 0 1 0
the compatibility address space is forgotten with it | vfio 1 1; vfio 0 0; destroy 1; vfio 0 0; ioas; vfio 0 0 | 1 1 0 ENODEV 1 ENODEV
a page table: its flags, and no number lost by a refusal | hwpt 4 fault_id=99; hwpt 10; hwpt 8; hwpt a; hwpt 0 __reserved2=1; destroy 8 | ENOENT EOPNOTSUPP 8 9 a 0
`;

type Options = Readonly<Record<string, bigint>>;
type Step = (world: AbiWorld, numbers: readonly bigint[], options: Options) => bigint | number;

/** A field of a call's answer, or the negative errno. */
function ask(world: AbiWorld, name: string, field: string, fields: IommufdFieldValues): bigint | number {
  const { errno, bytes } = world.call(name, fields);
  return errno === 0 ? (decodeIommufdStruct(name, bytes)[field] as bigint | number) : -errno;
}

const small = (options: Options, name: string, otherwise: number): number =>
  Number(options[name] ?? otherwise);

/** Flags and the IOVA, which is missing when the kernel chooses. */
const placed = (options: Options, name: string, iova?: bigint): IommufdFieldValues => ({
  flags: small(options, 'flags', 6) | (iova === undefined ? 0 : 1),
  [name]: iova ?? 0n,
});

const STEPS: Readonly<Record<string, Step>> = {
  map: (world, [length = 0n, iova], o) => {
    const user_va = o['va'] ?? BigInt(world.buffer) + (o['at'] ?? 0n);
    const fields = { ioas_id: small(o, 'in', 1), user_va, length, ...placed(o, 'iova', iova) };
    return ask(world, 'iommu_ioas_map', 'iova', fields);
  },
  file: (world, [start = 0n, length = 0n], o) => {
    const fields = { flags: 6, ioas_id: small(o, 'in', 1), fd: small(o, 'fd', 63), start, length };
    return ask(world, 'iommu_ioas_map_file', 'iova', fields);
  },
  copy: (world, [src_iova = 0n, length = 0n, dst], o) => {
    const ids = { dst_ioas_id: small(o, 'to', 1), src_ioas_id: small(o, 'from', 1) };
    return ask(world, 'iommu_ioas_copy', 'dst_iova', {
      ...ids,
      src_iova,
      length,
      ...placed(o, 'dst_iova', dst),
    });
  },
  unmap: (world, [iova = 0n, length = 0n], o) =>
    ask(world, 'iommu_ioas_unmap', 'length', { ioas_id: small(o, 'in', 1), iova, length }),
  ioas: (world) => ask(world, 'iommu_ioas_alloc', 'out_ioas_id', {}),
  allow: (world, bounds) => {
    const pairs = bounds.map((first, at) => [first, bounds[at + 1] ?? 0n] as const);
    const ranges = pairs.filter((_, at) => at % 2 === 0);
    const list = { num_iovas: ranges.length, allowed_iovas: world.pokeRanges(...ranges) };
    return 0 - world.call('iommu_ioas_allow_iovas', { ioas_id: ID.plain, ...list }).errno;
  },
  device: (world, [id]) => {
    const made = world.run(iommufdTestMockDomain(world.ctx, Number(id), world.newDevice()));
    return made.ok ? 0 : -made.errno;
  },
  destroy: (world, [id]) => 0 - world.call('iommu_destroy', { id: Number(id) }).errno,
  option: (world, [op, id, val64 = 0n]) => {
    const fields = { option_id: 1, op: Number(op), object_id: Number(id), val64 };
    return ask(world, 'iommu_option', 'val64', fields);
  },
  alignment: (world, [id]) => {
    const fields = { ioas_id: Number(id), num_iovas: 8, allowed_iovas: BigInt(world.scratch) };
    return ask(world, 'iommu_ioas_iova_ranges', 'out_iova_alignment', fields);
  },
  vfio: (world, [op, id]) =>
    ask(world, 'iommu_vfio_ioas', 'ioas_id', { op: Number(op), ioas_id: Number(id) }),
  hwpt: (world, [flags], o) => {
    const others = Object.fromEntries(Object.entries(o).map(([name, value]) => [name, Number(value)]));
    const fields = { dev_id: ID.device, pt_id: ID.mapped, flags: Number(flags), ...others };
    return ask(world, 'iommu_hwpt_alloc', 'out_hwpt_id', fields);
  },
  pinned: (world) => world.mm.pinnedVm,
};

function stepOf(world: AbiWorld, text: string): string {
  const [verb = '', ...words] = text.trim().split(' ');
  const numberOfWord = (word: string): bigint =>
    word === 'plain' ? BigInt(world.plainFile) : BigInt(`0x${word}`);
  const options = words.filter((word) => word.includes('=')).map((word) => word.split('='));
  const rest = words.filter((word) => !word.includes('='));
  // What may be left out comes last: of a map that is the IOVA.
  if (verb === 'map') rest.reverse();
  const numbers = rest.filter((word) => word !== '-').flatMap((word) => word.split('-').map(numberOfWord));
  const chosen = Object.fromEntries(options.map(([name = '', value = '']) => [name, numberOfWord(value)]));
  const answer = STEPS[verb]?.(world, numbers, chosen) ?? Number.NaN;
  const errno = Object.entries(Errno).find(([, value]) => -value === Number(answer));
  return errno?.[0] ?? answer.toString(16);
}

const lines = TABLE.trim().split('\n');
it.each(lines.map((line) => line.split(' | ') as [string, string, string]))('%s', (_, steps, answers) => {
  const world = new AbiWorld().populate();
  const seen = steps.split('; ').map((step) => stepOf(world, step));
  expect(seen).toEqual(answers.split(' '));
  world.unmapAll();
  expect(world.close()).toEqual(NOTHING_LEFT);
});

it('a page table is made from the 24 bytes of the first version', () => {
  const world = new AbiWorld().populate();
  const view = new DataView(new ArrayBuffer(24));
  for (const [at, value] of [24, 0, ID.device, ID.mapped].entries()) view.setUint32(at * 4, value, true);
  expect([world.raw(0x3b89, new Uint8Array(view.buffer)), view.getUint32(16, true)]).toEqual([0, NEXT]);
});

it('a record read from before the first area on has nothing, and no error', () => {
  const world = new AbiWorld().populate();
  stepOf(world, 'hwpt 2');
  const hwpt = world.ctx.objects.at(NEXT);
  expect(hwpt instanceof IommufdHwptPaging && hwpt.domain?.markDirty(u64(0x1010000))).toBe(true);
  const window = { hwpt_id: NEXT, length: 0x8000n, page_size: BigInt(P), data: BigInt(world.scratch) };
  const read = (iova: bigint) => {
    expect(world.call('iommu_hwpt_get_dirty_bitmap', { ...window, iova }).errno).toBe(0);
    return world.peek(world.scratch, 1)[0];
  };
  // The four pages are one entry.
  expect([read(0x100f000n), read(0x1010000n)]).toEqual([0, 15]);
});

/** Runs `body` with an in-kernel user of `plain`, which is given up afterwards. */
function withAccess<T>(body: (world: AbiWorld, access: IommufdAccess) => T, ops?: IommufdAccessOps): T {
  const world = new AbiWorld().populate();
  stepOf(world, 'unmap 0 ffffffffffffffff in=2');
  const made = iommufdAccessCreate(world.ctx, ops ?? { needsPinPages: true, *unmap() {} });
  if (!made.ok || world.run(made.value.attach(ID.plain)) !== 0) throw new Error('no user');
  const result = body(world, made.value);
  world.run(iommufdAccessDestroy(made.value));
  world.unmapAll();
  expect(world.close()).toEqual(NOTHING_LEFT);
  return result;
}

describe('in-kernel users', () => {
  const pin = (world: AbiWorld, { access }: IommufdAccess, iova: number, pages: number, write = false) => {
    const pinned = world.run(iommufdAccessPinPages(access, u64(iova), u64(pages * P), write));
    return pinned.ok ? world.mm.pinnedVm : -pinned.errno;
  };

  it('hold each page until the last of the pins that overlap', () => {
    const seen = withAccess((world, user) => {
      const unpin = (iova: number) => {
        world.run(iommufdAccessUnpinPages(user.access, u64(iova), u64(3 * P)));
        return world.mm.pinnedVm;
      };
      const pins = [0x10000, 0x11000, 0x11000].map((iova) => pin(world, user, iova, 3));
      return [...pins, unpin(0x10000), unpin(0x11000), unpin(0x11000)];
    });
    expect(seen).toEqual([3, 4, 4, 3, 3, 0]);
  });

  it('are refused by the second area after the first was written, and keep no pin', () => {
    const seen = withAccess((world, user) => {
      stepOf(world, 'map 14000 1000 flags=4 at=8000');
      stepOf(world, 'map 50000 1000 flags=2');
      const data = new Uint8Array(4).fill(7);
      const rw = (iova: number, write: boolean) =>
        world.run(iommufdAccessRw(user.access, u64(iova), data, write));
      const moved = [rw(0x13ffe, true), ...world.peek(world.buffer + 4 * P - 2, 2)];
      const pins = [pin(world, user, 0x13000, 2, true), world.mm.pinnedVm, pin(world, user, 0x50000, 1)];
      return [...moved, ...pins, rw(0x50000, false), rw(0x50000, true)];
    });
    expect(seen).toEqual([-Errno.EPERM, 7, 7, -Errno.EPERM, 0, -Errno.EPERM, -Errno.EPERM, 0]);
  });

  it('do wrong when they give no byte back, or bytes past the end', () => {
    const machine = new CoreMachine();
    const access = new IoptAccess(machine.platform, { needsPinPages: true, *unmap() {} });
    expect(machine.run(iommufdAccessAttach(access, machine.ioas().iopt))).toBe(0);
    for (const bytes of [0, 2]) machine.run(iommufdAccessUnpinPages(access, u64OfBigint(MAX), u64(bytes)));
    expect(machine.rules()).toEqual(['iommufd-unpin-unknown', 'iommufd-unpin-unknown']);
  });

  it('that are attached are told so before the address space is looked up', () => {
    expect(withAccess((world, user) => world.run(user.attach(ID.none)))).toBe(-Errno.EINVAL);
  });

  it('that are being detached are busy for attaching, and detached for all else', () => {
    const seen: number[] = [];
    let user: IommufdAccess | null = null;
    function* unmap() {
      if (user === null || seen.length > 0) return;
      seen.push(yield* user.attach(ID.none), yield* user.attach(ID.plain), yield* user.replace(ID.plain));
      const pinned = yield* iommufdAccessPinPages(user.access, u64(0x10000), u64(P), false);
      seen.push(pinned.ok ? 0 : -pinned.errno);
    }
    withAccess(
      (world, access) => {
        user = access;
        world.run(access.detach());
        seen.push(world.run(access.attach(ID.plain)));
      },
      { needsPinPages: true, unmap },
    );
    expect(seen).toEqual([-Errno.ENOENT, -Errno.EBUSY, -Errno.ENOENT, -Errno.ENOENT, 0]);
  });
});

describe('charges', () => {
  /** A file of which pages 0 and 1 are shown twice, in two address spaces. */
  function shared() {
    const world = new AbiWorld().populate();
    world.unmapAll();
    const fd = world.memfd.toString(16);
    expect(stepOf(world, `file 0 2000 in=2 fd=${fd}`)).toBe('1000000');
    expect(stepOf(world, 'copy 1000000 2000 - from=2')).toBe('2000');
    const { memory, pages, scheduler } = world;
    const heir = (rlimitMemlock: number) =>
      new IommufdProcess(new ProcessMemory({ memory, pages, scheduler, rlimitMemlock }));
    const change = (process: IommufdProcess): number => {
      world.ctx.process = process;
      return world.call('iommu_ioas_change_process').errno;
    };
    return { world, heir, change };
  }

  it('move once for pages that are shown twice', () => {
    const { world, heir, change } = shared();
    const [poor, fitting] = [heir(2 * P - 1), heir(2 * P)];
    // One area of the process's memory, be it in another address space, and nothing moves.
    stepOf(world, 'map 50000 1000');
    expect([change(fitting), world.mm.pinnedVm, fitting.mm.pinnedVm]).toEqual([Errno.EINVAL, 2, 0]);
    stepOf(world, 'unmap 50000 1000');
    expect([change(poor), world.process.user.lockedVm, poor.user.lockedVm]).toEqual([Errno.ENOMEM, 2, 0]);
    expect([change(fitting), world.process.user.lockedVm, fitting.user.lockedVm]).toEqual([0, 0, 2]);
    expect([world.mm.pinnedVm, fitting.mm.pinnedVm]).toEqual([0, 2]);
    world.unmapAll();
    expect([fitting.mm.pinnedVm, fitting.user.lockedVm]).toEqual([0, 0]);
  });

  it.each(['user', 'mm'] as const)('%s: a limit binds also who may lock as it likes', (mode) => {
    const machine = new CoreMachine();
    machine.ctx.accountMode = mode;
    const ioas = machine.ioas();
    machine.attach(ioas);
    expect(numberOf(machine.mapFile(ioas, machine.memfd(8 * P).fd, 0, 2 * P))).toBe(0x1000000);
    const able = machine.newProcess({ rlimitMemlock: P, capIpcLock: true });
    expect(machine.run(ioptChangeProcess([ioas.iopt], able))).toBe(-Errno.ENOMEM);
    expect([machine.process.mm.pinnedVm, able.mm.pinnedVm]).toEqual([2, 0]);
    expect(machine.close()).toEqual([0, 0, 0]);
  });
});

describe('buffers', () => {
  it('end where their size says, at the end of all offsets too', () => {
    const machine = new CoreMachine();
    const ioasId = machine.ioas().id;
    const { fd } = machine.buffer(4 * P);
    const at = (start: bigint, length: number): number => {
      const request = { flags: 6, ioasId, fd, start: u64OfBigint(start), length: u64(length), iova: u64(0) };
      return numberOf(machine.run(iommufdIoasMapFile(machine.ctx, request)));
    };
    expect([at(MAX, 1), at(MAX, 2), at(0x3fffn, 2), at(0x4000n, 1)]).toEqual([-22, -75, -22, -22]);
    expect(at(0x3fffn, 1)).toBe(0x1fff);
  });

  it('are let go when the IOVA is taken, and kept by a dead copy until it is unmapped', () => {
    const machine = new CoreMachine();
    const ioas = machine.ioas();
    machine.attach(ioas);
    const buffer = machine.buffer(4 * P);
    const attachments = (): number => buffer.dmabuf.attachments.length;
    const iova = numberOf(machine.mapFile(ioas, buffer.fd, 0, 4 * P));
    expect([iova, attachments()]).toEqual([0x1000000, 1]);
    const taken = numberOf(machine.mapFile(ioas, buffer.fd, 0, P, u64(iova)));
    expect([taken, attachments()]).toEqual([-Errno.EEXIST, 1]);
    machine.revoke(buffer, true);
    const dead = numberOf(machine.copy(ioas, u64(iova + P), u64(2 * P), ioas, null));
    expect([numberOf(machine.unmap(ioas, iova, 4 * P)), attachments()]).toEqual([4 * P, 1]);
    expect([numberOf(machine.unmap(ioas, dead, 2 * P)), attachments()]).toEqual([2 * P, 0]);
    expect([machine.close(), machine.rules()]).toEqual([[0, 0, 0], []]);
  });

  it('are not cut, whatever else is wrong; and no area is cut behind its first byte', () => {
    const machine = new CoreMachine({ capIpcLock: true });
    const ioas = machine.ioas();
    machine.attach(ioas);
    const cut = (at: number): number => machine.run(ioptCutIova(ioas.iopt, [u64(at)]));
    const iova = numberOf(machine.mapFile(ioas, machine.buffer(4 * P).fd, 0, 4 * P));
    expect([cut(iova + P - 1), cut(iova + 1), cut(iova), cut(iova + 4 * P - 1)]).toEqual([-95, -95, 0, 0]);
    machine.mmap(P, 2 ** 31);
    const user = numberOf(machine.map(ioas, u64(2 ** 31), u64(P)));
    expect([cut(user), cut(user + 1), cut(user + 2047)]).toEqual([0, -Errno.EINVAL, -Errno.EINVAL]);
  });
});

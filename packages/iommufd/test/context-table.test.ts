// The tests of the kernel's own suite that concern a context as a whole.
// Of selftests/iommu/iommufd.c: cmd_fail, cmd_length, cmd_ex_fail, global_options, change_process, vfio_ioas.
import { Errno, ProcessMemory } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { decodeIommufdStruct, encodeIommufdStruct, IOMMUFD_STRUCTS, IommufdProcess } from '../src/index.ts';
import { AbiWorld, ID, NOTHING_LEFT, P } from './abi-world.ts';

const DESTROY = 0x3b80;

/** Bytes of a structure followed by others; `size` counts them all. */
function withTail(bytes: Uint8Array, ...tail: number[]): Uint8Array {
  const longer = Uint8Array.from([...bytes, ...tail]);
  new DataView(longer.buffer).setUint32(0, longer.length, true);
  return longer;
}

describe('wrong numbers and addresses', () => {
  it('knows no object 0', () => {
    expect(new AbiWorld().call('iommu_destroy', { id: 0 }).errno).toBe(Errno.ENOENT);
  });

  it.each([null, 0, 0x1000, 2 ** 47, new Uint8Array(3)])('cannot read %s', (argument) => {
    expect(new AbiWorld().raw(DESTROY, argument)).toBe(Errno.EFAULT);
  });

  const unknown = [0x3b7f, 0x3b00, 0x3b96, 0x3bff, 0, 0x80, 0x3a80, 0xc0083b80, 0x80003b85, 0xffffffff];
  it.each(unknown)('has no call %i', (request) => {
    expect(new AbiWorld().raw(request, new Uint8Array(64))).toBe(Errno.ENOTTY);
  });

  it('looks at the memory before a number that has the low byte of a call', () => {
    expect(new AbiWorld().raw(0xc0083b80, null)).toBe(Errno.EFAULT);
    expect(new AbiWorld().raw(0x3b7f, null)).toBe(Errno.ENOTTY);
  });
});

describe.each(IOMMUFD_STRUCTS.map(({ name }) => name))('lengths of %s', (name) => {
  const layout = IOMMUFD_STRUCTS.find((struct) => struct.name === name);
  const { request = 0, minBytes = 0 } = layout ?? {};

  it('refuses one byte less than the smallest size', () => {
    const bytes = encodeIommufdStruct(name, { size: minBytes - 1 });
    expect(new AbiWorld().raw(request, bytes)).toBe(Errno.EINVAL);
  });

  it('refuses a byte that it does not know', () => {
    expect(new AbiWorld().raw(request, withTail(encodeIommufdStruct(name), 0xff))).toBe(Errno.E2BIG);
  });

  it('takes a byte of zero that it does not know', () => {
    const exact = new AbiWorld().raw(request, encodeIommufdStruct(name));
    expect(new AbiWorld().raw(request, withTail(encodeIommufdStruct(name), 0))).toBe(exact);
    expect([Errno.E2BIG, Errno.EFAULT, Errno.ENOTTY].map(Number)).not.toContain(exact);
  });

  it('fills what is missing with zeros', () => {
    const exact = new AbiWorld().raw(request, encodeIommufdStruct(name));
    const short = encodeIommufdStruct(name, { size: minBytes }).subarray(0, minBytes);
    expect(new AbiWorld().raw(request, short)).toBe(exact);
  });

  it('cannot read a structure that ends before its size', () => {
    const bytes = encodeIommufdStruct(name);
    expect(new AbiWorld().raw(request, bytes.subarray(0, bytes.length - 1))).toBe(Errno.EFAULT);
  });
});

describe('structures that are longer', () => {
  const destroy = encodeIommufdStruct('iommu_destroy');
  it.each([
    ['16 bytes, the last 8 zero', withTail(destroy, 0, 0, 0, 0, 0, 0, 0, 0), Errno.ENOENT],
    ['16 bytes, not all zero', withTail(destroy, 0, 0, 0, 0, 0, 0, 0, 1), Errno.E2BIG],
    ['8 bytes', destroy, Errno.ENOENT],
    ['7 bytes', encodeIommufdStruct('iommu_destroy', { size: 7 }), Errno.EINVAL],
    ['no bytes', encodeIommufdStruct('iommu_destroy', { size: 0 }), Errno.EINVAL],
    ['a tail that ends too early', encodeIommufdStruct('iommu_destroy', { size: 9 }), Errno.EFAULT],
  ])('%s', (_, bytes, errno) => {
    expect(new AbiWorld().raw(DESTROY, bytes)).toBe(errno);
  });

  it('finds a byte before the end of memory', () => {
    const bytes = withTail(destroy, 0, 1);
    new DataView(bytes.buffer).setUint32(0, 0xffffffff, true);
    expect(new AbiWorld().raw(DESTROY, bytes)).toBe(Errno.E2BIG);
    bytes[9] = 0;
    expect(new AbiWorld().raw(DESTROY, bytes)).toBe(Errno.EFAULT);
  });
});

describe('options of a context', () => {
  const rlimit = (world: AbiWorld, op: number, value = 0n) => {
    const { errno, bytes } = world.call('iommu_option', { option_id: 0, op, val64: value });
    return [errno, decodeIommufdStruct('iommu_option', bytes)['val64']];
  };

  it('reads and sets how pins are charged', () => {
    const world = new AbiWorld();
    expect(rlimit(world, 1)).toEqual([0, 0n]);
    expect(rlimit(world, 0, 1n)).toEqual([0, 1n]);
    expect(rlimit(world, 0, 2n)).toEqual([Errno.EINVAL, 2n]);
    expect(rlimit(world, 1)).toEqual([0, 1n]);
    expect(rlimit(world, 0, 0n)).toEqual([0, 0n]);
  });

  it('knows no large pages of object 0', () => {
    const world = new AbiWorld();
    expect(world.call('iommu_option', { option_id: 1, op: 1 }).errno).toBe(Errno.ENOENT);
    expect(world.call('iommu_option', { option_id: 1, op: 0 }).errno).toBe(Errno.ENOENT);
  });

  it('wants a privilege', () => {
    const world = new AbiWorld(1, { capSysResource: false });
    expect(rlimit(world, 0, 2n)[0]).toBe(Errno.EPERM);
    expect(rlimit(world, 1)).toEqual([0, 0n]);
  });
});

describe.each([
  ['none', 0],
  ['user', 0],
  ['mm', 4],
] as const)('another process, charged to %s', (mode, lockedAfter) => {
  const build = () => {
    const world = new AbiWorld(1, { capIpcLock: mode === 'none' });
    if (mode === 'mm') world.call('iommu_option', { option_id: 0, op: 0, val64: 1n });
    world.populate();
    world.call('iommu_ioas_unmap', { ioas_id: ID.plain, length: 2n ** 64n - 1n });
    const { memory, pages, scheduler } = world;
    const child = new IommufdProcess(new ProcessMemory({ memory, pages, scheduler }), world.process.user);
    return { world, child };
  };

  it('refuses memory of the process', () => {
    const { world } = build();
    expect(world.call('iommu_ioas_change_process').errno).toBe(Errno.EINVAL);
    expect(world.close()).toEqual(NOTHING_LEFT);
  });

  it('moves what is charged for a file', () => {
    const { world, child } = build();
    world.call('iommu_ioas_unmap', { ioas_id: ID.mapped, length: 2n ** 64n - 1n });
    expect(world.mm.pinnedVm).toBe(0);
    const file = { ioas_id: ID.mapped, flags: 6, fd: world.memfd, length: BigInt(P) };
    expect(world.call('iommu_ioas_map_file', file).errno).toBe(0);
    expect(world.call('iommu_ioas_change_process').errno).toBe(0);
    expect(world.mm.pinnedVm).toBe(1);
    expect(world.process.lockedVm * 4).toBe(lockedAfter);
    world.ctx.process = child;
    expect(world.call('iommu_ioas_change_process').errno).toBe(0);
    const moved = mode !== 'none';
    expect([world.mm.pinnedVm, child.mm.pinnedVm]).toEqual(moved ? [0, 1] : [1, 0]);
    expect([world.process.lockedVm * 4, child.lockedVm * 4]).toEqual([0, lockedAfter]);
    expect(world.process.user.lockedVm).toBe(mode === 'user' ? 1 : 0);
    world.ctx.process = world.process;
    expect(world.close()).toEqual(NOTHING_LEFT);
    expect([child.mm.pinnedVm, child.lockedVm]).toEqual([0, 0]);
  });
});

it('the address space for VFIO', () => {
  const world = new AbiWorld();
  const vfio = (op: number, id = 0) => {
    const { errno, bytes } = world.call('iommu_vfio_ioas', { op, ioas_id: id });
    return [errno, decodeIommufdStruct('iommu_vfio_ioas', bytes)['ioas_id']];
  };
  expect(world.call('iommu_ioas_alloc').errno).toBe(0);
  expect(vfio(0)).toEqual([Errno.ENODEV, 0]);
  expect(vfio(1, 42)).toEqual([Errno.ENOENT, 42]);
  expect(vfio(1, 1)).toEqual([0, 1]);
  expect(vfio(0)).toEqual([0, 1]);
  expect(vfio(2)).toEqual([0, 0]);
  expect(vfio(0)).toEqual([Errno.ENODEV, 0]);
  expect(vfio(1, 1)).toEqual([0, 1]);
  expect(world.call('iommu_destroy', { id: 1 }).errno).toBe(0);
  expect(vfio(0)).toEqual([Errno.ENODEV, 0]);
  expect(world.close()).toEqual(NOTHING_LEFT);
});

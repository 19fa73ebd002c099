// Nested page tables: what a driver that can nest is asked, what it refuses, and what depends on what.
// The refusals are those of alloc_hwpt_nested in selftests/iommu/iommufd.c.
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import {
  IommufdDevice,
  type IommufdFieldValues,
  iommufdDeviceAttach,
  iommufdDeviceDetach,
  iommufdDeviceReplace,
  iommufdDeviceUnbind,
} from '../src/index.ts';
import { AbiWorld, ID, NOTHING_LEFT } from './abi-world.ts';
import { DATA_BYTES, NestingDevice, SELFTEST } from './nesting-device.ts';

/** The number of the device that can nest, and of the first object after it. */
const NESTING = 8;
const NEXT = 9;

function bench() {
  const world = new AbiWorld().populate();
  const device = new NestingDevice({ memory: world.memory, frames: world.frames });
  expect(world.bind(device)).toBe(NESTING);
  const right = {
    dev_id: NESTING,
    pt_id: ID.parent,
    data_type: SELFTEST,
    data_len: DATA_BYTES,
    data_uptr: BigInt(world.scratch),
  };
  const alloc = (wrong: IommufdFieldValues = {}) =>
    world.call('iommu_hwpt_alloc', { ...right, ...wrong }).errno;
  const destroy = (id: number) => world.call('iommu_destroy', { id }).errno;
  return { world, device, alloc, destroy };
}

/** In the order in which the kernel and the driver look; what a row changes stays changed in no other. */
const REFUSED: readonly (readonly [string, IommufdFieldValues, number])[] = [
  ['device is an address space', { dev_id: ID.mapped }, Errno.ENOENT],
  ['parent is a device', { pt_id: ID.device }, Errno.EINVAL],
  ['type none with data', { data_type: 0 }, Errno.EINVAL],
  ['type without data', { data_len: 0 }, Errno.EINVAL],
  ['no data at all', { data_type: 0, data_len: 0 }, Errno.EOPNOTSUPP],
  ['parent flag', { flags: 1 }, Errno.EOPNOTSUPP],
  ['dirty flag', { flags: 2 }, Errno.EOPNOTSUPP],
  ['parent that is none', { pt_id: ID.autoHwpt }, Errno.EINVAL],
  ['unknown data type', { data_type: SELFTEST + 1 }, Errno.EOPNOTSUPP],
  ['short data', { data_len: DATA_BYTES - 1 }, Errno.EINVAL],
  ['no data pointer', { data_uptr: 0n }, Errno.EFAULT],
  ['unknown queue', { flags: 4, fault_id: ID.none }, Errno.ENOENT],
  ['driver that cannot nest', { dev_id: ID.device }, Errno.EOPNOTSUPP],
  ['data for a table over an address space', { pt_id: ID.mapped }, Errno.EOPNOTSUPP],
];

describe('a nested table', () => {
  it.each(REFUSED)('is refused: %s', (_, wrong, errno) => {
    const { world, alloc } = bench();
    const before = world.ctx.objects.size;
    expect(alloc(wrong)).toBe(errno);
    expect(world.ctx.objects.size).toBe(before);
    expect(world.ctx.objects.at(ID.parent)?.users).toBe(1);
  });

  it('is refused on a parent of another driver, after its data and before the driver reads it', () => {
    const { world, device, alloc } = bench();
    Object.assign(device, { iommuDriver: { name: 'another' } });
    const before = world.ctx.objects.size;
    expect(alloc()).toBe(Errno.EINVAL);
    expect(alloc({ data_type: 0, data_len: 0 })).toBe(Errno.EOPNOTSUPP);
    expect(alloc({ data_type: SELFTEST + 1, data_uptr: 0n })).toBe(Errno.EINVAL);
    expect([world.ctx.objects.size, world.ctx.objects.at(ID.parent)?.users]).toEqual([before, 1]);
    // A parent of its own driver takes it.
    expect(alloc({ pt_id: ID.mapped, flags: 1, data_type: 0, data_len: 0 })).toBe(0);
    expect(alloc({ pt_id: NEXT })).toBe(0);
  });

  it('keeps its parent and its queue, and takes no table on top', () => {
    const { alloc, destroy } = bench();
    expect(alloc({ flags: 4, fault_id: ID.fault })).toBe(0);
    expect(alloc({ pt_id: NEXT })).toBe(Errno.EINVAL);
    expect(destroy(ID.parent)).toBe(Errno.EBUSY);
    expect(destroy(NEXT)).toBe(0);
    expect(destroy(ID.parent)).toBe(0);
  });

  it('takes devices, which move to it and away again', () => {
    const { world, device, alloc, destroy } = bench();
    expect(alloc()).toBe(0);
    const idev = world.ctx.objects.at(NESTING);
    if (!(idev instanceof IommufdDevice)) throw new Error('no device');
    expect(world.run(iommufdDeviceAttach(idev, NEXT))).toEqual({ ok: true, value: NEXT });
    expect(device.nested).not.toBeNull();
    expect(destroy(NEXT)).toBe(Errno.EBUSY);
    expect(world.run(iommufdDeviceReplace(idev, ID.parent))).toEqual({ ok: true, value: ID.parent });
    expect(destroy(NEXT)).toBe(0);
    world.run(iommufdDeviceDetach(idev));
    world.run(iommufdDeviceUnbind(idev));
    expect(world.close()).toEqual(NOTHING_LEFT);
  });

  it('has no invalidations that a driver takes', () => {
    const { world, alloc } = bench();
    expect(alloc()).toBe(0);
    expect(world.call('iommu_hwpt_invalidate', { hwpt_id: NEXT }).errno).toBe(Errno.EOPNOTSUPP);
  });
});

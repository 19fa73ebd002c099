// Nested page tables: what a driver that can nest is asked, what it refuses, and what depends on what.
// The refusals are those of alloc_hwpt_nested in selftests/iommu/iommufd.c.
import type { ModelTask } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import {
  IommufdDevice,
  type IommufdFieldValues,
  type IommuUserData,
  type IoptDomain,
  iommufdDeviceAttach,
  iommufdDeviceDetach,
  iommufdDeviceReplace,
  iommufdDeviceUnbind,
  MockDevice,
} from '../src/index.ts';
import { AbiWorld, ID, NOTHING_LEFT } from './abi-world.ts';

/** IOMMU_HWPT_DATA_SELFTEST, and the bytes of its data. */
const SELFTEST = 0xdead;
const DATA_BYTES = 4;
/** The number of the device that can nest, and of the first object after it. */
const NESTING = 8;
const NEXT = 9;

/** A mock device that can nest. */
class NestingDevice extends MockDevice {
  nested: object | null = null;

  *allocNestedDomain(_parent: IoptDomain, _flags: number, data: IommuUserData): ModelTask<Outcome<object>> {
    if (data.type !== SELFTEST) return failure(Errno.EOPNOTSUPP);
    if (data.length < DATA_BYTES) return failure(Errno.EINVAL);
    const bytes = new Uint8Array(DATA_BYTES);
    const error = yield* data.read(bytes);
    return error === 0 ? success({ bytes }) : failure(Errno.EFAULT);
  }

  attachGroupNested(nested: object): number {
    this.nested = nested;
    return 0;
  }
}

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

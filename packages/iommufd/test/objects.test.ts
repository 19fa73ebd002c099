// The life of objects: numbers, dependants, running calls, groups, tables that an address space makes for itself.
import { Errno, type Outcome } from '@sgfree/mm';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type IommufdBoundDevice,
  type IommufdDevice,
  IommufdHwptPaging,
  IommufdIoas,
  type IoptDomain,
  iommufdDestroy,
  iommufdDeviceAttach,
  iommufdDeviceBind,
  iommufdDeviceDetach,
  iommufdDeviceReplace,
  iommufdDeviceUnbind,
  iommufdGetIoas,
  iommufdGetObject,
  iommufdPutObject,
  MockDevice,
  type MockDeviceOptions,
  ObjectTable,
} from '../src/index.ts';
import { AbiWorld, ID, NOTHING_LEFT } from './abi-world.ts';

/** A mock device whose hardware can refuse a page table. */
class PickyDevice extends MockDevice {
  errno = 0;

  override attachGroup(domain: IoptDomain): number {
    return this.errno === 0 ? super.attachGroup(domain) : -this.errno;
  }
}

/** The same group as another device. */
class SiblingDevice extends MockDevice {
  override readonly group: MockDevice['group'];

  constructor(options: MockDeviceOptions, sibling: MockDevice) {
    super(options);
    this.group = sibling.group;
  }
}

const taken = <T>(outcome: Outcome<T>): T => {
  if (!outcome.ok) throw new Error(`fails with ${outcome.errno}`);
  return outcome.value;
};

function bench() {
  const world = new AbiWorld().populate();
  const parts: MockDeviceOptions = { memory: world.memory, frames: world.frames };
  const bind = (device: IommufdBoundDevice): IommufdDevice => taken(iommufdDeviceBind(world.ctx, device));
  const attach = (idev: IommufdDevice, pt: number) => world.run(iommufdDeviceAttach(idev, pt));
  const replace = (idev: IommufdDevice, pt: number) => world.run(iommufdDeviceReplace(idev, pt));
  const away = (idev: IommufdDevice) => {
    world.run(iommufdDeviceDetach(idev));
    world.run(iommufdDeviceUnbind(idev));
  };
  const newIoas = (): number => {
    world.call('iommu_ioas_alloc');
    return Math.max(...world.ctx.objects.objects.filter((o) => o instanceof IommufdIoas).map(({ id }) => id));
  };
  return { world, parts, bind, attach, replace, away, newIoas };
}

describe('numbers', () => {
  it('are the lowest free ones, whatever is taken and given back', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), (steps) => {
        const table = new ObjectTable(12);
        const taken = new Set<number>();
        for (const step of steps) {
          if (taken.has(step)) {
            table.erase(step);
            taken.delete(step);
            continue;
          }
          const free = Array.from({ length: 12 }, (_, at) => at + 1).find((id) => !taken.has(id));
          const id = table.reserve();
          expect(id).toEqual(
            free === undefined ? { ok: false, errno: Errno.EBUSY } : { ok: true, value: free },
          );
          if (id.ok) taken.add(id.value);
        }
        expect(table.size).toBe(taken.size);
      }),
    );
  });
});

describe('running calls', () => {
  it('keep an object from being destroyed by user space', () => {
    const { world } = bench();
    const ioas = taken(iommufdGetIoas(world.ctx, ID.plain));
    expect(world.call('iommu_destroy', { id: ID.plain }).errno).toBe(Errno.EBUSY);
    iommufdPutObject(ioas);
    expect(world.call('iommu_destroy', { id: ID.plain }).errno).toBe(0);
    expect(iommufdGetObject(world.ctx, ID.plain, 'any')).toEqual({ ok: false, errno: Errno.ENOENT });
    expect(world.close()).toEqual(NOTHING_LEFT);
  });

  it('are waited for by a driver that gives its device up', () => {
    const { world, parts, bind } = bench();
    const idev = bind(new MockDevice(parts));
    const held = taken(iommufdGetObject(world.ctx, idev.id, 'device'));
    const unbinding = world.scheduler.spawn('unbind', iommufdDeviceUnbind(idev));
    expect(world.scheduler.run().status).toBe('deadlock');
    expect(unbinding.done).toBe(false);
    // As long as one call uses it, others still find it.
    const another = taken(iommufdGetObject(world.ctx, idev.id, 'device'));
    iommufdPutObject(held);
    expect(world.scheduler.run().status).toBe('deadlock');
    iommufdPutObject(another);
    expect(iommufdGetObject(world.ctx, idev.id, 'device')).toEqual({ ok: false, errno: Errno.ENOENT });
    world.scheduler.run();
    expect(unbinding.done).toBe(true);
    expect(world.close()).toEqual(NOTHING_LEFT);
  });

  it('let only one of two destroyers through, in every order', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const world = new AbiWorld(seed).populate();
        const two = [1, 2].map((n) => world.scheduler.spawn(`${n}`, iommufdDestroy(world.ctx, ID.parent)));
        world.scheduler.run();
        expect(new Set(two.map(({ result }) => result))).toEqual(new Set([-Errno.ENOENT, 0]));
        expect(world.close()).toEqual(NOTHING_LEFT);
      }),
      { numRuns: 30 },
    );
  });
});

describe('tables that an address space makes for itself', () => {
  it('are shared by devices that they fit, and go with the last one', () => {
    const { world, parts, bind, attach, away, newIoas } = bench();
    const ioas = newIoas();
    const [first, second] = [bind(new MockDevice(parts)), bind(new MockDevice(parts))];
    const hwpt = taken(attach(first, ioas));
    expect(taken(attach(second, ioas))).toBe(hwpt);
    away(first);
    expect(world.ctx.objects.at(hwpt)).toBeInstanceOf(IommufdHwptPaging);
    away(second);
    expect(world.ctx.objects.at(hwpt)).toBeUndefined();
    expect(world.call('iommu_destroy', { id: ioas }).errno).toBe(0);
    expect(world.close()).toEqual(NOTHING_LEFT);
  });

  it('are never those made by hand', () => {
    const { world, parts, bind, attach, away } = bench();
    const idev = bind(new MockDevice(parts));
    expect(taken(attach(idev, ID.mapped))).toBe(ID.autoHwpt);
    away(idev);
    expect(world.ctx.objects.at(ID.autoHwpt)).toBeDefined();
    expect(world.ctx.objects.at(ID.parent)).toBeDefined();
  });

  it('are passed over only by -EINVAL', () => {
    const { world, parts, bind, attach } = bench();
    const picky = new PickyDevice(parts);
    const idev = bind(picky);
    picky.errno = Errno.ENOMEM;
    const before = world.ctx.objects.size;
    expect(attach(idev, ID.mapped)).toEqual({ ok: false, errno: Errno.ENOMEM });
    // With -EINVAL a new table is tried as well, which the device refuses too.
    picky.errno = Errno.EINVAL;
    expect(attach(idev, ID.mapped)).toEqual({ ok: false, errno: Errno.EINVAL });
    expect(world.ctx.objects.size).toBe(before);
    world.run(iommufdDeviceUnbind(idev));
    expect(world.close()).toEqual(NOTHING_LEFT);
  });

  it('are not made where a mapping is in the way', () => {
    const { world, parts, bind, attach } = bench();
    const idev = bind(new MockDevice(parts));
    expect(attach(idev, ID.plain)).toEqual({ ok: false, errno: Errno.EADDRINUSE });
    expect(idev.group.hwpt).toBeNull();
    expect(world.run(iommufdDeviceUnbind(idev))).toBeUndefined();
    expect(world.close()).toEqual(NOTHING_LEFT);
  });
});

describe('attaching', () => {
  it.each([
    [ID.none, Errno.ENOENT],
    [ID.stdev, Errno.EINVAL],
    [ID.fault, Errno.EINVAL],
    [ID.device, Errno.EINVAL],
  ])('to object %i is refused', (pt, errno) => {
    const { parts, bind, attach } = bench();
    expect(attach(bind(new MockDevice(parts)), pt)).toEqual({ ok: false, errno });
  });

  it('twice is refused', () => {
    const { parts, bind, attach, newIoas } = bench();
    const idev = bind(new MockDevice(parts));
    const ioas = newIoas();
    const hwpt = taken(attach(idev, ioas));
    expect(attach(idev, hwpt)).toEqual({ ok: false, errno: Errno.EINVAL });
    expect(attach(idev, ID.parent)).toEqual({ ok: false, errno: Errno.EINVAL });
  });

  it('gives all devices of a group the same table and attaches the hardware once', () => {
    const { world, parts, bind, attach, away, newIoas } = bench();
    const first = new MockDevice(parts);
    const second = new SiblingDevice(parts, first);
    const [one, two] = [bind(first), bind(second)];
    expect(one.group).toBe(two.group);
    const ioas = newIoas();
    const hwpt = taken(attach(one, ioas));
    expect(attach(two, ID.parent)).toEqual({ ok: false, errno: Errno.EINVAL });
    expect(taken(attach(two, hwpt))).toBe(hwpt);
    expect(second.domain).toBeNull();
    away(one);
    expect(world.ctx.objects.at(hwpt)).toBeDefined();
    away(two);
    expect(world.ctx.objects.at(hwpt)).toBeUndefined();
    expect(world.close()).toEqual(NOTHING_LEFT);
  });

  it('keeps a group with one owner', () => {
    const { world, parts } = bench();
    const device = new MockDevice(parts);
    const other = new AbiWorld();
    taken(iommufdDeviceBind(other.ctx, device));
    expect(iommufdDeviceBind(world.ctx, device)).toEqual({ ok: false, errno: Errno.EPERM });
    expect(other.close()).toEqual({ ...NOTHING_LEFT, objects: 1, violations: 1 });
  });
});

describe('replacing', () => {
  it('moves between address spaces and lets the old table go', () => {
    const { world, parts, bind, attach, replace, away, newIoas } = bench();
    const idev = bind(new MockDevice(parts));
    const [from, to] = [newIoas(), newIoas()];
    const old = taken(attach(idev, from));
    const next = taken(replace(idev, to));
    expect(next).not.toBe(old);
    expect(world.ctx.objects.at(old)).toBeUndefined();
    expect(replace(idev, old)).toEqual({ ok: false, errno: Errno.ENOENT });
    expect(taken(replace(idev, to))).toBe(next);
    expect(taken(replace(idev, ID.parent))).toBe(ID.parent);
    expect(world.call('iommu_destroy', { id: ID.parent }).errno).toBe(Errno.EBUSY);
    expect(taken(replace(idev, ID.mapped))).toBe(ID.autoHwpt);
    expect(world.call('iommu_destroy', { id: ID.parent }).errno).toBe(0);
    away(idev);
    expect(world.close()).toEqual(NOTHING_LEFT);
  });

  it('moves a whole group', () => {
    const { world, parts, bind, attach, replace, away, newIoas } = bench();
    const first = new MockDevice(parts);
    const [one, two] = [bind(first), bind(new SiblingDevice(parts, first))];
    const ioas = newIoas();
    const old = taken(attach(one, ioas));
    taken(attach(two, old));
    expect(taken(replace(two, ID.parent))).toBe(ID.parent);
    expect(world.ctx.objects.at(old)).toBeUndefined();
    expect(world.ctx.objects.at(ID.parent)?.users).toBe(3);
    away(one);
    away(two);
    expect(world.ctx.objects.at(ID.parent)?.users).toBe(1);
    expect(world.close()).toEqual(NOTHING_LEFT);
  });

  it('needs something to replace, and leaves it when the hardware refuses', () => {
    const { world, parts, bind, attach, replace, newIoas } = bench();
    const picky = new PickyDevice(parts);
    const idev = bind(picky);
    expect(replace(idev, ID.parent)).toEqual({ ok: false, errno: Errno.EINVAL });
    const ioas = newIoas();
    const hwpt = taken(attach(idev, ioas));
    picky.errno = Errno.ENOMEM;
    expect(replace(idev, ID.parent)).toEqual({ ok: false, errno: Errno.ENOMEM });
    expect(idev.group.hwpt?.id).toBe(hwpt);
    expect(world.ctx.objects.at(ID.parent)?.users).toBe(1);
  });
});

describe('reserved regions', () => {
  const region = (start: number) => ({ start, bytes: 0x1000, type: 'reserved' }) as never;

  it('of a device are reserved while it is attached', () => {
    const { world, parts, bind, attach, away, newIoas } = bench();
    const ioas = newIoas();
    const space = world.ctx.objects.at(ioas);
    if (!(space instanceof IommufdIoas)) throw new Error('no address space');
    const idev = bind(new MockDevice({ ...parts, reservedRegions: [region(0x2000000), region(0x3000000)] }));
    taken(attach(idev, ioas));
    expect(space.iopt.reserved.count).toBe(4);
    away(idev);
    expect(space.iopt.reserved.count).toBe(0);
  });

  it('are given up when the hardware refuses', () => {
    const { world, parts, bind, attach, newIoas } = bench();
    const ioas = newIoas();
    const space = world.ctx.objects.at(ioas);
    if (!(space instanceof IommufdIoas)) throw new Error('no address space');
    const picky = new PickyDevice({ ...parts, reservedRegions: [region(0x2000000)] });
    picky.errno = Errno.ENOMEM;
    expect(attach(bind(picky), ioas)).toEqual({ ok: false, errno: Errno.ENOMEM });
    expect(space.iopt.reserved.count).toBe(0);
  });

  it('that are mapped refuse the device', () => {
    const { world, parts, bind, attach } = bench();
    const idev = bind(new MockDevice({ ...parts, reservedRegions: [region(0x2000000), region(0x1010000)] }));
    expect(attach(idev, ID.mapped)).toEqual({ ok: false, errno: Errno.EADDRINUSE });
    world.run(iommufdDeviceUnbind(idev));
    expect(world.close()).toEqual(NOTHING_LEFT);
  });
});

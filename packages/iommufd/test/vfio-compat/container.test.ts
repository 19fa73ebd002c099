// The container as a whole: its address space, what it can do, who pays for its pins, what is left when an allocation fails, and
// what happened already when memory cannot be written back.
import { physOfFrame } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import {
  type IommufdContext,
  iommufdFopsOpen,
  iommufdIoasMap,
  iommufdTestMockDomain,
  iommufdVfioCheckExtension,
  iommufdVfioCompatIoasCreate,
  iommufdVfioCompatIoasGetId,
  iommufdVfioMapDma,
  iommufdVfioUnmapDma,
  type MockDevice,
  openVfioContainer,
  u64,
  VfioExtension,
  VfioRequest,
} from '../../src/index.ts';
import type { CoreMachine } from '../core-machine.ts';
import { BASE, encodeVfio, NOTHING_LEFT, P, tagOf, VA, VfioWorld } from './vfio-world.ts';

const idOf = (ctx: IommufdContext): number => {
  const id = iommufdVfioCompatIoasGetId(ctx);
  return id.ok ? id.value : -id.errno;
};

describe('the address space', () => {
  it('is made once, when a group enters the container', () => {
    const world = new VfioWorld({ chosen: false });
    const { ctx } = world;
    expect(idOf(ctx)).toBe(-Errno.ENODEV);
    expect(iommufdVfioCompatIoasCreate(ctx)).toBe(0);
    const id = idOf(ctx);
    expect(id).toBeGreaterThan(0);
    const objects = ctx.objects.size;
    expect(iommufdVfioCompatIoasCreate(ctx)).toBe(0);
    expect([idOf(ctx), ctx.objects.size]).toEqual([id, objects]);
    expect(ctx.objects.at(id)?.users).toBe(1);
    // User space may destroy it like its own; the next group makes another.
    expect(world.machine.destroy(id)).toBe(0);
    expect(idOf(ctx)).toBe(-Errno.ENODEV);
    expect(world.unmap(0, 0, 2).error).toBe(-Errno.ENODEV);
    expect(iommufdVfioCompatIoasCreate(ctx)).toBe(0);
    expect(idOf(ctx)).toBe(id);
    expect(world.close()).toEqual(NOTHING_LEFT);
  });

  it('is the chosen one where user space has chosen', () => {
    const world = new VfioWorld();
    expect(iommufdVfioCompatIoasCreate(world.ctx)).toBe(0);
    expect(idOf(world.ctx)).toBe(world.ioas.id);
    expect(world.machine.destroy(world.ioas.id)).toBe(-Errno.EBUSY);
  });

  it.each([true, false])('is asked for memory even where it is there already (%s)', (chosen) => {
    const world = new VfioWorld({ chosen });
    const before = [world.ctx.objects.size, world.ctx.vfioIoas];
    world.machine.dmaBufs.allocate = () => false;
    expect(iommufdVfioCompatIoasCreate(world.ctx)).toBe(-Errno.ENOMEM);
    world.machine.dmaBufs.allocate = () => true;
    expect([world.ctx.objects.size, world.ctx.vfioIoas]).toEqual(before);
    expect(world.close()).toEqual(NOTHING_LEFT);
  });
});

describe('CHECK_EXTENSION', () => {
  const answers = [0, 1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0];

  it.each([true, false])('knows three kinds, with an address space or without (%s)', (chosen) => {
    const world = new VfioWorld({ chosen });
    const got = answers.map((_, type) => world.call(VfioRequest.CHECK_EXTENSION, type));
    const withCoherence = [...answers];
    withCoherence[VfioExtension.DMA_CC_IOMMU] = chosen ? 0 : -Errno.ENODEV;
    expect(got).toEqual(withCoherence);
    expect(world.call(VfioRequest.CHECK_EXTENSION, 2 ** 32 + 1)).toBe(0);
    expect(world.call(VfioRequest.CHECK_EXTENSION, new Uint8Array([1, 0, 0, 0]))).toBe(0);
    expect(world.call(VfioRequest.CHECK_EXTENSION, null)).toBe(0);
  });

  it('says of coherence what every page table does', () => {
    const world = new VfioWorld({ attached: false });
    const asked = (): number => world.run(iommufdVfioCheckExtension(world.ctx, VfioExtension.DMA_CC_IOMMU));
    expect(asked()).toBe(1);
    expect(world.machine.attach(world.ioas).ok).toBe(true);
    expect(asked()).toBe(0);
  });
});

/** A context of the kind, with an address space for the type 1 calls that a device shows. */
function open(machine: CoreMachine, vfio: boolean, device: MockDevice): IommufdContext {
  const { platform, process } = machine;
  const ctx = vfio ? openVfioContainer({ platform, process }) : iommufdFopsOpen({ platform, process });
  expect(iommufdVfioCompatIoasCreate(ctx)).toBe(0);
  const attached = machine.run(iommufdTestMockDomain(ctx, idOf(ctx), device));
  expect(attached.ok).toBe(true);
  return ctx;
}

describe('pins', () => {
  const map = { flags: 3, vaddr: u64(VA), iova: u64(BASE), size: u64(4 * P) };
  const everything = { flags: 2, iova: u64(0), size: u64(0) };

  it.each([
    ['/dev/vfio/vfio', true, [4, 0, 4]],
    ['/dev/iommu', false, [0, 4, 4]],
  ] as const)('of %s count against process or user', (_, vfio, counted) => {
    const { machine } = new VfioWorld();
    const { process } = machine;
    const counts = (): number[] => [process.lockedVm, process.user.lockedVm, process.mm.pinnedVm];
    machine.mmap(4 * P, VA);
    const ctx = open(machine, vfio, machine.mock());
    expect(machine.run(iommufdVfioMapDma(ctx, map))).toBe(0);
    expect(counts()).toEqual(counted);
    expect(machine.run(iommufdVfioUnmapDma(ctx, everything))).toEqual({ error: 0, size: u64(4 * P) });
    expect(counts()).toEqual([0, 0, 0]);
    machine.run(ctx.release());
    expect(ctx.objects.size).toBe(0);
  });

  it('of a container count so also where iommufd itself maps', () => {
    const { machine } = new VfioWorld();
    const { process } = machine;
    machine.mmap(4 * P, VA);
    const ctx = open(machine, true, machine.mock());
    const mapped = machine.run(
      iommufdIoasMap(ctx, { flags: 7, ioasId: idOf(ctx), userVa: u64(VA), length: u64(P), iova: u64(BASE) }),
    );
    expect(mapped.ok).toBe(true);
    expect([process.lockedVm, process.user.lockedVm]).toEqual([1, 0]);
    machine.run(ctx.release());
    expect([process.lockedVm, process.mm.pinnedVm]).toEqual([0, 0]);
  });

  it('beyond the limit are refused, and nothing is mapped', () => {
    const world = new VfioWorld({ rlimitMemlock: 6 * P });
    world.fill(8);
    world.ctx.accountMode = 'mm';
    expect(world.map(VA, BASE, 7 * P)).toBe(-Errno.ENOMEM);
    expect(world.areas).toEqual([]);
    expect(world.deviceReads(BASE)).toBeNull();
    expect(world.map(VA, BASE, 6 * P)).toBe(0);
    expect(world.map(VA, BASE + 8 * P, P)).toBe(-Errno.ENOMEM);
    expect(world.unmap(BASE, 6 * P)).toEqual({ error: 0, size: BigInt(6 * P) });
    expect(world.close()).toEqual(NOTHING_LEFT);
  });
});

describe('permissions', () => {
  it.each([1, 2, 3])('%i are taken as they are', (flags) => {
    const world = new VfioWorld();
    world.fill(1);
    expect(world.map(VA, BASE, P, flags)).toBe(0);
    const [area] = world.ioas.iopt.areas.ranges;
    // IOMMU_READ, IOMMU_WRITE and IOMMU_CACHE.
    expect(area?.prot).toBe(4 | flags);
    expect(world.unmap(BASE, P)).toEqual({ error: 0, size: BigInt(P) });
    expect(world.close()).toEqual(NOTHING_LEFT);
  });

  it('may be none as long as no page table has to show it', () => {
    const world = new VfioWorld({ attached: false });
    world.fill(1);
    expect(world.map(VA, BASE, P, 0)).toBe(0);
    expect(world.machine.attach(world.ioas)).toEqual({ ok: false, errno: Errno.EINVAL });
    expect(world.unmap(BASE, P)).toEqual({ error: 0, size: BigInt(P) });
    expect(world.machine.attach(world.ioas).ok).toBe(true);
    expect(world.close()).toEqual(NOTHING_LEFT);
  });
});

describe('memory that cannot be written back', () => {
  /** A page that the process may only read, and what stands in it. */
  function readOnly(world: VfioWorld, bytes: Uint8Array): number {
    const { process, memory } = world.machine;
    world.machine.mmap(P, 0x20000000, true);
    const frame = process.mm.ptes.get(0x20000000 / P)?.frame ?? 0;
    memory.write(physOfFrame(frame, 0), bytes);
    return process.mm.mmapFrames('anonymous', [frame], { at: 0x30000000, writable: false });
  }

  it('is a fault, yet everything is unmapped', () => {
    const world = new VfioWorld();
    world.fill(4);
    expect(world.map(VA, BASE, 4 * P)).toBe(0);
    expect(world.deviceReads(BASE)).toBe(tagOf(0));
    const at = readOnly(world, encodeVfio('iommu_type1_dma_unmap', { flags: 2 }).bytes);
    expect(world.call(VfioRequest.IOMMU_UNMAP_DMA, at)).toBe(-Errno.EFAULT);
    expect(world.areas).toEqual([]);
    expect(world.deviceReads(BASE)).toBeNull();
  });

  it('is a fault also where unmapping fails itself', () => {
    const world = new VfioWorld();
    const at = readOnly(world, encodeVfio('iommu_type1_dma_unmap').bytes);
    expect(world.call(VfioRequest.IOMMU_UNMAP_DMA, at)).toBe(-Errno.EFAULT);
  });

  it('does not matter to what is refused before', () => {
    const world = new VfioWorld();
    const refused = encodeVfio('iommu_type1_dma_unmap', { flags: 2, size: 1n }).bytes;
    expect(world.call(VfioRequest.IOMMU_UNMAP_DMA, readOnly(world, refused))).toBe(-Errno.EINVAL);
  });

  it('is a fault of the information', () => {
    const world = new VfioWorld();
    const at = readOnly(world, encodeVfio('iommu_type1_info').bytes);
    expect(world.call(VfioRequest.IOMMU_GET_INFO, at)).toBe(-Errno.EFAULT);
  });

  it('does not matter to mapping, which tells nothing', () => {
    const world = new VfioWorld();
    world.fill(1);
    const fields = { flags: 3, vaddr: BigInt(VA), iova: BigInt(BASE), size: BigInt(P) };
    const at = readOnly(world, encodeVfio('iommu_type1_dma_map', fields).bytes);
    expect(world.call(VfioRequest.IOMMU_MAP_DMA, at)).toBe(0);
    expect(world.deviceReads(BASE)).toBe(tagOf(0));
  });
});

describe('an allocation that fails', () => {
  const KINDS = ['an object', 'a frame of a page table'] as const;

  it.each(KINDS)('%s: a map fails and leaves nothing, until it succeeds', (kind) => {
    for (let nth = 1; nth < 30; nth += 1) {
      const world = new VfioWorld();
      world.fill(4);
      fail(world, kind, nth);
      const error = world.map(VA, BASE, 4 * P);
      heal(world);
      if (error !== 0) {
        expect([error, world.areas, world.machine.process.mm.pinnedVm]).toEqual([-Errno.ENOMEM, [], 0]);
        expect(world.deviceReads(BASE)).toBeNull();
      }
      expect(world.close()).toEqual(NOTHING_LEFT);
      if (error !== 0) continue;
      expect(nth).toBeGreaterThan(1);
      return;
    }
    throw new Error('it never succeeds');
  });

  it('a cut fails, and everything is still there', () => {
    for (let nth = 1; nth < 10; nth += 1) {
      const world = new VfioWorld({ type: 'type1' });
      world.fill(4);
      expect(world.map(VA, BASE, 4 * P)).toBe(0);
      fail(world, 'an object', nth);
      const unmapped = world.unmap(BASE + P, P);
      heal(world);
      if (unmapped.error === 0) return;
      expect(unmapped).toEqual({ error: -Errno.ENOMEM, size: BigInt(P) });
      expect([0, 1, 2, 3].map((page) => world.deviceReads(BASE + page * P))).toEqual([0, 1, 2, 3].map(tagOf));
      expect(world.unmap(BASE + P, P)).toEqual({ error: 0, size: BigInt(P) });
      expect(world.close()).toEqual(NOTHING_LEFT);
    }
    throw new Error('it never succeeds');
  });

  function fail(world: VfioWorld, kind: (typeof KINDS)[number], nth: number): void {
    let left = nth;
    if (kind === 'an object') {
      world.machine.dmaBufs.allocate = () => {
        left -= 1;
        return left !== 0;
      };
    } else world.machine.tables.failAfter = nth - 1;
  }

  function heal(world: VfioWorld): void {
    world.machine.dmaBufs.allocate = () => true;
    world.machine.tables.failAfter = -1;
  }
});

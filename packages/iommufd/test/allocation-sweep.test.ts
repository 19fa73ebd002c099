// Every call with its first, second, third … allocation failing: -ENOMEM, nothing changed, nothing lost, until it succeeds.
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { iommufdStruct, iommufdTestMockDomain } from '../src/index.ts';
import { AbiWorld, ID, NOTHING_LEFT } from './abi-world.ts';
import { VALID_CALLS, validBytes } from './valid-calls.ts';

/** Allocations of a kind, of which the nth from now on fails. */
type Failing = (world: AbiWorld, nth: number) => void;

const KINDS: readonly (readonly [string, Failing])[] = [
  [
    'an object',
    (world, nth) => {
      let left = nth;
      world.dmaBufs.allocate = () => {
        left -= 1;
        return left !== 0;
      };
    },
  ],
  [
    'a frame of a page table',
    (world, nth) => {
      world.frames.failAfter = nth - 1;
    },
  ],
];

function heal(world: AbiWorld): void {
  world.dmaBufs.allocate = () => true;
  world.frames.failAfter = -1;
}

const digest = (world: AbiWorld): unknown => [
  world.ctx.objects.objects.map(({ id, users, waitCount }) => [id, users, waitCount]),
  world.ctx.objects.size,
  world.mm.pinnedVm,
  world.process.user.lockedVm,
  world.dmaBufs.files.count,
  [world.lent, world.takenBack].map(({ dmabuf }) => dmabuf.attachments.length),
];

/** How many allocations `call` survives the failure of before it gets through. */
function sweep(failing: Failing, call: (world: AbiWorld) => number, clean: number): number {
  for (let nth = 1; nth < 50; nth += 1) {
    const world = new AbiWorld().populate();
    const before = digest(world);
    failing(world, nth);
    const errno = call(world);
    heal(world);
    if (errno === Errno.ENOMEM) expect(digest(world)).toEqual(before);
    else expect(errno).toBe(clean);
    expect(world.close()).toEqual(NOTHING_LEFT);
    if (errno !== Errno.ENOMEM) return nth - 1;
  }
  throw new Error('the call never gets through');
}

describe.each(KINDS)('without %s', (kind, failing) => {
  it.each(VALID_CALLS.map(([name], index) => [`${name} (${index})`, index] as const))('%s', (_, index) => {
    const call = (world: AbiWorld): number => {
      const { name, bytes } = validBytes(world, index);
      return world.raw(iommufdStruct(name).request, bytes);
    };
    const clean = call(new AbiWorld().populate());
    sweep(failing, call, clean);
  });

  it('a mock device on an address space of its own', () => {
    const attach = (world: AbiWorld): number => {
      const made = world.call('iommu_ioas_alloc');
      if (made.errno !== 0) return made.errno;
      const mock = world.run(iommufdTestMockDomain(world.ctx, 8, world.newDevice()));
      heal(world);
      expect(world.call('iommu_destroy', { id: mock.ok ? mock.value.stdevId : ID.none }).errno).toBe(
        mock.ok ? 0 : Errno.ENOENT,
      );
      expect(world.call('iommu_destroy', { id: 8 }).errno).toBe(0);
      return mock.ok ? 0 : mock.errno;
    };
    expect(sweep(failing, attach, 0)).toBeGreaterThan(kind === 'an object' ? 3 : 0);
  });
});

it('finds allocations to fail where objects and mappings are made', () => {
  const failures = VALID_CALLS.map(([name], index) => {
    const call = (world: AbiWorld): number => {
      const { bytes } = validBytes(world, index);
      return world.raw(iommufdStruct(name).request, bytes);
    };
    const [, failing] = KINDS[0] ?? [];
    return [name, failing === undefined ? 0 : sweep(failing, call, call(new AbiWorld().populate()))] as const;
  });
  const most = new Map<string, number>();
  for (const [name, count] of failures) most.set(name, Math.max(most.get(name) ?? 0, count));
  for (const name of [
    'iommu_ioas_alloc',
    'iommu_hwpt_alloc',
    'iommu_fault_alloc',
    'iommu_ioas_map',
    'iommu_ioas_copy',
  ]) {
    expect(most.get(name), name).toBeGreaterThan(0);
  }
});

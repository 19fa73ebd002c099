// In-kernel users: the order in which pinning and reading refuse, and what a user keeps from being destroyed.
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import {
  type IommufdAccess,
  iommufdAccessCreate,
  iommufdAccessDestroy,
  iommufdAccessPinPages,
  iommufdAccessRw,
  iommufdAccessUnpinPages,
  type U64,
  u64OfBigint,
} from '../src/index.ts';
import { AbiWorld, ID, NOTHING_LEFT } from './abi-world.ts';
import { ACCESS_ROWS, type AccessRow } from './tables-abi/access-rows.ts';

function create(world: AbiWorld, needsPinPages: boolean): { access: IommufdAccess; asked: U64[] } {
  const asked: U64[] = [];
  function* unmap(iova: U64) {
    yield* [];
    asked.push(iova);
  }
  const made = iommufdAccessCreate(world.ctx, { needsPinPages, unmap });
  if (!made.ok) throw new Error('no access can be made');
  return { access: made.value, asked };
}

function use(
  world: AbiWorld,
  { access }: IommufdAccess,
  { use: kind, iova, length, write }: AccessRow,
): number {
  const at = u64OfBigint(iova);
  if (kind === 'rw') return -world.run(iommufdAccessRw(access, at, new Uint8Array(Number(length)), write));
  const pinned = world.run(iommufdAccessPinPages(access, at, u64OfBigint(length), write));
  if (!pinned.ok) return pinned.errno;
  world.run(iommufdAccessUnpinPages(access, at, u64OfBigint(length)));
  return 0;
}

it.each(ACCESS_ROWS.map((row) => [row.key, row] as const))('%s', (_, row) => {
  const world = new AbiWorld().populate();
  const { access } = create(world, row.use === 'pin');
  if (row.attached) expect(world.run(access.attach(ID.plain))).toBe(0);
  const before = world.mm.pinnedVm;
  expect(Math.abs(use(world, access, row))).toBe(row.errno === null ? 0 : Errno[row.errno]);
  expect(world.mm.pinnedVm).toBe(before);
  world.run(iommufdAccessDestroy(access));
  expect(world.close()).toEqual(NOTHING_LEFT);
});

describe('an access', () => {
  it('keeps its address space, its own object and the context', () => {
    const world = new AbiWorld().populate();
    const { access } = create(world, true);
    expect(world.ctx.refs).toBe(3);
    expect(world.call('iommu_destroy', { id: access.id }).errno).toBe(Errno.EBUSY);
    expect(world.run(access.attach(ID.plain))).toBe(0);
    expect(world.call('iommu_destroy', { id: ID.plain }).errno).toBe(Errno.EBUSY);
    expect(world.run(access.replace(ID.mapped))).toBe(0);
    expect(world.call('iommu_destroy', { id: ID.plain }).errno).toBe(0);
    world.run(iommufdAccessDestroy(access));
    expect(world.ctx.refs).toBe(2);
    expect(world.close()).toEqual(NOTHING_LEFT);
  });

  it.each([
    ['attach', ID.none, Errno.ENOENT],
    ['attach', ID.autoHwpt, Errno.ENOENT],
    ['replace', ID.plain, Errno.ENOENT],
  ] as const)('cannot %s to %i', (call, id, errno) => {
    const world = new AbiWorld().populate();
    const { access } = create(world, true);
    expect(world.run(access[call](id))).toBe(-errno);
    expect(access.ioas).toBeNull();
  });

  it('is attached once, moves, and is asked to let everything go when it moves', () => {
    const world = new AbiWorld().populate();
    const { access, asked } = create(world, true);
    expect(world.run(access.attach(ID.plain))).toBe(0);
    expect(world.run(access.attach(ID.mapped))).toBe(-Errno.EINVAL);
    expect(world.run(access.replace(ID.plain))).toBe(0);
    expect(asked).toEqual([]);
    expect(world.run(access.replace(ID.mapped))).toBe(0);
    expect(asked).toEqual([{ page: 0, byte: 0 }]);
    world.run(access.detach());
    world.run(access.detach());
    expect(access.ioas).toBeNull();
    expect(world.ctx.objects.at(ID.plain)?.users).toBe(1);
    world.run(iommufdAccessDestroy(access));
    expect(world.close()).toEqual(NOTHING_LEFT);
  });

  it('needs whole pages where it pins', () => {
    const world = new AbiWorld().populate();
    const map = { ioas_id: ID.plain, flags: 7, user_va: 0x123n, length: 5n, iova: 0x40001n };
    expect(world.call('iommu_ioas_map', map).errno).toBe(0);
    const { access } = create(world, true);
    expect(world.run(access.attach(ID.plain))).toBe(-Errno.EADDRINUSE);
    const { access: reader } = create(world, false);
    expect(world.run(reader.attach(ID.plain))).toBe(0);
    expect(world.ctx.objects.at(ID.plain)?.users).toBe(2);
  });
});

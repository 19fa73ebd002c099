// Areas that are being made or taken away while somebody else calls: what walks over them answers -EBUSY.
// Source followed: iopt_unmap_iova_range and iommufd_ioas_change_process of iommufd; both look at areas without pages.
import type { ModelTask } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import {
  encodeIommufdStruct,
  type IommufdFieldValues,
  IommufdIoas,
  iommufdFopsIoctl,
  iommufdStruct,
} from '../src/index.ts';
import { AbiWorld, ID, NOTHING_LEFT, P } from './abi-world.ts';

/** Where the file is mapped, and where the copy of it is made: below. */
const AT = 0x1010000n;
const BELOW = 0x1000000n;
const LENGTH = BigInt(4 * P);

type Call = readonly [name: string, fields: IommufdFieldValues];

/** A call as a task of its own; its errno. */
function* calling(world: AbiWorld, [name, fields]: Call): ModelTask<number> {
  const bytes = encodeIommufdStruct(name, fields);
  return Math.abs(yield* iommufdFopsIoctl(world.ctx, iommufdStruct(name).request, bytes));
}

const areasOf = (world: AbiWorld) => {
  const ioas = world.ctx.objects.at(ID.mapped);
  return ioas instanceof IommufdIoas ? ioas.iopt.areas.ranges : [];
};

/**
 * Keeps the pages of the one mapping busy, starts `slow`, which waits for them with an area that has none, and makes `quick`
 * in the meantime: what both answer.
 */
function during(world: AbiWorld, slow: Call, quick: Call): { readonly slow: number; readonly quick: number } {
  const pages = areasOf(world)[0]?.pages;
  if (pages == null) throw new Error('nothing is mapped');
  const halfMade = (): boolean => areasOf(world).some((area) => area.pages === null);
  const { scheduler } = world;
  const made: { readonly done: boolean; readonly result: number | undefined }[] = [];
  let answer = -1;
  scheduler.spawn(
    'holder',
    (function* () {
      yield* pages.mutex.lock();
      made.push(scheduler.spawn('slow', calling(world, slow)));
      for (let step = 0; step < 1000 && answer < 0; step += 1) yield { at: 'test:holds' };
      expect([made[0]?.done, halfMade()]).toEqual([false, true]);
      pages.mutex.unlock();
    })(),
  );
  scheduler.spawn(
    'quick',
    (function* () {
      while (!halfMade()) yield { at: 'test:waits' };
      answer = yield* calling(world, quick);
    })(),
  );
  expect(scheduler.run().status).toBe('idle');
  return { slow: made[0]?.result ?? -1, quick: answer };
}

/** A world whose one mapping is four pages of a file, which can be copied or unmapped slowly. */
function withFile() {
  const world = new AbiWorld().populate();
  world.unmapAll();
  const map = { flags: 7, ioas_id: ID.mapped, fd: world.memfd, length: LENGTH, iova: AT };
  expect(world.call('iommu_ioas_map_file', map).errno).toBe(0);
  const both = { src_ioas_id: ID.mapped, dst_ioas_id: ID.mapped, length: LENGTH };
  const copy: Call = ['iommu_ioas_copy', { ...both, flags: 7, src_iova: AT, dst_iova: BELOW }];
  return { world, copy, unmap: unmapping(AT, LENGTH) };
}

const unmapping = (iova: bigint, length: bigint): Call => [
  'iommu_ioas_unmap',
  { ioas_id: ID.mapped, iova, length },
];
const change: Call = ['iommu_ioas_change_process', {}];

describe('an area that is being made', () => {
  it('keeps the charges from another process, until it is made', () => {
    const { world, copy } = withFile();
    expect(during(world, copy, change)).toEqual({ slow: 0, quick: Errno.EBUSY });
    expect(world.call(...change).errno).toBe(0);
    expect(world.close()).toEqual(NOTHING_LEFT);
  });

  it.each([
    ['whole', BELOW, LENGTH],
    ['with everything else', 0n, 2n ** 64n - 1n],
    ['in part, which is looked at later', BELOW, BigInt(P)],
  ])('is not unmapped %s', (_, iova, length) => {
    const { world, copy } = withFile();
    expect(during(world, copy, unmapping(iova, length))).toEqual({ slow: 0, quick: Errno.EBUSY });
    expect(areasOf(world).length).toBe(2);
    expect(world.call(...unmapping(BELOW, LENGTH)).errno).toBe(0);
    expect(world.close()).toEqual(NOTHING_LEFT);
  });

  it('is no source of a copy', () => {
    const { world, copy } = withFile();
    const fields = {
      src_ioas_id: ID.mapped,
      dst_ioas_id: ID.plain,
      length: LENGTH,
      src_iova: BELOW,
      flags: 6,
    };
    expect(during(world, copy, ['iommu_ioas_copy', fields])).toEqual({ slow: 0, quick: Errno.ENOENT });
    expect(world.call('iommu_ioas_copy', fields).errno).toBe(0);
  });

  it('has its IOVAs already', () => {
    const { world, copy } = withFile();
    const fields = {
      flags: 7,
      ioas_id: ID.mapped,
      user_va: BigInt(world.buffer),
      length: LENGTH,
      iova: BELOW,
    };
    expect(during(world, copy, ['iommu_ioas_map', fields])).toEqual({ slow: 0, quick: Errno.EEXIST });
  });
});

describe('an area that is being taken away', () => {
  it('is not unmapped twice', () => {
    const { world, unmap } = withFile();
    expect(during(world, unmap, unmap)).toEqual({ slow: 0, quick: Errno.EBUSY });
    expect(world.call(...unmap).errno).toBe(Errno.ENOENT);
    expect(world.close()).toEqual(NOTHING_LEFT);
  });

  it('keeps the charges from another process', () => {
    const { world, unmap } = withFile();
    expect(during(world, unmap, change)).toEqual({ slow: 0, quick: Errno.EBUSY });
    expect(world.close()).toEqual(NOTHING_LEFT);
  });
});

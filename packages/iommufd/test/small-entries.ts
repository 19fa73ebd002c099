// A world whose mapping behind a mock device is in entries of 4 KiB: written pages then show one by one.
// Source followed: none.
// Simplified: for tests only.

import { type AbiWorld, ID } from './abi-world.ts';

const BASE = 0x1010000n;

/** Maps the four pages anew without large pages: an entry of the table is a page, two units of the bitmap. */
export function smallEntries(world: AbiWorld): AbiWorld {
  const unmap = { ioas_id: ID.mapped, iova: BASE, length: 0x4000n };
  const small = { option_id: 1, op: 0, object_id: ID.mapped, val64: 0n };
  const map = { ioas_id: ID.mapped, flags: 7, user_va: BigInt(world.buffer), length: 0x4000n };
  const answers = [
    world.call('iommu_ioas_unmap', unmap),
    world.call('iommu_option', small),
    world.call('iommu_ioas_map', { ...map, iova: BASE }),
  ];
  if (answers.some(({ errno }) => errno !== 0)) throw new Error('the pages cannot be mapped anew');
  return world;
}

// KnownAreas: which areas a world has, and which it still has after a call that was refused.
// Source followed: iopt_unmap_iova_range in io_pagetable.c of iommufd: an unmap walks upwards and stops at the area
// that its window cuts.
// Simplified: for tests only.

import { bigintOfU64, IommufdIoas, iommufdStruct } from '../../src/index.ts';
import type { AbiWorld } from '../abi-world.ts';
import { SPACE, SPACES } from '../oracle/known-state.ts';

/** The areas of each address space, both ends inclusive, as text. */
export type AreaList = readonly (readonly [space: number, areas: readonly string[]])[];

const spanText = (first: bigint, last: bigint): string => `${first.toString(16)}-${last.toString(16)}`;

/** The areas of a world. */
export function areasOf(world: AbiWorld): AreaList {
  return world.ctx.objects.objects
    .filter((obj) => obj instanceof IommufdIoas)
    .map(({ id, iopt }) => [
      id,
      iopt.areas.ranges.map(({ first, last }) => spanText(bigintOfU64(first), bigintOfU64(last))),
    ]);
}

/** The areas of a populated world after call `name`, which was refused, with these bytes. */
export function areasAfterRefusal(name: string, bytes: Uint8Array): AreaList {
  const gone = name === 'iommu_ioas_unmap' ? unmappedBeforeCut(bytes) : null;
  return [...SPACES].map(([space, { areas }]) => [
    space,
    areas
      .filter(({ first }) => gone === null || gone.space !== space || !gone.firsts.includes(first))
      .map(({ first, last }) => spanText(first, last)),
  ]);
}

/** Null: the call does not come as far as the walk. */
function unmappedBeforeCut(
  bytes: Uint8Array,
): { readonly space: number; readonly firsts: readonly bigint[] } | null {
  if (bytes.length < iommufdStruct('iommu_ioas_unmap').bytes) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  // A tail that is not known is refused before anything is looked at.
  if (!knownTail(bytes, view.getUint32(0, true))) return null;
  const space = view.getUint32(4, true);
  const [from, length] = [view.getBigUint64(8, true), view.getBigUint64(16, true)];
  if (length === 0n || from === SPACE - 1n || length === SPACE - 1n || from + length > SPACE) return null;
  const firsts: bigint[] = [];
  for (const { first, last } of SPACES.get(space)?.areas ?? []) {
    if (last < from || first >= from + length) continue;
    if (first < from || last >= from + length) break;
    firsts.push(first);
  }
  return { space, firsts };
}

function knownTail(bytes: Uint8Array, size: number): boolean {
  const known = iommufdStruct('iommu_ioas_unmap').bytes;
  if (size < known || size > bytes.length) return false;
  return bytes.subarray(known, size).every((byte) => byte === 0);
}

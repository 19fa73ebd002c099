// What the type 1 calls answer to any bytes on the world of the walk, decided on the bytes alone: no code of the model.
// Source followed: drivers/iommu/iommufd/vfio_compat.c and io_pagetable.c.
// Simplified: for tests only; a mock device is attached and nothing but the one area is mapped.

import type { ErrnoName } from '@sgfree/mm';

/** A page. */
const P = 4096n;
const TOP = 2n ** 64n;
/** Where the process has 16 pages, and where 8 of them are mapped. */
export const WALK_VA = 0x40000000n;
/** Within the aperture, many bits above its start. */
export const WALK_AREA = 0x1240000n;
const VA_END = WALK_VA + 16n * P;
const AREA_END = WALK_AREA + 8n * P;
const APERTURE = [0x1000000n, 0x80000000n] as const;
/** Where the parts of the information end: the structure, the first capability, the second with its one range. */
const INFO_ENDS = [24, 36, 72] as const;

/** Errno by name or null, and what `size` says afterwards; null = as before. */
export interface WalkAnswer {
  readonly errno: ErrnoName | null;
  readonly size: bigint | null;
}

const no = (errno: ErrnoName, size: bigint | null = null): WalkAnswer => ({ errno, size });
const yes = (size: bigint | null = null): WalkAnswer => ({ errno: null, size });

/** What is mapped, as bytes from and to (exclusive). */
type Piece = readonly [from: bigint, to: bigint];

function mapAnswer(view: DataView, alignment: bigint): WalkAnswer {
  const flags = view.getUint32(4, true);
  const [vaddr, iova, size] = [8, 16, 24].map((at) => view.getBigUint64(at, true)) as [
    bigint,
    bigint,
    bigint,
  ];
  if (view.getUint32(0, true) < 32 || flags > 3) return no('EINVAL');
  if (vaddr + size >= TOP) return no('EOVERFLOW');
  if (size === 0n || size > TOP - 1n - P || size % alignment !== 0n || iova % alignment !== 0n)
    return no('EINVAL');
  if (iova + size > TOP) return no('EOVERFLOW');
  if (iova < APERTURE[0] || iova + size > APERTURE[1]) return no('EINVAL');
  if (iova < AREA_END && iova + size > WALK_AREA) return no('EEXIST');
  if (vaddr % alignment !== 0n) return no('EINVAL');
  if (vaddr < WALK_VA || vaddr + size > VA_END) return no('EFAULT');
  return flags === 0 ? no('EINVAL') : yes();
}

/** The pieces after a cut behind byte `last`; null: the cut is refused. */
function cut(pieces: readonly Piece[], last: bigint): Piece[] | null {
  const out: Piece[] = [];
  for (const [from, to] of pieces) {
    const outside = last < from || last >= to;
    if (outside || last === from || last === to - 1n) out.push([from, to]);
    else if ((last + 1n) % P !== 0n) return null;
    else out.push([from, last + 1n], [last + 1n, to]);
  }
  return out;
}

function unmapAnswer(view: DataView, type1: boolean): WalkAnswer {
  const flags = view.getUint32(4, true);
  const [iova, size] = [8, 16].map((at) => view.getBigUint64(at, true)) as [bigint, bigint];
  if (view.getUint32(0, true) < 24 || (flags & ~2) !== 0) return no('EINVAL');
  if (flags === 2) return iova === 0n && size === 0n ? yes(AREA_END - WALK_AREA) : no('EINVAL');
  let pieces: Piece[] | null = [[WALK_AREA, AREA_END]];
  if (type1) {
    pieces = cut(pieces, (iova + size + TOP - 1n) % TOP);
    if (pieces !== null && iova !== 0n) pieces = cut(pieces, iova - 1n);
  }
  if (pieces === null) return no('EINVAL');
  if (size === 0n) return no('EINVAL', 0n);
  if (iova + size > TOP) return no('EOVERFLOW', 0n);
  let gone = 0n;
  for (const [from, to] of pieces.filter((piece) => piece[0] < iova + size && piece[1] > iova)) {
    if (from < iova || to > iova + size) return no('ENOENT', gone);
    gone += to - from;
  }
  return yes(gone);
}

function infoAnswer(view: DataView): WalkAnswer {
  const argsz = view.getUint32(0, true);
  if (argsz < 16) return no('EINVAL');
  const written = Math.max(Math.min(argsz, INFO_ENDS[0]), ...INFO_ENDS.filter((end) => end <= argsz));
  return view.byteLength < written ? no('EFAULT') : yes();
}

/** The answer of the call with the structure `name`. */
export function walkAnswer(name: string, bytes: Uint8Array, type1: boolean): WalkAnswer {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (name === 'iommu_type1_dma_map') return mapAnswer(view, type1 ? P : 2048n);
  return name === 'iommu_type1_dma_unmap' ? unmapAnswer(view, type1) : infoAnswer(view);
}

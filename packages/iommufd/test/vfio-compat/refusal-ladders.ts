// The order in which the calls with a structure refuse, as data: what is looked at first stands first. Alone, a rung gives its
// errno; together with all rungs behind it, it still does.
// Source followed: drivers/iommu/iommufd/vfio_compat.c; for mapping also io_pagetable.c.
// Simplified: for tests only.

import type { ErrnoName } from '@sgfree/mm';
import type { IommufdFieldValues } from '../../src/index.ts';
import { BASE, P, VA, type VfioType } from './vfio-world.ts';

/** One thing wrong with a call that is else right. */
export interface VfioRung {
  /** Stable. */
  readonly key: string;
  readonly errno: ErrnoName;
  readonly wrong?: IommufdFieldValues;
  /** Bytes of memory that the structure has; default all of them. */
  readonly memory?: number;
  /** True: the context has no address space for the call. */
  readonly noIoas?: true;
  /** True where the rungs behind it would put it right or need it right. */
  readonly alone?: true;
  /** What `size` is afterwards, when the call tells it; default it stays as it was asked. */
  readonly told?: bigint;
}

/** A call, and everything that can be wrong with it. */
export interface VfioLadder {
  readonly key: string;
  readonly struct: string;
  readonly type: VfioType;
  readonly right: IommufdFieldValues;
  readonly rungs: readonly VfioRung[];
}

/** Where the world of the ladders has 8 pages of memory mapped, and 4 pages of a dma-buf. */
export const MAPPED: number = BASE + 0x100000;
/** The dma-buf. */
export const BUFFER: number = BASE + 0x200000;

const page = BigInt(P);
const free = BigInt(BASE);
const mapped = BigInt(MAPPED);
const buffer = BigInt(BUFFER);
const top = 2n ** 64n;

const ioas = { key: 'address space', errno: 'ENODEV', noIoas: true } as const;

const mapLadder = (type: VfioType, alignment: bigint): VfioLadder => ({
  key: `map, ${type}`,
  struct: 'iommu_type1_dma_map',
  type,
  right: { flags: 3, vaddr: BigInt(VA), iova: free, size: page },
  rungs: [
    { key: 'memory', errno: 'EFAULT', memory: 31 },
    { key: 'argsz', errno: 'EINVAL', wrong: { argsz: 31 } },
    { key: 'argsz 0', errno: 'EINVAL', wrong: { argsz: 0 } },
    { key: 'flags', errno: 'EINVAL', wrong: { flags: 7 } },
    ioas,
    { key: 'source wraps', errno: 'EOVERFLOW', wrong: { vaddr: top - page, size: page } },
    { key: 'source of all bytes wraps', errno: 'EOVERFLOW', wrong: { vaddr: BigInt(VA), size: top - 1n } },
    { key: 'nearly all bytes', errno: 'EINVAL', wrong: { vaddr: 0n, size: top - page + 1n } },
    { key: 'no size', errno: 'EINVAL', wrong: { vaddr: BigInt(VA), size: 0n } },
    { key: 'size', errno: 'EINVAL', wrong: { vaddr: BigInt(VA), size: page + alignment / 2n } },
    { key: 'IOVA', errno: 'EINVAL', wrong: { size: page, iova: free + alignment / 2n } },
    { key: 'IOVA wraps', errno: 'EOVERFLOW', wrong: { size: 2n * page, iova: top - page } },
    { key: 'IOVA of 2^64 - 1', errno: 'EINVAL', wrong: { iova: top - 1n }, alone: true },
    { key: 'below the aperture', errno: 'EINVAL', wrong: { size: page, iova: free - page } },
    { key: 'above the aperture', errno: 'EINVAL', wrong: { iova: 0x80000000n - page, size: 2n * page } },
    { key: 'mapped', errno: 'EEXIST', wrong: { size: page, iova: mapped } },
    { key: 'offset in the page', errno: 'EINVAL', wrong: { vaddr: BigInt(VA) + alignment / 2n, iova: free } },
    { key: 'no memory there', errno: 'EFAULT', wrong: { vaddr: 0x1000n } },
    { key: 'no user memory', errno: 'EFAULT', wrong: { vaddr: 2n ** 47n } },
    { key: 'no permission', errno: 'EINVAL', wrong: { vaddr: BigInt(VA), flags: 0 } },
  ],
});

/** All of them. */
export const VFIO_LADDERS: readonly VfioLadder[] = [
  mapLadder('type1v2', 2048n),
  mapLadder('type1', page),
  {
    key: 'unmap, type1v2',
    struct: 'iommu_type1_dma_unmap',
    type: 'type1v2',
    right: { iova: mapped, size: 8n * page },
    rungs: [
      { key: 'memory', errno: 'EFAULT', memory: 23 },
      { key: 'argsz', errno: 'EINVAL', wrong: { argsz: 23 } },
      { key: 'flags', errno: 'EINVAL', wrong: { flags: 1 } },
      { key: 'flags beside all', errno: 'EINVAL', wrong: { flags: 6 } },
      ioas,
      { key: 'all with a size', errno: 'EINVAL', wrong: { flags: 2, iova: 0n }, alone: true },
      { key: 'all with an IOVA', errno: 'EINVAL', wrong: { flags: 2, size: 0n }, alone: true },
      { key: 'no size', errno: 'EINVAL', wrong: { size: 0n }, told: 0n },
      { key: 'wraps', errno: 'EOVERFLOW', wrong: { size: top - mapped + 1n }, told: 0n },
      { key: 'all bytes wrap', errno: 'EOVERFLOW', wrong: { size: top - 1n }, told: 0n },
      { key: 'cuts the end', errno: 'ENOENT', wrong: { size: page }, told: 0n },
      { key: 'cuts the start', errno: 'ENOENT', wrong: { iova: mapped + page, size: 7n * page }, told: 0n },
      {
        key: 'cuts a second one',
        errno: 'ENOENT',
        wrong: { size: buffer + page - mapped },
        told: 8n * page,
        alone: true,
      },
    ],
  },
  {
    key: 'unmap, type1',
    struct: 'iommu_type1_dma_unmap',
    type: 'type1',
    right: { iova: mapped + page, size: 2n * page },
    rungs: [
      { key: 'memory', errno: 'EFAULT', memory: 23 },
      { key: 'argsz', errno: 'EINVAL', wrong: { argsz: 0 } },
      { key: 'flags', errno: 'EINVAL', wrong: { flags: 5 } },
      ioas,
      { key: 'all with a size', errno: 'EINVAL', wrong: { flags: 2, iova: 0n }, alone: true },
      {
        key: 'cuts the end of a dma-buf',
        errno: 'EOPNOTSUPP',
        wrong: { iova: mapped + 2n, size: buffer + page - mapped - 2n },
      },
      { key: 'cuts the start of a dma-buf', errno: 'EOPNOTSUPP', wrong: { iova: buffer + page } },
      { key: 'dma-buf before alignment', errno: 'EOPNOTSUPP', wrong: { iova: buffer + 1n } },
      { key: 'end in a page', errno: 'EINVAL', wrong: { iova: mapped, size: page + 1n } },
      { key: 'start in a page', errno: 'EINVAL', wrong: { iova: mapped + 2n, size: 8n * page - 2n } },
      { key: 'no size', errno: 'EINVAL', wrong: { iova: free, size: 0n }, told: 0n },
      { key: 'wraps', errno: 'EOVERFLOW', wrong: { size: top - free + 1n }, told: 0n },
      {
        key: 'an end behind a first byte is no cut',
        errno: 'ENOENT',
        wrong: { iova: mapped, size: 1n },
        told: 0n,
        alone: true,
      },
      {
        key: 'a start behind a first byte is no cut',
        errno: 'ENOENT',
        wrong: { iova: mapped + 1n, size: 8n * page - 1n },
        told: 0n,
        alone: true,
      },
    ],
  },
  {
    key: 'info',
    struct: 'iommu_type1_info',
    type: 'type1v2',
    right: { argsz: 24 },
    rungs: [
      { key: 'memory', errno: 'EFAULT', memory: 15 },
      { key: 'argsz', errno: 'EINVAL', wrong: { argsz: 15 } },
      ioas,
      { key: 'less memory than argsz', errno: 'EFAULT', memory: 16 },
    ],
  },
];

// Region registration: a key over blocks of one size that somebody else pinned, mapped or promised.
// Source followed: the tail of every driver's reg_user_mr and reg_user_mr_dmabuf (hw/mlx5/mr.c, hw/irdma/verbs.c), the
// zap and update of a key's translations (hw/mlx5/umr.c), the revoke of a key whose index stays taken (hw/irdma).
// Zap and revoke return when no request of the key is on the bus: what comes after may take the memory away.
// Simplified: one level of blocks; updates are done at once, not by work requests of an internal queue.

import { type DmaAddr, type ModelTask, offsetWithin, RdmaTranslation } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import { IbAccess, ibAccessWritable, ibCheckMrAccess } from './ib-access.ts';
import { IbMr, MR_BYTES, remoteKey } from './ib-mr.ts';
import type { IbPd } from './ib-pd.ts';

const BLOCK_ENTRY_BYTES = 8;
const MIN_PAGE = 4096;

/**
 * The blocks behind a key.
 * @public
 */
export interface MrBlocks {
  /** Bytes of a block: a power of two, at least 4096. */
  readonly pageSize: number;
  /** Block addresses in order, each a multiple of 4096; fewer than needed leave the rest untranslated. */
  readonly blocks: Iterable<DmaAddr>;
  /** Bytes of the first block before the region's first byte; default `iova` modulo `pageSize`. */
  readonly pageOffset?: number;
}

/**
 * What a region is registered with.
 * @public
 */
export interface RegionSpec extends MrBlocks {
  /** First byte as work requests name it. */
  readonly iova: number;
  /** At least 1 byte. */
  readonly length: number;
  /** A sum of {@link IbAccess} flags. */
  readonly access: number;
  /** Missing blocks make page faults. Default: what the access flags say; a dynamic dma-buf sets it without the flag. */
  readonly onDemand?: boolean;
}

/**
 * Registers a region. -EINVAL for no bytes, a page size that is none, blocks that are missing without being on demand, or
 * refused access flags (also -EOPNOTSUPP); -ENOMEM when memory or the key table is exhausted.
 * @public
 */
export function registerRegion(pd: IbPd, spec: RegionSpec): Outcome<IbMr> {
  const { device } = pd;
  const refused = ibCheckMrAccess(device, spec.access);
  if (refused === -Errno.EOPNOTSUPP) return failure(Errno.EOPNOTSUPP);
  if (refused !== 0 || spec.length <= 0 || !isPageSize(spec.pageSize)) return failure(Errno.EINVAL);
  const onDemand = spec.onDemand ?? (spec.access & IbAccess.ON_DEMAND) !== 0;
  const entries = blocksNeeded(spec.iova, spec.length, spec);
  if (!device.allocate(MR_BYTES) || !device.allocate(entries * BLOCK_ENTRY_BYTES))
    return failure(Errno.ENOMEM);
  const translation = new RdmaTranslation(spec.pageSize, entries);
  const filled = fill(translation, spec.blocks, 0, ibAccessWritable(spec.access));
  if (filled < entries && !onDemand) return failure(Errno.EINVAL);
  const entry = device.nic.keys.allocate('region', pd.pdn);
  if (entry === null) return failure(Errno.ENOMEM);
  entry.rkey = remoteKey(spec.access, entry.lkey);
  entry.onDemand = onDemand;
  const { access, iova, length, pageOffset } = spec;
  entry.validate({ access, iova, length, translation, ...(pageOffset === undefined ? {} : { pageOffset }) });
  const mr = new IbMr(pd, 'user', entry, entries);
  mr.iova = iova;
  mr.length = length;
  mr.pageSize = spec.pageSize;
  return success(mr);
}

/**
 * Blocks that a region of `length` bytes at `iova` takes.
 * @public
 */
export function blocksNeeded(
  iova: number,
  length: number,
  { pageSize, pageOffset }: { readonly pageSize: number; readonly pageOffset?: number },
): number {
  return Math.ceil(((pageOffset ?? offsetWithin(iova, pageSize)) + length) / pageSize);
}

/**
 * Puts blocks behind a key from block `first` on, of the size the key has. Returns how many there were.
 * @public
 */
export function fillMrBlocks(mr: IbMr, first: number, blocks: Iterable<DmaAddr>): number {
  const { translation, access } = mr.entry;
  return translation === null ? 0 : fill(translation, blocks, first, ibAccessWritable(access));
}

/**
 * Puts other blocks, of another size if need be, behind the same key. The key stays good all the while.
 * @public
 */
export function replaceMrBlocks(mr: IbMr, blocks: MrBlocks): number {
  const translation = new RdmaTranslation(blocks.pageSize, blocksNeeded(mr.iova, mr.length, blocks));
  const count = fill(translation, blocks.blocks, 0, ibAccessWritable(mr.entry.access));
  mr.pageSize = blocks.pageSize;
  mr.entry.translate(translation, blocks.pageOffset);
  return count;
}

/**
 * Takes `count` blocks from `first` on away (default: all), the key stays good: whoever wants such a block faults. Returns
 * when no request that was translated before is on the bus.
 * @public
 */
export function* zapMrBlocks(mr: IbMr, first = 0, count?: number): ModelTask<void> {
  mr.entry.translation?.zap(first, count);
  yield* mr.entry.quiesce();
}

/**
 * Makes the key no good for ever; its index stays taken until the region is deregistered, so that no other region can get
 * the same key. Returns when no request of the key is on the bus.
 * @public
 */
export function* revokeMr(mr: IbMr): ModelTask<void> {
  if (mr.entry.state === 'valid') mr.entry.invalidate('invalid');
  yield* mr.entry.quiesce();
}

const isPageSize = (bytes: number): boolean => bytes >= MIN_PAGE && Number.isInteger(Math.log2(bytes));

function fill(
  translation: RdmaTranslation,
  blocks: Iterable<DmaAddr>,
  first: number,
  writable: boolean,
): number {
  let index = first;
  for (const block of blocks) {
    if (index >= translation.entries) break;
    translation.set(index, block, writable);
    index += 1;
  }
  return index - first;
}

// PageSource: where the pages of a mapping come from when neither a domain nor an access has their frames.
// Source followed: struct iopt_pages (IOPT_ADDRESS_USER, IOPT_ADDRESS_FILE, IOPT_ADDRESS_DMABUF) and pfn_reader_user_pin()
// in drivers/iommu/iommufd/pages.c.
// Simplified: pins of user memory are always made as for the process itself.

import { fput, type ModelFile } from '@sgfree/dma-buf';
import { type ModelTask, PAGE_SIZE } from '@sgfree/hw-model';
import { Errno, type PinnedPage, type ProcessMemory, pinUserPagesFast } from '@sgfree/mm';
import { type IoptDmaBuf, ioptDmaBufRelease } from '../dmabuf/iopt-dma-buf.ts';
import type { U64 } from '../u64/u64.ts';
import { MemfdFile } from './memfd-file.ts';

/** User addresses reach up to 2^47. */
const USER_PAGES = 2 ** 35;

/**
 * Memory of a process.
 * @internal
 */
export interface UserSource {
  readonly type: 'user';
  /** Page aligned user address. */
  readonly start: U64;
  readonly mm: ProcessMemory;
}

/**
 * Pages of an open file, which can be mapped only if it is a memfd.
 * @internal
 */
export interface FileSource {
  readonly type: 'file';
  /** Page aligned offset in the file. */
  readonly start: U64;
  /** Held open as long as the pages exist. */
  readonly file: ModelFile;
}

/**
 * A buffer of another driver.
 * @internal
 */
export interface DmaBufSource {
  readonly type: 'dmabuf';
  /** Page aligned offset in the buffer. */
  readonly start: U64;
  readonly buffer: IoptDmaBuf;
}

/**
 * One of the three sources.
 * @internal
 */
export type PageSource = UserSource | FileSource | DmaBufSource;

/**
 * Pins up to `count` pages from page `index` on and appends them to `pages`. How many, or -EFAULT (no memory there, a
 * process that has exited), -EINVAL (not a memfd, past its end), -ENOMEM.
 * @internal
 */
export function* pinFromSource(
  source: UserSource | FileSource,
  index: number,
  count: number,
  writable: boolean,
  pages: PinnedPage[],
): ModelTask<number> {
  const first = source.start.page + index;
  if (source.type === 'file') {
    return source.file instanceof MemfdFile ? source.file.pinFolios(first, count, pages) : -Errno.EINVAL;
  }
  if (source.mm.users === 0 || first + count > USER_PAGES) return -Errno.EFAULT;
  const flags = { longterm: true, write: writable };
  return yield* pinUserPagesFast(source.mm, first * PAGE_SIZE, count, flags, pages);
}

/**
 * Gives up what a source keeps: the file, or the buffer with its attachment.
 * @internal
 */
export function* releaseSource(source: PageSource): ModelTask<void> {
  if (source.type === 'dmabuf') yield* ioptDmaBufRelease(source.buffer);
  if (source.type === 'file') yield* fput(source.file);
}

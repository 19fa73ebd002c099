// Pinned memory: the pages behind user addresses are held for as long as the region lives, and mapped once.
// Source followed: drivers/infiniband/core/umem.c (__ib_umem_get_va, __ib_umem_release), the order of its checks kept.
// How pages and DMA addresses are remembered is open: PinnedPages, a scatterlist or lists of one's own.
// Simplified: `cond_resched` is one point per 4096 pages.

import { type Device, type DmaAttrs, type DmaDataDirection, isSwiotlbForceBounce } from '@sgfree/dma-core';
import { type ModelTask, offsetWithin, PAGE_SIZE, physOfFrame } from '@sgfree/hw-model';
import {
  Errno,
  failure,
  mmdrop,
  mmgrab,
  type Outcome,
  type PinnedPage,
  type ProcessMemory,
  pinnablePages,
  pinUserPagesFast,
  success,
  unpinUserPage,
} from '@sgfree/mm';
import type { DmaRange } from '../dma-range.ts';
import { IbAccess } from '../verbs/ib-access.ts';
import type { IbDevice } from '../verbs/ib-device.ts';
import { IbUmem, UMEM_BYTES } from './ib-umem.ts';

/** Pages of one pin: as many pointers as fit a page. */
const BATCH = 512;
const RESCHED_PAGES = 0x1000;
const ADDRESS_END: number = 2 ** 64;
const UINT_MAX = 0xffffffff;

/** Registered memory is read and written by the device whatever the region permits. @internal */
export const UMEM_DIRECTION: DmaDataDirection = 'bidirectional';

/**
 * Pinned pages and their DMA addresses, as a stage remembers them.
 * @internal
 */
export interface PinnedPages {
  /** Adds pages; `left` more are to come. 0 or -ENOMEM. */
  append(frames: Float64Array, left: number): number;
  /** Maps everything; 0 or a negative errno. `dev` is null for a device without DMA. */
  map(dev: Device | null, attrs: DmaAttrs): number;
  unmap(dev: Device | null, attrs: DmaAttrs): void;
  free(): void;
  dmaRanges(): Iterable<DmaRange>;
}

/**
 * Memory with pinned pages.
 * @public
 */
export class PinnedUmem extends IbUmem {
  readonly owningMm: ProcessMemory;
  /** What the kernel finds through each `struct page`. */
  readonly pinned: PinnedPage[] = [];
  /** Pages charged to the process. */
  readonly charged: number;
  mapped = false;
  readonly #pages: PinnedPages;

  /** @internal */
  constructor(
    ibdev: IbDevice,
    mm: ProcessMemory,
    addr: number,
    size: number,
    access: number,
    charged: number,
    pages: PinnedPages,
  ) {
    const relaxed = (access & IbAccess.RELAXED_ORDERING) !== 0;
    super(ibdev, addr, size, access, { requireCoherent: true, ...(relaxed ? { weakOrdering: true } : {}) });
    this.owningMm = mm;
    this.charged = charged;
    this.#pages = pages;
  }

  override dmaRanges(): Iterable<DmaRange> {
    return this.#pages.dmaRanges();
  }

  override release(): ModelTask<void> {
    return this.giveBack(true);
  }

  /** Appends pinned pages: 0 or -ENOMEM; the caller keeps them then. @internal */
  append(batch: readonly PinnedPage[], left: number): number {
    const error = this.#pages.append(
      Float64Array.from(batch, ({ frame }) => frame),
      left,
    );
    if (error === 0) this.pinned.push(...batch);
    return error;
  }

  /** @internal */
  map(): number {
    const error = this.#pages.map(this.ibdev.dmaDevice, this.dmaAttrs);
    this.mapped = error === 0;
    return error;
  }

  /** Unmaps, unpins (dirty if the device may have written) and pays the pages back. @internal */
  *giveBack(dirty: boolean): ModelTask<void> {
    if (this.mapped) this.#pages.unmap(this.ibdev.dmaDevice, this.dmaAttrs);
    this.mapped = false;
    for (let at = 0; at < this.pinned.length; at += 1) {
      unpinUserPage(this.pinned[at] as PinnedPage, this.writable && dirty);
      if ((at + 1) % RESCHED_PAGES === 0) yield { at: 'umem:release' };
    }
    this.pinned.length = 0;
    this.#pages.free();
    this.owningMm.pinnedVm -= this.charged;
    mmdrop(this.owningMm);
  }

  override copyTo(bytes: Uint8Array, offset: number): number {
    let done = 0;
    while (done < bytes.length) {
      const at = offset + done;
      const page = this.pinned[Math.floor(at / PAGE_SIZE)];
      if (page === undefined) break;
      const piece = bytes.subarray(done, done + PAGE_SIZE - offsetWithin(at, PAGE_SIZE));
      readFrame(this.owningMm, page, offsetWithin(at, PAGE_SIZE), piece);
      done += piece.length;
    }
    return done;
  }
}

/**
 * Pins `size` bytes at `addr` for as long as the memory is registered, and maps them into `pages`. -EOPNOTSUPP for a device
 * that must bounce and for on-demand access; -EINVAL for addresses that wrap, no bytes or too many; -EPERM when the process
 * may not lock memory; -ENOMEM beyond its limit or without memory; the errors of pinning and mapping.
 * @internal
 */
export function* pinUmem(
  device: IbDevice,
  mm: ProcessMemory,
  addr: number,
  size: number,
  access: number,
  newPages: (npages: number) => PinnedPages,
): ModelTask<Outcome<PinnedUmem>> {
  if (device.dmaDevice !== null && isSwiotlbForceBounce(device.dmaDevice)) return failure(Errno.EOPNOTSUPP);
  if (addr + size >= ADDRESS_END || addr + size + PAGE_SIZE - 1 >= ADDRESS_END) return failure(Errno.EINVAL);
  if (!mm.canDoMlock) return failure(Errno.EPERM);
  if ((access & IbAccess.ON_DEMAND) !== 0) return failure(Errno.EOPNOTSUPP);
  if (!device.allocate(UMEM_BYTES)) return failure(Errno.ENOMEM);
  if (!device.allocate(PAGE_SIZE)) return failure(Errno.ENOMEM);
  const npages = Math.ceil((offsetWithin(addr, PAGE_SIZE) + size) / PAGE_SIZE);
  if (npages === 0 || npages > UINT_MAX) return failure(Errno.EINVAL);
  if (mm.pinnedVm + npages > pinnablePages(mm)) return failure(Errno.ENOMEM);
  mm.pinnedVm += npages;
  mmgrab(mm);
  const umem = new PinnedUmem(device, mm, addr, size, access, npages, newPages(npages));
  const pinned = yield* pinAll(umem, npages);
  const error = pinned === 0 ? umem.map() : pinned;
  if (error === 0) return success(umem);
  yield* umem.giveBack(false);
  return failure(-error as Errno);
}

function* pinAll(umem: PinnedUmem, npages: number): ModelTask<number> {
  const { owningMm: mm, writable } = umem;
  let cur = umem.address - offsetWithin(umem.address, PAGE_SIZE);
  let left = npages;
  while (left > 0) {
    const batch: PinnedPage[] = [];
    const wanted = Math.min(left, BATCH);
    const pinned = yield* pinUserPagesFast(mm, cur, wanted, { longterm: true, write: writable }, batch);
    if (pinned < 0) return pinned;
    cur += pinned * PAGE_SIZE;
    left -= pinned;
    const error = umem.append(batch, left);
    if (error === 0) continue;
    for (const page of batch) unpinUserPage(page, false);
    return error;
  }
  return 0;
}

function readFrame(mm: ProcessMemory, page: PinnedPage, offset: number, piece: Uint8Array): void {
  mm.frames.touched += 1;
  mm.memory.read(physOfFrame(page.frame, offset), piece);
}

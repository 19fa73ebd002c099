// On-demand memory: a region over user addresses whose pages are not pinned; they come with the device's page faults and go
// when the process or the kernel changes them.
// Source followed: drivers/infiniband/core/umem_odp.c (ib_umem_odp_get, ib_umem_odp_map_dma_and_lock,
// ib_umem_odp_unmap_dma_pages, ib_umem_odp_release).
// Simplified: explicit regions only; a device without DMA has none.

import { type Device, P2pdmaMapState } from '@sgfree/dma-core';
import {
  alignDown,
  alignUp,
  type DmaAddr,
  type ModelTask,
  PAGE_SHIFT,
  PAGE_SIZE,
  TaskMutex,
} from '@sgfree/hw-model';
import {
  Errno,
  failure,
  HmmPfn,
  hmmRangeFaultUnlockedTimeout,
  type MmuIntervalNotifier,
  type MmuIntervalNotifierOps,
  mmdrop,
  mmgrab,
  mmuIntervalNotifierInsert,
  mmuIntervalNotifierRemove,
  mmuIntervalReadRetry,
  type Outcome,
  type ProcessMemory,
  success,
  warnViolation,
} from '@sgfree/mm';
import type { DmaRange } from '../dma-range.ts';
import { IbAccess } from '../verbs/ib-access.ts';
import type { IbDevice } from '../verbs/ib-device.ts';
import {
  type HmmDmaMap,
  hmmDmaMapAlloc,
  hmmDmaMapFree,
  hmmDmaMapPfn,
  hmmDmaUnmapPfn,
} from './hmm-dma-map.ts';
import { IbUmem, UMEM_BYTES } from './ib-umem.ts';

const HPAGE_SHIFT = 21;
const FAULT_TIMEOUT_MS = 1000;
const ADDRESS_END: number = 2 ** 64;

/**
 * Kernel behaviours that on-demand memory mends unless they are asked for by name.
 * @public
 */
export interface UmemOdpQuirks {
  /** `odp-count-drift`: a page that is mapped already is counted again when it faults again. Default true, as in Linux. */
  readonly odpCountDrift?: boolean;
  /**
   * `odp-hugetlb-index`: with huge pages the list of 4 KiB pages is indexed by huge page number, so that the device gets other
   * pages than the process has. Default false.
   */
  readonly odpHugetlbIndex?: boolean;
}

/**
 * On-demand memory.
 * @kernel struct ib_umem_odp
 * @public
 */
export class IbUmemOdp extends IbUmem {
  override readonly odpPageShift: number;
  readonly owningMm: ProcessMemory;
  readonly dev: Device;
  readonly map: HmmDmaMap;
  readonly quirks: UmemOdpQuirks;
  /** First and one past the last byte, in whole pages. */
  readonly start: number;
  readonly end: number;
  /** Guards the pages and what the hardware knows of them. */
  readonly umemMutex: TaskMutex;
  /** Pages mapped for the device. */
  npages = 0;
  notifier: MmuIntervalNotifier | null = null;
  readonly p2p: P2pdmaMapState = new P2pdmaMapState();

  /** @internal */
  constructor(device: IbDevice, dev: Device, mm: ProcessMemory, map: HmmDmaMap, parts: OdpParts) {
    super(device, parts.addr, parts.size, parts.access, { requireCoherent: true });
    this.odpPageShift = parts.pageShift;
    this.owningMm = mm;
    this.dev = dev;
    this.map = map;
    this.quirks = parts.quirks;
    this.start = parts.start;
    this.end = parts.end;
    this.umemMutex = new TaskMutex({
      name: 'umem_mutex',
      lockClass: 'umem_mutex',
      scheduler: mm.scheduler,
    });
  }

  /** Number of the list's page behind entry `idx`. @internal */
  pageOf(idx: number): number {
    return this.quirks.odpHugetlbIndex === true ? idx : idx * 2 ** (this.odpPageShift - PAGE_SHIFT);
  }

  /** Entry that holds user address `address`. */
  entryOf(address: number): number {
    return Math.floor((address - this.start) / 2 ** this.odpPageShift);
  }

  /** What is mapped now. */
  override *dmaRanges(): Generator<DmaRange, void, void> {
    const entries = (this.end - this.start) / 2 ** this.odpPageShift;
    for (let idx = 0; idx < entries; idx += 1) {
      if (((this.map.pfns.flags[this.pageOf(idx)] ?? 0) & HmmPfn.DMA_MAPPED) === 0) continue;
      const address = hmmDmaMapPfn(this.dev, this.map, idx, this.pageOf(idx), this.p2p);
      if (address !== -1) yield { address, bytes: 2 ** this.odpPageShift };
    }
  }

  override *release(): ModelTask<void> {
    yield* this.umemMutex.lock();
    ibUmemOdpUnmapDmaPages(this, this.start, this.end);
    this.umemMutex.unlock();
    if (this.notifier !== null) yield* mmuIntervalNotifierRemove(this.notifier);
    hmmDmaMapFree(this.dev, this.map);
    mmdrop(this.owningMm);
  }
}

/** What on-demand memory is made of. @internal */
export interface OdpParts {
  readonly addr: number;
  readonly size: number;
  readonly access: number;
  readonly pageShift: number;
  readonly start: number;
  readonly end: number;
  readonly quirks: UmemOdpQuirks;
}

/**
 * Watches `size` bytes at `addr` of the process and prepares their mapping. -EINVAL without the on-demand flag (a violation)
 * or without bytes; -EOVERFLOW for addresses that wrap; the errors of {@link hmmDmaMapAlloc}; -ENOMEM.
 * @kernel ib_umem_odp_get
 * @public
 */
export function ibUmemOdpGet(
  device: IbDevice,
  mm: ProcessMemory,
  addr: number,
  size: number,
  access: number,
  ops: (umem: () => IbUmemOdp) => MmuIntervalNotifierOps,
  quirks: UmemOdpQuirks = {},
): Outcome<IbUmemOdp> {
  if ((access & IbAccess.ON_DEMAND) === 0) {
    warnViolation(device.log, 'odp-without-flag', { device: device.name });
    return failure(Errno.EINVAL);
  }
  const dev = device.dmaDevice;
  if (dev === null) return failure(Errno.EOPNOTSUPP);
  if (!device.allocate(UMEM_BYTES)) return failure(Errno.ENOMEM);
  const pageShift = (access & IbAccess.HUGETLB) === 0 ? PAGE_SHIFT : HPAGE_SHIFT;
  const page = 2 ** pageShift;
  const start = alignDown(addr, page);
  const end = alignUp(addr + size, page);
  if (addr + size >= ADDRESS_END || end >= ADDRESS_END) return failure(Errno.EOVERFLOW);
  if (end === start) return failure(Errno.EINVAL);
  const map = hmmDmaMapAlloc(dev, (end - start) / PAGE_SIZE, page, (bytes) => device.allocate(bytes));
  if (!map.ok) return map;
  const umem = new IbUmemOdp(device, dev, mm, map.value, {
    addr,
    size,
    access,
    pageShift,
    start,
    end,
    quirks,
  });
  umem.notifier = mmuIntervalNotifierInsert(
    mm.notifiers,
    start,
    end - start,
    ops(() => umem),
  );
  mmgrab(mm);
  return success(umem);
}

/**
 * Looks at the pages of `bcnt` bytes at `userVirt` (brings them, to write if `write`, when `fault`) and returns their number
 * with the umem mutex held. Negative, without the mutex: -EFAULT outside the region; -EINVAL when the process is gone or a
 * page is smaller than the region's; the errors of the look.
 * @kernel ib_umem_odp_map_dma_and_lock
 * @public
 */
export function* ibUmemOdpMapDmaAndLock(
  umem: IbUmemOdp,
  userVirt: number,
  bcnt: number,
  write: boolean,
  fault: boolean,
): ModelTask<number> {
  const { owningMm: mm, notifier, map } = umem;
  if (userVirt < umem.start || userVirt + bcnt > umem.end) return -Errno.EFAULT;
  if (mm.users === 0 || notifier === null) return -Errno.EINVAL;
  const page = 2 ** umem.odpPageShift;
  const start = alignDown(userVirt, page);
  const end = alignUp(userVirt + bcnt, page);
  const first = (start - umem.start) / PAGE_SIZE;
  const range = { notifier, notifierSeq: 0, start, end, pfns: map.pfns, first, fault, write: fault && write };
  for (;;) {
    const error = yield* hmmRangeFaultUnlockedTimeout(mm, range, FAULT_TIMEOUT_MS);
    if (error !== 0) return error;
    yield* umem.umemMutex.lock();
    if (!mmuIntervalReadRetry(notifier, range.notifierSeq)) break;
    umem.umemMutex.unlock();
  }
  const refused = checkEntries(umem, umem.entryOf(start), umem.entryOf(end), fault);
  if (refused === 0) return (end - start) / page;
  umem.umemMutex.unlock();
  return refused;
}

function checkEntries(umem: IbUmemOdp, from: number, to: number, fault: boolean): number {
  const { flags, order } = umem.map.pfns;
  for (let idx = from; idx < to; idx += 1) {
    const page = umem.pageOf(idx);
    const flag = flags[page] ?? 0;
    if ((flag & HmmPfn.VALID) === 0) {
      if (fault) warnViolation(umem.dev.log, 'odp-fault-without-page', { entry: idx });
    } else if ((flag & HmmPfn.DMA_MAPPED) === 0 && (order[page] ?? 0) + PAGE_SHIFT < umem.odpPageShift) {
      return -Errno.EINVAL;
    }
  }
  return 0;
}

/**
 * Maps entry `idx` for the device, with the umem mutex held: its DMA address and whether it may be written; null for a page
 * that is not there; -ENOMEM as a number when it cannot be mapped.
 * @internal
 */
export function mapOdpEntry(
  umem: IbUmemOdp,
  idx: number,
): { readonly block: DmaAddr; readonly writable: boolean } | null | number {
  const { map, dev } = umem;
  const page = umem.pageOf(idx);
  const before = map.pfns.flags[page] ?? 0;
  if ((before & HmmPfn.VALID) === 0) return null;
  const block = hmmDmaMapPfn(dev, map, idx, page, umem.p2p);
  if (block === -1) return -Errno.ENOMEM;
  if ((before & HmmPfn.DMA_MAPPED) === 0 || umem.quirks.odpCountDrift !== false) umem.npages += 1;
  return { block, writable: (before & HmmPfn.WRITE) !== 0 };
}

/**
 * Unmaps what is mapped of user bytes `virt` to `bound`, with the umem mutex held; pages that could be written become dirty.
 * The hardware must have lost its translations before.
 * @kernel ib_umem_odp_unmap_dma_pages
 * @public
 */
export function ibUmemOdpUnmapDmaPages(umem: IbUmemOdp, virt: number, bound: number): void {
  const { map, dev, owningMm } = umem;
  const from = umem.entryOf(Math.max(virt, umem.start));
  const page = 2 ** umem.odpPageShift;
  const to = Math.ceil((Math.min(bound, umem.end) - umem.start) / page);
  for (let idx = from; idx < to; idx += 1) {
    const at = umem.pageOf(idx);
    const flags = map.pfns.flags[at] ?? 0;
    if (hmmDmaUnmapPfn(dev, map, idx, at)) {
      const pte = owningMm.ptes.get((umem.start + idx * page) / PAGE_SIZE);
      if ((flags & HmmPfn.WRITE) !== 0 && pte !== undefined) pte.folio.dirty = true;
      umem.npages -= 1;
    }
    map.pfns.flags[at] = 0;
  }
}

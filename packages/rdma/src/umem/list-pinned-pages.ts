// ListPinnedPages: pinned pages and DMA addresses apart, without a scatterlist: runs of frames for the pins, and for the
// device one range of DMA addresses filled piece by piece (two-step), or one address per run.
// Source followed: our own design for roadmap step 4 on the two-step API (drivers/iommu/dma-iommu.c); the blocks a device
// sees are those that the scatterlist gave.
// Simplified: the addresses of a device without DMA stand for the kernel's view of the pages: their physical address.

import {
  type Device,
  type DmaAttrs,
  dmaGetMergeBoundary,
  dmaMapPhys,
  dmaMappingError,
  dmaUnmapPhys,
} from '@sgfree/dma-core';
import {
  DmaIovaState,
  dmaIovaDestroy,
  dmaIovaFree,
  dmaIovaLink,
  dmaIovaSync,
  dmaIovaTryAlloc,
  dmaUseIova,
} from '@sgfree/dma-iova';
import { dmaAddr, type ModelTask, PAGE_SIZE, physOfFrame } from '@sgfree/hw-model';
import { Errno, type Outcome, type ProcessMemory } from '@sgfree/mm';
import type { DmaRange } from '../dma-range.ts';
import type { IbDevice } from '../verbs/ib-device.ts';
import { type PinnedPages, type PinnedUmem, pinUmem, UMEM_DIRECTION } from './pinned-umem.ts';

/** A run: frame number and count. */
const RUN_BYTES = 16;
const ADDRESS_BYTES = 8;

interface FrameRun {
  readonly frame: number;
  count: number;
}

/** Pinned pages as runs of frames. */
class ListPinnedPages implements PinnedPages {
  readonly state: DmaIovaState = new DmaIovaState();
  readonly #allocate: (bytes: number) => boolean;
  readonly #runs: FrameRun[] = [];
  /** DMA address of each run; empty while `state` is in use. */
  readonly #addresses: number[] = [];
  #pages = 0;

  constructor(allocate: (bytes: number) => boolean) {
    this.#allocate = allocate;
  }

  append(frames: Float64Array, _left: number): number {
    const fresh = this.#runsIn(frames);
    if (fresh > 0 && !this.#allocate(fresh * RUN_BYTES)) return -Errno.ENOMEM;
    for (const frame of frames) {
      const last = this.#runs.at(-1);
      if (last !== undefined && last.frame + last.count === frame) last.count += 1;
      else this.#runs.push({ frame, count: 1 });
    }
    this.#pages += frames.length;
    return 0;
  }

  map(dev: Device | null, attrs: DmaAttrs): number {
    if (dev === null) {
      for (const { frame } of this.#runs) this.#addresses.push(dmaAddr(physOfFrame(frame)));
      return 0;
    }
    if (!dev.dmaCoherent && attrs.requireCoherent === true) return -Errno.EOPNOTSUPP;
    const first = physOfFrame(this.#runs[0]?.frame ?? 0);
    // Junctions between runs lie on pages; a coarser granule takes each run by itself.
    const joinable = dmaGetMergeBoundary(dev) < PAGE_SIZE;
    if (joinable && dmaIovaTryAlloc(dev, this.state, first, this.#pages * PAGE_SIZE)) {
      return this.#link(dev, attrs);
    }
    return this.#mapRuns(dev, attrs);
  }

  unmap(dev: Device | null, attrs: DmaAttrs): void {
    if (dev === null) this.#addresses.length = 0;
    else if (dmaUseIova(this.state)) {
      dmaIovaDestroy(dev, this.state, this.#pages * PAGE_SIZE, UMEM_DIRECTION, attrs);
    } else this.#unmapRuns(dev, attrs);
  }

  free(): void {
    this.#runs.length = 0;
    this.#addresses.length = 0;
  }

  *dmaRanges(): Generator<DmaRange, void, void> {
    if (dmaUseIova(this.state)) yield { address: this.state.addr, bytes: this.#pages * PAGE_SIZE };
    else {
      for (const [at, address] of this.#addresses.entries()) {
        yield { address: dmaAddr(address), bytes: (this.#runs[at]?.count ?? 0) * PAGE_SIZE };
      }
    }
  }

  /** Runs that `frames` start. */
  #runsIn(frames: Float64Array): number {
    const last = this.#runs.at(-1);
    let next = last === undefined ? -1 : last.frame + last.count;
    let runs = 0;
    for (const frame of frames) {
      if (frame !== next) runs += 1;
      next = frame + 1;
    }
    return runs;
  }

  #link(dev: Device, attrs: DmaAttrs): number {
    let linked = 0;
    let error = 0;
    for (const { frame, count } of this.#runs) {
      const bytes = count * PAGE_SIZE;
      error = dmaIovaLink(dev, this.state, physOfFrame(frame), linked, bytes, UMEM_DIRECTION, attrs);
      if (error !== 0) break;
      linked += bytes;
    }
    if (error === 0) error = dmaIovaSync(dev, this.state, 0, linked);
    if (error === 0) return 0;
    if (linked > 0) dmaIovaDestroy(dev, this.state, linked, UMEM_DIRECTION, attrs);
    else dmaIovaFree(dev, this.state);
    return error;
  }

  #mapRuns(dev: Device, attrs: DmaAttrs): number {
    if (!this.#allocate(this.#runs.length * ADDRESS_BYTES)) return -Errno.ENOMEM;
    for (const { frame, count } of this.#runs) {
      const address = dmaMapPhys(dev, physOfFrame(frame), count * PAGE_SIZE, UMEM_DIRECTION, attrs);
      if (dmaMappingError(dev, address) !== 0) {
        this.#unmapRuns(dev, attrs);
        return dev.dmaIommu ? -Errno.ENOMEM : -Errno.EIO;
      }
      this.#addresses.push(address);
    }
    return 0;
  }

  #unmapRuns(dev: Device, attrs: DmaAttrs): void {
    for (const [at, address] of this.#addresses.entries()) {
      const bytes = (this.#runs[at]?.count ?? 0) * PAGE_SIZE;
      dmaUnmapPhys(dev, dmaAddr(address), bytes, UMEM_DIRECTION, attrs);
    }
    this.#addresses.length = 0;
  }
}

/**
 * Pins and maps user memory, with the errors of every stage in the same order: -EOPNOTSUPP for a device that must bounce,
 * -EINVAL for addresses that wrap, -EPERM when the process may not lock memory, -EOPNOTSUPP for on-demand access, -ENOMEM,
 * -EINVAL for no bytes or too many, -ENOMEM beyond the limit of the process, then those of pinning and mapping.
 * @kernel ib_umem_get
 * @beta
 */
export function* ibUmemGet(
  device: IbDevice,
  mm: ProcessMemory,
  addr: number,
  size: number,
  access: number,
): ModelTask<Outcome<PinnedUmem>> {
  const allocate = (bytes: number): boolean => device.allocate(bytes);
  return yield* pinUmem(device, mm, addr, size, access, () => new ListPinnedPages(allocate));
}

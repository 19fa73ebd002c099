// IommuDmaCookie: what the DMA layer keeps beside a paging domain: the allocator of its addresses and its limits.
// Source followed: drivers/iommu/dma-iommu.c (struct iommu_dma_cookie, iommu_get_dma_cookie, iommu_put_dma_cookie,
// cookie_init_hw_msi_region).
// A domain has one cookie, shared by all devices of its group; the first device to set it up decides its reservations.
// Simplified: doorbells of SW_MSI regions are not mapped.

import { type Clock, PAGE_SIZE } from '@sgfree/hw-model';
import type { ReservedRegion } from '@sgfree/iommu';
import { IotlbGather, IovaDomain, type PagingDomain, putIovaDomain } from '@sgfree/iommu';
import { DmaApiViolation } from '@sgfree/mm';
import type { DmaPlatform } from './dma-platform.ts';
import type { FlushQueue } from './flush-queue/flush-queue.ts';
import { iommuDmaFreeFq } from './flush-queue/queue-iova.ts';

/**
 * The DMA side of one paging domain.
 * @public
 * @kernel struct iommu_dma_cookie
 */
export class IommuDmaCookie {
  readonly domain: PagingDomain;
  /** Bytes of the domain's smallest page: addresses are handed out in multiples of it. */
  readonly granule: number;
  /** Hardware MSI regions: there the device's address is the physical one. */
  readonly msiRegions: ReservedRegion[] = [];
  /** First granule of the domain's aperture. @internal */
  readonly apertureFirstPfn: number;
  /** Last granule that may be handed out; infinite when the aperture does not bind. @internal */
  readonly apertureLastPfn: number;
  /** Last granule below 4 GiB. @internal */
  readonly last32BitPfn: number;
  /** The range of the unmap in progress; empty in between, because each flush empties it. @internal */
  readonly gather: IotlbGather = new IotlbGather();
  /** Ranges that wait for a flush of the whole domain (`fq_domain`); null = strict, flushed before unmap returns. */
  flushQueue: FlushQueue | null = null;
  /** Times the flush queue; null: its timer does not fire by itself. @internal */
  clock: Clock | null = null;
  /** Granules per byte: multiplying by it is exact and cheaper than dividing. */
  readonly #granulesPerByte: number;
  #iovad: IovaDomain | null = null;

  constructor(domain: PagingDomain) {
    this.domain = domain;
    this.granule = lowestPageBytes(domain.pgsizeBitmap);
    this.#granulesPerByte = 1 / this.granule;
    const perFrame = PAGE_SIZE / this.granule;
    const { apertureFirstFrame, apertureLastFrame, forceAperture } = domain.geometry;
    this.apertureFirstPfn = apertureFirstFrame * perFrame;
    this.apertureLastPfn = forceAperture ? (apertureLastFrame + 1) * perFrame - 1 : Number.POSITIVE_INFINITY;
    this.last32BitPfn = 2 ** 32 / this.granule - 1;
  }

  /** False until a device has set the domain up. */
  get initialised(): boolean {
    return this.#iovad !== null;
  }

  /** The addresses of the domain; throws {@link @sgfree/mm#DmaApiViolation} `dma-domain-not-set-up` before set-up. */
  get iovad(): IovaDomain {
    if (this.#iovad === null)
      throw new DmaApiViolation('dma-domain-not-set-up', 'no device has set the domain up');
    return this.#iovad;
  }

  /** Bytes by which an address or a size exceeds a multiple of the granule (`iova_offset`). @internal */
  offsetInGranule(bytes: number): number {
    return bytes - Math.floor(bytes * this.#granulesPerByte) * this.granule;
  }

  /** `bytes` rounded up to whole granules (`iova_align`). @internal */
  alignToGranule(bytes: number): number {
    return Math.ceil(bytes * this.#granulesPerByte) * this.granule;
  }

  /** Whole granules below `bytes` (`iova_pfn`). @internal */
  granules(bytes: number): number {
    return Math.floor(bytes * this.#granulesPerByte);
  }

  /** Starts the address space at granule `startPfn`, as init_iova_domain does; once. @internal */
  initIovaDomain(startPfn: number, platform: DmaPlatform): IovaDomain {
    const { granule } = this;
    const timed = platform.clock === null ? {} : { clock: platform.clock };
    this.#iovad = new IovaDomain({ granule, startPfn, cpus: platform.cpus, ...timed });
    return this.#iovad;
  }
}

const cookies = new WeakMap<PagingDomain, IommuDmaCookie>();

/**
 * The cookie of a domain, made when there is none yet (`domain->iova_cookie`).
 * @internal
 * @kernel iommu_get_dma_cookie
 */
export function iommuGetDmaCookie(domain: PagingDomain): IommuDmaCookie {
  let cookie = cookies.get(domain);
  if (cookie === undefined) {
    cookie = new IommuDmaCookie(domain);
    cookies.set(domain, cookie);
    domain.putCookie = () => iommuPutDmaCookie(domain);
  }
  return cookie;
}

/**
 * Gives up the DMA side of a domain that goes away: table pages that waited for a flush are freed, addresses forgotten.
 * @internal
 * @kernel iommu_put_dma_cookie
 */
export function iommuPutDmaCookie(domain: PagingDomain): void {
  const cookie = cookies.get(domain);
  if (cookie === undefined) return;
  cookies.delete(domain);
  domain.putCookie = null;
  iommuDmaFreeFq(cookie);
  if (cookie.initialised) putIovaDomain(cookie.iovad);
}

/** Lowest set bit of a bitmap of up to 53 bits. */
function lowestPageBytes(bitmap: number): number {
  let bytes = 1;
  while (bytes <= bitmap && Math.floor(bitmap / bytes) % 2 === 0) bytes *= 2;
  return bytes;
}

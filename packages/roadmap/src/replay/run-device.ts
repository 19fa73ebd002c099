// RunDevice: one device of the trace on the machine of one run, with a domain of its own.
// Source followed: drivers/iommu/iommu.c (default domains by type), drivers/iommu/dma-iommu.c (iommu_setup_dma_ops).
// A direct user of the IOMMU (VFIO) stands for the device it has: its domain is unmanaged in every mode.
// Masks start at 32 bits and are widened when the trace shows the device beyond them.
// Simplified: a device is an IOMMU group of its own; segments may be as long as a scatterlist entry.

import {
  cookieOf,
  type Device,
  dmaBitMask,
  dmaSetCoherentMask,
  dmaSetMask,
  dmaSetMaxSegSize,
  type FlushQueue,
  type IommuDmaCookie,
  iommuSetupDmaOps,
  pciDevice,
} from '@sgfree/dma-core';
import { InternalError } from '@sgfree/hw-model';
import type { PagingDomain, PagingDomainType } from '@sgfree/iommu';
import { ExposureWatch } from './exposure-watch.ts';
import type { ReplayMode } from './replay-plan.ts';
import { RunBooks } from './run-books.ts';
import type { RunMachine } from './run-machine.ts';
import { SpaceSurvey } from './space-survey.ts';

const UINT_MAX = 0xffffffff;

/**
 * Who maps: a driver through the DMA API, or a direct user of the IOMMU.
 * @public
 */
export type ReplayUser = 'dma-api' | 'iommu-api';

const DOMAIN_TYPES: Readonly<Record<ReplayMode, PagingDomainType | null>> = {
  strict: 'dma',
  lazy: 'dma-fq',
  passthrough: null,
};

/** A device in a run. */
export class RunDevice {
  readonly dev: Device;
  readonly user: ReplayUser;
  /** Null in passthrough, but not of a direct user. */
  readonly domain: PagingDomain | null;
  readonly cookie: IommuDmaCookie | null;
  readonly flushQueue: FlushQueue | null;
  /** Null without a flush queue. */
  readonly exposure: ExposureWatch | null;
  /** Null in passthrough, and of a direct user. */
  readonly survey: SpaceSurvey | null;
  /** Most table pages of the domain at once. */
  tablePagesPeak = 0;
  readonly books: RunBooks = new RunBooks();

  /** `requesterId`: one that no other device of the machine has. */
  constructor(machine: RunMachine, name: string, requesterId: number, user: ReplayUser) {
    const { iommu, platform, mode } = machine;
    const reservedRegions = iommu.reservedRegions(requesterId);
    this.dev = pciDevice({ name, platform, requesterId, reservedRegions });
    dmaSetMaxSegSize(this.dev, UINT_MAX);
    this.user = user;
    const type = user === 'iommu-api' ? 'unmanaged' : DOMAIN_TYPES[mode];
    this.domain = type === null ? null : iommu.allocPagingDomain(null, type);
    const errno =
      this.domain === null ? iommu.attachIdentity(requesterId) : iommu.attachDevice(this.domain, requesterId);
    if (errno !== 0) throw new InternalError(`${name} cannot be attached: errno ${errno}`);
    if (user === 'dma-api') iommuSetupDmaOps(this.dev, this.domain);
    dmaSetMask(this.dev, dmaBitMask(32));
    this.cookie = this.dev.dmaIommu ? cookieOf(this.dev) : null;
    this.flushQueue = this.cookie?.flushQueue ?? null;
    this.exposure = this.flushQueue === null ? null : new ExposureWatch(this.flushQueue);
    this.survey = this.cookie === null ? null : new SpaceSurvey(this.cookie.iovad);
    this.tablePagesPeak = this.domain?.table.liveTables ?? 0;
  }

  /** Widens the masks to 64 bits; they never shrink. */
  widen(streaming: boolean, coherent: boolean): void {
    if (streaming) dmaSetMask(this.dev, dmaBitMask(64));
    if (coherent) dmaSetCoherentMask(this.dev, dmaBitMask(64));
  }
}

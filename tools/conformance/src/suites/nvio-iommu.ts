// NvioIommu: the IOMMU that a list's disk is behind, brought up as on its boot, and the domain that it gave the disk.
// Source followed: vectors/kernel/README.md (QEMU's VT-d and AMD-Vi units, one for all devices); drivers/iommu/iommu.c,
// by which every group has a default domain of the type on the command line.
// Simplified: of an AMD machine the firmware reports no features, as QEMU's does.

import {
  AmdIommuUnit,
  type EventLog,
  type PhysicalMemory,
  recordedAmdFeatures,
  VtdUnit,
} from '@sgfree/hw-model';
import { AmdIommu, IntelIommu, type PagingDomain, type ReservedRegion } from '@sgfree/iommu';
import type { FrameAllocator } from '@sgfree/mm';
import { BrokenHeader } from '../suite.ts';
import type { NvioBoot } from './nvio-boot.ts';
import { requesterIdOf } from './recorded-trace.ts';

/** Which disk: its address on the bus, and the id that the boot gave its domain; null where no group lists it. */
export interface NvioDisk {
  readonly name: string;
  readonly domainId: number | null;
}

/** What the DMA layer learns of a disk's IOMMU. */
export interface NvioAttachment {
  /** Null where mappings go straight to memory. */
  readonly domain: PagingDomain | null;
  readonly reservedRegions: readonly ReservedRegion[];
}

/** Where the unit and its driver live. */
export interface NvioSurroundings {
  readonly memory: PhysicalMemory;
  readonly frames: FrameAllocator;
  readonly log: EventLog;
}

/** VT-d gives IOMMU group n the domain id n + 2 when all groups before it got one. */
const FIRST_DOMAIN_ID = 2;

/** Attaches a disk as the boot did; throws {@link BrokenHeader} when the unit and the boot do not go together. */
export function attachNvioDisk(
  boot: NvioBoot,
  disk: NvioDisk,
  surroundings: NvioSurroundings,
): NvioAttachment {
  if (boot.mapping === 'no-iommu') return { domain: null, reservedRegions: [] };
  const iommu = boot.unit === 'amd' ? amdDriver(surroundings) : intelDriver(boot, surroundings);
  const requesterId = requesterIdOf(disk.name);
  const reservedRegions = iommu.reservedRegions(requesterId);
  if (boot.mapping === 'identity') {
    refuseOn(iommu.attachIdentity(requesterId));
    return { domain: null, reservedRegions };
  }
  const type = boot.mapping === 'lazy' ? 'dma-fq' : 'dma';
  const domain =
    iommu instanceof AmdIommu ? iommu.allocPagingDomain(type) : iommu.allocPagingDomain(groupOf(disk), type);
  refuseOn(iommu.attachDevice(domain, requesterId));
  return { domain, reservedRegions };
}

function intelDriver({ capabilities, scalableMode }: NvioBoot, surroundings: NvioSurroundings): IntelIommu {
  const unit = new VtdUnit(surroundings.memory, { capabilities });
  return new IntelIommu({ unit, scalableMode, ...surroundings });
}

function amdDriver(surroundings: NvioSurroundings): AmdIommu {
  const unit = new AmdIommuUnit(surroundings.memory, { features: recordedAmdFeatures });
  return new AmdIommu({ unit, firmwareFeatures: [0, 0], ...surroundings });
}

function groupOf({ name, domainId }: NvioDisk): number {
  if (domainId === null) throw new BrokenHeader(`topo/iommu_groups.txt does not list ${name}`);
  return domainId - FIRST_DOMAIN_ID;
}

function refuseOn(errno: number): void {
  if (errno !== 0) throw new BrokenHeader(`the disk cannot be attached: errno ${errno}`);
}

// NvioMachine: the disk of a request list with everything that maps for it: its domain in the mode of the boot, and the NVMe
// driver's data path as stage 1 of the road uses it.
// Source followed: drivers/nvme/host/pci.c (nvme_pci_enable, nvme_pci_alloc_dev for masks and segment limits).
// Simplified: no controller is behind the disk, so no data moves and every command completes; addresses start out all
// free but for the interrupt window; the modelled kernel's tables and pools lie at the end of RAM.

import {
  coherentSourceOf,
  DescriptorPools,
  IovaDataMapper,
  NVME_CTRL_PAGE_SIZE,
  TrackingMemory,
} from '@sgfree/block/stage-1';
import {
  type Device,
  DmaPlatform,
  dmaBitMask,
  dmaSetMaskAndCoherent,
  dmaSetMaxSegSize,
  dmaSetMinAlignMask,
  type IommuDmaCookie,
  iommuSetupDmaOps,
  pciDevice,
} from '@sgfree/dma-core';
import { addOffset, type EventLog, PhysicalMemory, type PhysRange } from '@sgfree/hw-model';
import type { PagingDomain } from '@sgfree/iommu';
import { FrameAllocator, PageAllocator } from '@sgfree/mm';
import { BrokenHeader } from '../suite.ts';
import type { NvioBoot } from './nvio-boot.ts';
import { attachNvioDisk, type NvioDisk } from './nvio-iommu.ts';
import type { NvioLimits } from './nvio-limits.ts';
import { requesterIdOf } from './recorded-trace.ts';

/** A disk ready for requests. */
export interface NvioMachine {
  readonly dev: Device;
  readonly mapper: IovaDataMapper;
  /** Null where mappings go straight to memory. */
  readonly cookie: IommuDmaCookie | null;
  /** Takes a page of coherent memory as a descriptor pool does when it grows, and keeps it. */
  growPool(): void;
  /** True when nothing is mapped any more but the pools' pages. */
  atRest(): boolean;
}

const MIB = 2 ** 20;
const COHERENT_BYTES: number = 48 * MIB;
const TABLE_BYTES: number = 16 * MIB;

/** Builds the machine; its events go to `log`. */
export function nvioMachine(boot: NvioBoot, limits: NvioLimits, disk: NvioDisk, log: EventLog): NvioMachine {
  const memory = new PhysicalMemory();
  for (const { base, bytes } of boot.ram) memory.addRam(base, bytes);
  const { coherent, tables } = kernelWindows(boot.ram);
  const pages = new PageAllocator(memory, coherent);
  const { forcedac, cpus } = boot;
  const platform = new DmaPlatform({ memory, pages, log, forcedac, cpus });
  const frames = new FrameAllocator(memory, tables);
  const { domain, reservedRegions } = attachNvioDisk(boot, disk, { memory, frames, log });
  const { name } = disk;
  const dev = pciDevice({ name, platform, requesterId: requesterIdOf(name), reservedRegions });
  iommuSetupDmaOps(dev, domain);
  setUpForNvme(dev);
  const source = coherentSourceOf(dev);
  const tracking = new TrackingMemory();
  const pools = new DescriptorPools(source, memory, tracking);
  const mapper = new IovaDataMapper({ dev, pools, tracking, policy: limits.policy });
  let grown = 0;
  return {
    dev,
    mapper,
    cookie: dev.cookie,
    growPool(): void {
      // Giving it back would take an entry of the flush queue.
      if (source.alloc(NVME_CTRL_PAGE_SIZE) !== null) grown += 1;
    },
    atRest(): boolean {
      const idle = pools.small.liveBlocks + pools.large.liveBlocks === 0;
      const poolPages = pools.small.pages + pools.large.pages + grown;
      return idle && (domain === null || leavesOf(domain) === poolPages);
    },
  };
}

function setUpForNvme(dev: Device): void {
  dmaSetMaskAndCoherent(dev, dmaBitMask(64));
  dmaSetMinAlignMask(dev, NVME_CTRL_PAGE_SIZE - 1);
  dmaSetMaxSegSize(dev, 0xffffffff);
}

function leavesOf(domain: PagingDomain): number {
  let leaves = 0;
  domain.table.visitLeaves(() => {
    leaves += 1;
  });
  return leaves;
}

/** Where the modelled kernel keeps what it allocates: at the end of the last range with room. */
function kernelWindows(ram: readonly PhysRange[]): { coherent: PhysRange; tables: PhysRange } {
  const bytes = COHERENT_BYTES + TABLE_BYTES;
  const roomy = ram.findLast((range) => range.bytes >= bytes);
  if (roomy === undefined) throw new BrokenHeader(`no range of RAM holds ${bytes} bytes`);
  const base = addOffset(roomy.base, roomy.bytes - bytes);
  return {
    coherent: { base, bytes: COHERENT_BYTES },
    tables: { base: addOffset(base, COHERENT_BYTES), bytes: TABLE_BYTES },
  };
}

// A machine for the DMA cases: one trusted PCI device behind VT-d second-stage tables of 48 bits, strict unless lazy is
// asked for, in memory of its own, with the event log off and hardware that needs no telling: what is timed is the
// software alone.
// Simplified: invalidations are counted, not carried out, as in the native figures.

import {
  type Device,
  DmaPlatform,
  dmaBitMask,
  dmaSetMask,
  iommuSetupDmaOps,
  pciDevice,
} from '@sgfree/dma-core';
import { PhysicalMemory, physAddr } from '@sgfree/hw-model';
import { PageTable, PagingDomain, type PagingDomainType, VtdSecondStageFormat } from '@sgfree/iommu';
import { FrameAllocator } from '@sgfree/mm';

/** The device and its domain. */
export interface DmaBenchMachine {
  readonly dev: Device;
  readonly domain: PagingDomain;
}

/** A fresh machine; the device has a 64-bit mask and tries 32-bit addresses first. */
export function dmaBenchMachine(type: PagingDomainType = 'dma'): DmaBenchMachine {
  const memory = new PhysicalMemory();
  const ram = { base: physAddr(0), bytes: 2 ** 32 };
  memory.addRam(ram.base, ram.bytes);
  const format = new VtdSecondStageFormat({ flushRange: true });
  const table = new PageTable({ format, memory, frames: new FrameAllocator(memory, ram), vaBits: 48 });
  const domain = new PagingDomain({
    table,
    type,
    ops: { iotlbSync() {}, flushIotlbAll() {}, iotlbSyncMap: null },
  });
  const dev = pciDevice({ name: 'bench', platform: new DmaPlatform({ memory }) });
  iommuSetupDmaOps(dev, domain);
  dmaSetMask(dev, dmaBitMask(64));
  return { dev, domain };
}

// A small machine for the driver's tests: memory, a fabric, one NVMe controller, with or without a VT-d unit.
// Source followed: none beyond the packages it is made of; every part is the real one.
// Simplified: 64 MiB of RAM, of which the last 32 belong to the kernel.

import { DmaPlatform, iommuSetupDmaOps, pciDevice } from '@sgfree/dma-core';
import {
  BlockMedium,
  Clock,
  NvmeController,
  type NvmeSglSupport,
  PciFabric,
  PhysicalMemory,
  physAddr,
  recordedVtdCapabilities,
  Scheduler,
  VtdUnit,
} from '@sgfree/hw-model';
import { IntelIommu } from '@sgfree/iommu';
import { FrameAllocator, PageAllocator } from '@sgfree/mm';

const MIB = 2 ** 20;

export interface NvmeMachineOptions {
  readonly iommu?: boolean;
  readonly sgls?: NvmeSglSupport;
  readonly mdts?: number;
  readonly seed?: number;
}

/** Block `lba` before it is written: its number in every word. */
export const initialBlock = (lba: number, into: Uint8Array): void => {
  new Uint32Array(into.buffer, into.byteOffset, into.byteLength / 4).fill(lba + 1);
};

export function nvmeMachine(options: NvmeMachineOptions = {}) {
  const memory = new PhysicalMemory();
  memory.addRam(physAddr(0), 64 * MIB);
  const scheduler = new Scheduler({ seed: options.seed ?? 1 });
  const fabric = new PciFabric({ memory, clock: new Clock() });
  const host = fabric.addHostBridge({ memoryAperture: { base: physAddr(0xc0000000), bytes: 256 * MIB } });
  const medium = new BlockMedium({ blockBytes: 512, blockCount: 2 ** 21, pattern: initialBlock });
  const controller = new NvmeController(fabric, fabric.addRootPort(host), {
    scheduler,
    medium,
    sgls: options.sgls ?? 1,
    mdts: options.mdts ?? 7,
  });
  fabric.enumerate();
  controller.endpoint.setCommand({ memory: true, busMaster: true });
  const pages = new PageAllocator(memory, { base: physAddr(32 * MIB), bytes: 24 * MIB });
  const platform = new DmaPlatform({ memory, pages });
  const dev = pciDevice({ name: '0000:01:00.0', platform, requesterId: controller.endpoint.requesterId });
  const frames = new FrameAllocator(memory, { base: physAddr(56 * MIB), bytes: 8 * MIB });
  const unit = options.iommu === false ? null : translate();
  return {
    memory,
    scheduler,
    fabric,
    controller,
    medium,
    pages,
    frames,
    dev,
    unit,
    registers: fabric.barPhys(controller.endpoint, 0),
  };

  function translate(): VtdUnit {
    const own = new VtdUnit(memory, { capabilities: recordedVtdCapabilities });
    fabric.setTranslationAgent(own);
    const iommu = new IntelIommu({ unit: own, memory, frames });
    const domain = iommu.allocPagingDomain(1);
    iommu.attachDevice(domain, dev.requesterId);
    iommuSetupDmaOps(dev, domain);
    return own;
  }
}

export type NvmeMachine = ReturnType<typeof nvmeMachine>;

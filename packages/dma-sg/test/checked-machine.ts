// A machine for tests of the checker: two devices, each behind a domain of its own or on the direct map, coherent memory,
// special kernel memory, and every finding in order.

import {
  type Device,
  type DeviceOptions,
  type DmaAttrs,
  type DmaCoherentBlock,
  DmaDebug,
  type DmaDebugFinding,
  type DmaDebugOptions,
  DmaPlatform,
  dmaAllocAttrs,
  dmaBitMask,
  dmaMapPhys,
  dmaMappingError,
  dmaSetMask,
  iommuSetupDmaOps,
  NO_ATTRS,
  pciDevice,
} from '@sgfree/dma-core';
import { type DmaAddr, dmaAddr, PhysicalMemory, physAddr } from '@sgfree/hw-model';
import { PageTable, PagingDomain, VtdSecondStageFormat } from '@sgfree/iommu';
import { FrameAllocator, PageAllocator } from '@sgfree/mm';

const MIB = 2 ** 20;
/** RAM that nothing else uses. */
export const BUFFER = 16 * MIB;
export const KERNEL_TEXT = 8 * MIB;
export const STACK = 11 * MIB;
export const RESERVED = 10 * MIB;
/** No RAM. */
export const BAR = 2 ** 32;
/** No RAM, zone-device frames of a peer. */
export const PEER_BAR = 2 ** 33;
/** CPU addresses without RAM behind them here. */
export const VMALLOC = 2 ** 45;

const range = (base: number, bytes: number) => ({ base: physAddr(base), bytes });

export interface CheckedMachineOptions extends Omit<DmaDebugOptions, 'onFinding'> {
  readonly iommu?: boolean;
  readonly device?: Partial<DeviceOptions>;
}

export function checkedMachine(options: CheckedMachineOptions = {}) {
  const { iommu = true, device = {}, ...checker } = options;
  const memory = new PhysicalMemory();
  memory.addRam(physAddr(0), 256 * MIB);
  const findings: DmaDebugFinding[] = [];
  const debug = new DmaDebug({ ...checker, onFinding: (finding) => findings.push(finding) });
  const platform = new DmaPlatform({
    memory,
    debug,
    pages: new PageAllocator(memory, range(192 * MIB, 32 * MIB)),
    kernelRegions: {
      textAndRodata: [range(KERNEL_TEXT, MIB)],
      stack: [range(STACK, 16384)],
      reserved: [range(RESERVED, MIB)],
      vmalloc: [range(VMALLOC, MIB)],
    },
  });
  platform.frames.addZoneDevice('pci-p2pdma', PEER_BAR / 4096, 256);
  const frames = new FrameAllocator(memory, range(128 * MIB, 64 * MIB));
  const addDevice = (name: string): Device => {
    const dev = pciDevice({ name, platform, ...device });
    const format = new VtdSecondStageFormat({ flushRange: true });
    const domain = new PagingDomain({
      table: new PageTable({ format, memory, frames, vaBits: 48 }),
      type: 'dma',
      log: platform.log,
      ops: { iotlbSync: () => undefined, flushIotlbAll: () => undefined, iotlbSyncMap: null },
    });
    iommuSetupDmaOps(dev, iommu ? domain : null);
    dmaSetMask(dev, dmaBitMask(64));
    return dev;
  };
  return {
    platform,
    debug,
    findings,
    dev: addDevice('0000:01:00.0'),
    other: addDevice('0000:02:00.0'),
    /** Rules of all findings so far, in order; forgets them. */
    takeRules: (): string[] => findings.splice(0).map(({ rule }) => rule),
  };
}

export type CheckedMachine = ReturnType<typeof checkedMachine>;

/** Maps `size` bytes at `phys` and asks for a mapping error, as a driver should. */
export function mapChecked(
  dev: Device,
  phys: number,
  size: number,
  dir: 'to-device' | 'from-device' | 'bidirectional' = 'from-device',
  attrs: DmaAttrs = NO_ATTRS,
): DmaAddr {
  const address = dmaMapPhys(dev, physAddr(phys), size, dir, attrs);
  if (dmaMappingError(dev, address) !== 0) throw new Error('the mapping failed');
  return dmaAddr(address);
}

export function allocBlock(dev: Device, size: number, attrs: DmaAttrs = NO_ATTRS): DmaCoherentBlock {
  const block = dmaAllocAttrs(dev, size, attrs);
  if (block === null) throw new Error('no memory');
  return block;
}

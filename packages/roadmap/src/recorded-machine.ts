// RecordedMachine: the computer of the recorded I/O as an object graph: memory, fabric, a VT-d unit with its driver, a disk.
// Source followed: the recorded q35 machine (vectors/kernel/io/strict/RUN.txt and topo/): an NVMe controller at 01:00.0
// below a root port, in IOMMU group 22, one VT-d unit for all, 48-bit tables, strict mode.
// Simplified: one disk and one processor; no other device, no firmware tables.

import type { DmaDebug } from '@sgfree/dma-core';
import {
  type BlockMedium,
  Clock,
  type EventLog,
  NvmeController,
  PciFabric,
  PhysicalMemory,
  type Scheduler,
  type VtdUnit,
} from '@sgfree/hw-model';
import type { PagingDomain } from '@sgfree/iommu';
import { type MachineShape, machineShape } from './machine-shape.ts';
import { NvmeMachine, type NvmeMachineParts } from './nvme-machine.ts';

/**
 * What a machine is built from.
 * @internal
 */
export interface RecordedMachineOptions {
  /** See {@link machineShape}. */
  readonly memoryBytes: number;
  readonly scheduler: Scheduler;
  /** Makes the disk's medium of so many 512-byte blocks. */
  readonly medium: (blockCount: number) => BlockMedium;
  /** Gets the kernel's events while it is enabled. */
  readonly log?: EventLog;
  /** The checker of DMA API misuse. */
  readonly debug?: DmaDebug;
}

/**
 * A machine that has booted up to the point where the NVMe driver binds.
 * @internal
 */
export class RecordedMachine extends NvmeMachine {
  readonly shape: MachineShape;
  declare readonly unit: VtdUnit;
  declare readonly domain: PagingDomain;

  constructor(options: RecordedMachineOptions) {
    const shape = machineShape(options.memoryBytes);
    super(plugIn(shape, options));
    this.shape = shape;
  }
}

function plugIn(shape: MachineShape, options: RecordedMachineOptions): NvmeMachineParts {
  const { window32, window64, diskBytes, blockBytes, kernelRam, bridgeWindows } = shape;
  const { scheduler, log, debug } = options;
  const memory = new PhysicalMemory();
  const clock = new Clock();
  for (const { base, bytes } of shape.ram) memory.addRam(base, bytes);
  const logging = log === undefined ? {} : { log };
  const checking = debug === undefined ? {} : { debug };
  const fabric = new PciFabric({ memory, clock, ...logging });
  const host = fabric.addHostBridge({ memoryAperture: window32, prefetchAperture: window64 });
  const port = fabric.addRootPort(host);
  const medium = options.medium(diskBytes / blockBytes);
  const name = '0000:01:00.0';
  const controller = new NvmeController(fabric, port, { scheduler, medium, name });
  fabric.enumerate();
  controller.endpoint.setCommand({ memory: true, busMaster: true });
  const parts = { memory, clock, fabric, controller, name, kernelRam, bridgeWindows, translated: true };
  return { ...parts, ...logging, ...checking };
}

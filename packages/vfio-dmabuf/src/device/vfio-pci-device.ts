// VfioPciDevice: a PCI function in the hands of a user, and the locks, buffers and mappings that come with it.
// Source followed: include/linux/vfio_pci_core.h (struct vfio_pci_core_device) and include/linux/vfio.h.
// Simplified: no interrupts, groups or iommufd binding; configuration space as far as memory and resets need it.

import type { DmaBufPlatform } from '@sgfree/dma-buf';
import { type PciBar, TaskRwLock } from '@sgfree/hw-model';
import type { PciDev } from '@sgfree/p2p';
import { VfioVirtualConfig } from '../config/virtual-config.ts';
import type { VfioMapping } from '../export/exporter-mapping.ts';
import { type VfioGetDmabufPhys, vfioPciCoreGetDmabufPhys } from '../export/get-dmabuf-phys.ts';
import type { VfioPciDmaBuf } from '../export/vfio-pci-dma-buf.ts';
import type { VfioDeviceSet } from './hot-reset.ts';
import { MemoryDecoding } from './memory-decoding.ts';
import type { PciPowerState } from './pci-power-state.ts';
import { functionReset, type PciResetMethod } from './reset-function.ts';
import type { VfioBarMapping } from './user-bar-mapping.ts';
import { VfioRegistration } from './vfio-registration.ts';

/**
 * How a device is given to a user.
 * @public
 */
export interface VfioPciDeviceOptions {
  /** What the machine's buffers share. Its lock order knows the class `memory_lock`. */
  readonly platform: DmaBufPlatform;
  readonly pdev: PciDev;
  /** How the BARs are made reachable for importers. */
  readonly mapping: VfioMapping<unknown>;
  /** The variant driver's answer to where a region lies; null = it has none. Default {@link vfioPciCoreGetDmabufPhys}. */
  readonly getDmabufPhys?: VfioGetDmabufPhys | null;
  /** The function has no memory bit in its command register, as a virtual function. Default false. */
  readonly noCommandMemory?: boolean;
  /** BARs that the driver has claimed; default: the memory BARs. */
  readonly claimedBars?: readonly number[];
  /** Resets the function; null = it cannot be reset. Default {@link functionReset}. */
  readonly reset?: PciResetMethod | null;
  /** Asked before each write to the function's configuration space: 0, or the negative errno it fails with. */
  readonly configFault?: (offset: number, value: number) => number;
  /**
   * `wait`: importers must be revocable, and memory is taken only when they are through with it. `notify`: they are told,
   * and nobody waits: the exporter of a memory that merely moves. Default `wait`.
   */
  readonly revoke?: 'wait' | 'notify';
}

/**
 * What a device has done so far.
 * @public
 */
export interface VfioCounters {
  /** Times that the user's BAR pages were removed, and pages that were there. */
  zaps: number;
  zappedPages: number;
  resets: number;
  /** Times that an access ended a low power mode that was to be ended so. */
  wakeUps: number;
  /** Buffers taken back and given out again, one each per buffer. */
  revokes: number;
  unrevokes: number;
}

/**
 * State of the low power mode that a user can ask for.
 * @public
 */
export interface VfioRuntimePm {
  /** The user asked for it and has not come back. */
  engaged: boolean;
  /** Any access ends the mode and calls this. */
  wake: (() => void) | null;
  /** Accesses under way; the device sleeps when none is and the mode is engaged. */
  users: number;
  suspended: boolean;
}

/**
 * A PCI function behind VFIO: `struct vfio_pci_core_device`.
 * @public
 */
export class VfioPciDevice {
  readonly platform: DmaBufPlatform;
  readonly pdev: PciDev;
  readonly mapping: VfioMapping<unknown>;
  readonly getDmabufPhys: VfioGetDmabufPhys | null;
  readonly noCommandMemory: boolean;
  readonly claimedBars: ReadonlySet<number>;
  readonly reset: PciResetMethod | null;
  readonly revoke: 'wait' | 'notify';
  /** Held for writing while the memory changes between reachable and not. */
  readonly memoryLock: TaskRwLock;
  readonly registration: VfioRegistration;
  /** Exported and not released, the oldest first. Guarded by `memoryLock`. */
  readonly dmabufs: VfioPciDmaBuf[] = [];
  readonly userMappings: VfioBarMapping[] = [];
  readonly counters: VfioCounters = {
    zaps: 0,
    zappedPages: 0,
    resets: 0,
    wakeUps: 0,
    revokes: 0,
    unrevokes: 0,
  };
  readonly runtimePm: VfioRuntimePm = { engaged: false, wake: null, users: 0, suspended: false };
  /** The configuration space as the user sees it. */
  readonly config: VfioVirtualConfig;
  /** @internal */
  readonly decoding: MemoryDecoding;
  powerState: PciPowerState = 0;
  openCount = 0;
  /** The function could be reset when it was opened. */
  resetWorks = false;
  /** Devices that can only be reset together with this one. */
  devSet: VfioDeviceSet | null = null;

  constructor(options: VfioPciDeviceOptions) {
    const { platform, pdev, getDmabufPhys, reset } = options;
    this.platform = platform;
    this.pdev = pdev;
    this.mapping = options.mapping;
    this.getDmabufPhys = getDmabufPhys === undefined ? vfioPciCoreGetDmabufPhys : getDmabufPhys;
    this.noCommandMemory = options.noCommandMemory ?? false;
    this.claimedBars = new Set(options.claimedBars ?? pdev.fn.bars.map(({ index }: PciBar) => index));
    this.reset = reset === undefined ? functionReset : reset;
    this.revoke = options.revoke ?? 'wait';
    const { scheduler, order } = platform;
    const name = `memory_lock of ${pdev.name}`;
    this.memoryLock = new TaskRwLock({ name, lockClass: 'memory_lock', scheduler, order });
    this.registration = new VfioRegistration(pdev.name);
    this.decoding = new MemoryDecoding(pdev.fn, this.noCommandMemory);
    this.config = new VfioVirtualConfig(pdev.fn, this.decoding, this.noCommandMemory, options.configFault);
  }

  get name(): string {
    return this.pdev.name;
  }

  /** Clock step of the machine; -1 for one without a clock. */
  get step(): number {
    return this.platform.scheduler.clock?.step ?? -1;
  }
}

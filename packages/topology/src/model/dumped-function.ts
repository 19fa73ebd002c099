// One PCI function as a dump shows it: every fact is a value, 'absent' (shown not to exist) or 'unknown' (not shown).
// Source followed: PCI Express Base Specification 6.0, chapter 7; struct pci_dev of the kernel for what is asked of it.
// A reader of any format fills this in; no answer may treat 'unknown' as 'absent'.
// Simplified: of the capabilities only PCI Express and ACS are decoded; the bytes are there for the rest.

import type { PciBusAddr, PhysAddr } from '@sgfree/hw-model';
import type { PciAddress } from './pci-address.ts';

/**
 * A value that a dump may not show.
 * @public
 */
export type Knowledge<T> = T | 'unknown';

/**
 * A register that may not exist, or not be shown.
 * @public
 */
export type RegisterFact = number | 'absent' | 'unknown';

/**
 * A bus by domain and number.
 * @public
 */
export interface PciBusPlace {
  readonly domain: number;
  readonly bus: number;
}

/**
 * A BAR, an expansion ROM, a range of virtual functions or a bridge window.
 * @public
 */
export interface DumpedResource {
  readonly kind: 'bar' | 'rom' | 'sriov' | 'window';
  /** BAR number 0 to 5; 0 for a ROM; window 0 = I/O, 1 = memory, 2 = prefetchable. */
  readonly index: number;
  readonly space: 'memory' | 'io';
  /** First address as the CPU sees it; 0 when nobody assigned one, or for a closed window. */
  readonly base: Knowledge<PhysAddr>;
  /** First address on the bus, from the register itself. */
  readonly busBase: Knowledge<PciBusAddr>;
  /** Length in bytes; a register alone does not tell it. */
  readonly bytes: Knowledge<number>;
  readonly prefetchable: boolean;
  readonly width: 32 | 64;
  /** False when decoding is off or the window is closed. */
  readonly enabled: Knowledge<boolean>;
}

/**
 * The three bus numbers of a bridge.
 * @public
 */
export interface BridgeBuses {
  readonly primary: Knowledge<number>;
  readonly secondary: number;
  readonly subordinate: number;
}

/**
 * Access Control Services of a function: each part on its own, because dumps show them in parts.
 * @public
 */
export interface DumpedAcs {
  /** Offset of the extended capability. */
  readonly offset: RegisterFact;
  /** Capability register, bits 6:0. */
  readonly capability: RegisterFact;
  /** Control register, bits 6:0. */
  readonly control: RegisterFact;
}

/**
 * One PCI function of a dump.
 * @public
 */
export interface DumpedFunction {
  readonly address: PciAddress;
  /** The address as sysfs prints it. */
  readonly name: string;
  /** Line of its first mention, from 1; 0 when the source has no lines. */
  readonly line: number;
  /** Dumped configuration bytes (0, 64, 256 or 4096 of them). */
  readonly config: Uint8Array;
  /** For each of them, its known bits. */
  readonly known: Uint8Array;
  readonly vendorId: Knowledge<number>;
  readonly deviceId: Knowledge<number>;
  readonly subsystemVendorId: Knowledge<number>;
  readonly subsystemId: Knowledge<number>;
  /** 16 bits: base class and sub-class. */
  readonly classId: Knowledge<number>;
  readonly progIf: Knowledge<number>;
  /** What the dump calls the class, or ''. */
  readonly className: string;
  /** What the dump calls vendor and device, or ''. */
  readonly title: string;
  /** 0 endpoint, 1 bridge, 2 CardBus. */
  readonly headerType: Knowledge<number>;
  /** Header type bit 7, or another function number than 0. */
  readonly multifunction: Knowledge<boolean>;
  /** True for an SR-IOV virtual function. */
  readonly virtualFunction: Knowledge<boolean>;
  /** Bus numbers of a bridge; 'absent' for anything else. */
  readonly buses: BridgeBuses | 'absent' | 'unknown';
  /** PCI Express device/port type; 'absent' when it is no PCI Express function. */
  readonly portType: RegisterFact;
  readonly acs: DumpedAcs;
  readonly resources: readonly DumpedResource[];
  /** Command register bit 1: answers memory requests. */
  readonly memoryEnabled: Knowledge<boolean>;
  /** Command register bit 2: may send requests. */
  readonly busMaster: Knowledge<boolean>;
  readonly driver: string | undefined;
  readonly numaNode: number | undefined;
  /** The group a running kernel gave it, where printed. */
  readonly iommuGroup: number | undefined;
  readonly slot: string | undefined;
  /** The bridge above; 'root' on a root bus; 'unknown' when the dump does not show who is above. */
  readonly upstream: DumpedFunction | 'root' | 'unknown';
  /** The root bus it hangs from. */
  readonly rootBus: Knowledge<PciBusPlace>;
}

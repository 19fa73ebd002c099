// AmdIommu: the driver of one AMD-Vi unit: brings it up, makes paging domains and attaches devices to them.
// Source followed: drivers/iommu/amd/init.c (early_enable_iommu, iommu_set_device_table, iommu_enable_command_buffer,
// iommu_enable_event_buffer), iommu.c (amd_iommu_attach_device, blocked_domain_attach_device, amd_iommu_flush_all_caches).
// Simplified: host (v1) tables only, no PASIDs, aliases, interrupt remapping or tables taken over from a crashed kernel.

import {
  AmdControl,
  type AmdIommuUnit,
  AmdRegister,
  EventLog,
  InternalError,
  type PhysicalMemory,
  pairOf,
  type RegisterPair,
} from '@sgfree/hw-model';
import { Errno, type FrameAllocator, failure, type Outcome, success } from '@sgfree/mm';
import { PagingDomain, type PagingDomainType } from '../domain/paging-domain.ts';
import type { ReservedRegion } from '../domain/reserved-region.ts';
import { amdDirtyOps } from './amd-dirty-ops.ts';
import { AmdDomainOps } from './amd-domain-ops.ts';
import { EventReader } from './amd-event-reader.ts';
import { amdAddressBits, openAmdPageTable } from './amd-page-table.ts';
import { type AmdUnityRegion, amdReservedRegionsOf } from './amd-reserved-region.ts';
import { type AmdAttachedDevice, type AmdTarget, amdIommuFlushTlbDomid } from './amd-target.ts';
import { type AmdCommandCounters, CommandQueue } from './command-queue.ts';
import { buildInvAll, buildInvDte, COMMAND_WORDS } from './command-words.ts';
import { DeviceTable } from './device-table.ts';
import { type AmdDeviceName, type AmdLoggedEvent, pciName } from './logged-event.ts';
import { clearEntry, ProtectionDomain } from './protection-domain.ts';
import { ProtectionDomainIds } from './protection-domain-ids.ts';

/**
 * What the driver works with.
 * @public
 */
export interface AmdIommuOptions {
  readonly unit: AmdIommuUnit;
  readonly memory: PhysicalMemory;
  /** Where device table, page tables and rings come from. */
  readonly frames: FrameAllocator;
  readonly log?: EventLog;
  /** Place of the unit among those of the machine; default 0. */
  readonly index?: number;
  /** Domain ids of the machine; units that share domains share them. Default: a set of its own. */
  readonly domainIds?: ProtectionDomainIds;
  /** Highest device id of the machine; default 0xffff. */
  readonly lastDeviceId?: number;
  /**
   * The extended feature register as firmware reports it in the IVHD block, which decides the width of page tables;
   * default: the unit's own. [0, 0] stands for firmware that reports none.
   */
  readonly firmwareFeatures?: RegisterPair;
  /** Memory that firmware has promised to devices; default none. */
  readonly unityRegions?: readonly AmdUnityRegion[];
  /** The platform lets devices use what HyperTransport keeps elsewhere; default false. */
  readonly ignoreHtRange?: boolean;
  /** Names in trace events and console lines; null: no such device. Default: the PCI name, no driver bound (`pci`). */
  readonly describeDevice?: (deviceId: number) => AmdDeviceName | null;
}

/**
 * What the device's TLB takes; the `DeviceTlb` of VT-d will do.
 * @public
 */
export interface AmdDeviceTlb {
  readonly queueDepth: number;
}

interface Attachment {
  readonly device: AmdAttachedDevice;
  readonly domain: ProtectionDomain;
}

/**
 * Driver of one AMD-Vi unit.
 * @public
 */
export class AmdIommu {
  readonly unit: AmdIommuUnit;
  readonly #memory: PhysicalMemory;
  readonly #frames: FrameAllocator;
  readonly #log: EventLog;
  readonly #ids: ProtectionDomainIds;
  readonly #target: AmdTarget;
  readonly #identity: ProtectionDomain;
  readonly #attachments = new Map<number, Attachment>();
  readonly #events: EventReader;
  readonly #lastDeviceId: number;
  readonly #vaBits: number;
  readonly #unity: readonly AmdUnityRegion[];
  readonly #ignoreHt: boolean;

  /** Brings the unit up; throws {@link @sgfree/hw-model#InternalError} when there is no memory for its tables and rings. */
  constructor(options: AmdIommuOptions) {
    const { unit, memory, frames } = options;
    this.unit = unit;
    this.#memory = memory;
    this.#frames = frames;
    this.#log = options.log ?? new EventLog();
    this.#ids = options.domainIds ?? new ProtectionDomainIds();
    if (unit.features.notPresentCache) this.#ids.notPresentCache = true;
    this.#lastDeviceId = options.lastDeviceId ?? 0xffff;
    this.#vaBits = amdAddressBits(options.firmwareFeatures ?? unit.features.extendedFeatures);
    this.#unity = options.unityRegions ?? [];
    this.#ignoreHt = options.ignoreHtRange ?? false;
    const table = new DeviceTable(memory, frames, this.#lastDeviceId);
    this.#target = { index: options.index ?? 0, queue: new CommandQueue(unit, memory, frames), table };
    this.#identity = this.#newProtectionDomain(this.#ids.identity, () => ({ rootFrame: 0, levels: 0 }));
    this.#events = new EventReader(unit, memory, frames, this.#log, {
      nameOf: options.describeDevice ?? ((id) => ({ driver: 'pci', device: pciName(id) })),
      isAttached: (id) => this.#attachments.has(id),
    });
    this.#bringUp();
  }

  /**
   * A unit of the machine caches what is not present, as under a hypervisor: mappings are flushed, and lazy mode is off.
   * Domains made before such a unit was brought up do not change.
   */
  get notPresentCache(): boolean {
    return this.#ids.notPresentCache;
  }

  /** Commands and waits so far. */
  get counters(): Readonly<AmdCommandCounters> {
    return this.#target.queue.counters;
  }

  /** Page frame of the device table. */
  get deviceTableFrame(): number {
    return this.#target.table.baseFrame;
  }

  /** Domain ids in use on the machine, that of the identity domain not counted. */
  get liveDomainIds(): number {
    return this.#ids.live;
  }

  /** The unit can record in page tables what devices write (`IOMMU_CAP_DIRTY_TRACKING`). */
  get dirtyTracking(): boolean {
    return this.unit.features.hostDirty;
  }

  /**
   * A domain with an empty page table of three levels that grows as addresses need it. It takes the lowest free domain id
   * of the machine and keeps it until it is freed. A lazy domain (`dma-fq`) becomes strict under a hypervisor, which would
   * pay for the batching (quirk lazy-off-in-caching-mode). `dirtyTracking`: devices whose unit cannot record writes are not
   * let in. Errors: -EOPNOTSUPP when this unit cannot, or on a machine without host tables; -ENOMEM, also when no id is free.
   */
  openPagingDomain(type: PagingDomainType = 'dma', dirtyTracking = false): Outcome<PagingDomain> {
    if (this.#vaBits === 0 || (dirtyTracking && !this.dirtyTracking)) return failure(Errno.EOPNOTSUPP);
    const id = this.#ids.take();
    if (id < 0) return failure(Errno.ENOMEM);
    const opened = openAmdPageTable(this.#memory, this.#frames, this.#vaBits, this.notPresentCache);
    if (!opened.ok) {
      this.#ids.release(id);
      return failure(opened.errno);
    }
    const table = opened.value;
    const protection = this.#newProtectionDomain(id, () => table);
    table.topChanged = () => protection.changeTop();
    const ops = new AmdDomainOps(protection, this.#ids, this.notPresentCache);
    const domainType = type === 'dma-fq' && this.notPresentCache ? 'dma' : type;
    const dirtyOps = dirtyTracking ? amdDirtyOps(protection, table, this.#memory) : null;
    return success(new PagingDomain({ table, ops, dirtyOps, type: domainType, log: this.#log }));
  }

  /** {@link AmdIommu.openPagingDomain} for callers that cannot go on without; throws {@link @sgfree/hw-model#InternalError}. */
  allocPagingDomain(type: PagingDomainType = 'dma'): PagingDomain {
    const domain = this.openPagingDomain(type);
    if (!domain.ok) throw new InternalError(`no paging domain: errno ${domain.errno}`);
    return domain.value;
  }

  /** The id under which every unit knows `domain`; -1 for a domain of another driver. */
  domainIdOf(domain: PagingDomain): number {
    return domain.ops instanceof AmdDomainOps ? domain.ops.protection.id : -1;
  }

  /**
   * Sends the requests of `requesterId` through `domain`; what it was attached to before is given up first. `deviceTlb`:
   * the function uses ATS. Returns 0, also when it is attached there already, -EINVAL for a domain of another driver or
   * machine, -ENODEV for a function beyond the last one of the machine, -EINVAL for a domain that records writes when the
   * unit cannot.
   */
  attachDevice(domain: PagingDomain, requesterId: number, deviceTlb: AmdDeviceTlb | null = null): number {
    const { ops } = domain;
    if (!(ops instanceof AmdDomainOps) || ops.ids !== this.#ids) return -Errno.EINVAL;
    return this.#attach(ops.protection, requesterId, deviceTlb, domain.dirtyOps !== null);
  }

  /** Lets the requests of `requesterId` pass untranslated. Returns 0 or -ENODEV. */
  attachIdentity(requesterId: number, deviceTlb: AmdDeviceTlb | null = null): number {
    return this.#attach(this.#identity, requesterId, deviceTlb);
  }

  /** Blocks the requests of `requesterId`; nothing happens when it is not attached (blocked_domain_attach_device). */
  detachDevice(requesterId: number): void {
    const attachment = this.#detach(requesterId);
    // The blocked domain writes the same entry once more.
    if (attachment !== undefined) clearEntry({ ...attachment.device, queueDepth: -1 });
  }

  /** Addresses that must not be handed out to `requesterId`, and those that firmware wants mapped one to one. */
  reservedRegions(requesterId: number): readonly ReservedRegion[] {
    return amdReservedRegionsOf(requesterId, this.#unity, this.#ignoreHt);
  }

  /**
   * What the driver's interrupt thread does: takes every event out of the log and answers each. A page fault of an attached
   * device posts `iommu:io_page_fault`. Returns the events, oldest first.
   */
  processEventLog(): readonly AmdLoggedEvent[] {
    return this.#events.handleInterrupt();
  }

  #attach(
    domain: ProtectionDomain,
    deviceId: number,
    deviceTlb: AmdDeviceTlb | null,
    recordsWrites = false,
  ): number {
    if (!this.#target.table.holds(deviceId)) return -Errno.ENODEV;
    if (this.#attachments.get(deviceId)?.domain === domain) return 0;
    if (recordsWrites && !this.dirtyTracking) return -Errno.EINVAL;
    this.#detach(deviceId);
    // Without IotlbSup the unit answers no requests of device TLBs, so that ATS stays off.
    const queueDepth = this.unit.features.deviceTlb ? (deviceTlb?.queueDepth ?? -1) : -1;
    const device = { deviceId, target: this.#target, queueDepth };
    this.#attachments.set(deviceId, { device, domain });
    domain.attach(device);
    return 0;
  }

  #detach(deviceId: number): Attachment | undefined {
    const attachment = this.#attachments.get(deviceId);
    this.#attachments.delete(deviceId);
    attachment?.domain.detach(attachment.device);
    return attachment;
  }

  #newProtectionDomain(id: number, top: () => { rootFrame: number; levels: number }): ProtectionDomain {
    return new ProtectionDomain(id, this.notPresentCache, top);
  }

  #bringUp(): void {
    const { unit } = this;
    const { table, queue } = this.#target;
    const [low, high] = pairOf(table.baseFrame * 4096);
    unit.writeRegister64(AmdRegister.DEVICE_TABLE_BASE, [low + table.pages - 1, high]);
    queue.program();
    this.#events.program();
    const rings =
      AmdControl.commandBufferEnable | AmdControl.eventLogEnable | AmdControl.eventInterruptEnable;
    unit.writeRegister64(AmdRegister.CONTROL, [rings | AmdControl.coherent, 0]);
    unit.writeRegister64(AmdRegister.CONTROL, [rings | AmdControl.coherent | AmdControl.iommuEnable, 0]);
    this.#flushAllCaches();
  }

  /** One command where the unit has it, else one for every device and one for every domain that there might be. */
  #flushAllCaches(): void {
    const { queue } = this.#target;
    const command = new Uint32Array(COMMAND_WORDS);
    if (this.unit.features.invalidateAll) {
      buildInvAll(command);
      queue.queue(command);
      queue.completionWait();
      return;
    }
    for (let deviceId = 0; deviceId <= this.#lastDeviceId; deviceId += 1) {
      buildInvDte(command, deviceId);
      queue.queue(command);
    }
    queue.completionWait();
    for (let domain = 0; domain <= this.#lastDeviceId; domain += 1)
      amdIommuFlushTlbDomid(this.#target, domain);
  }
}

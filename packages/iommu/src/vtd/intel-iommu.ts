// IntelIommu: the driver of one VT-d unit: brings it up, makes paging domains for it and attaches devices to them.
// Source followed: drivers/iommu/intel/iommu.c (init_dmars, iommu_set_root_entry, intel_iommu_attach_device,
// identity_domain_attach_dev, device_block_translation, domain_context_mapping_one, domain_setup_first_level and
// _second_level).
// Simplified: no PASIDs but 0, no interrupt remapping, no register-based invalidation; translation is switched on
// before devices are attached.

import {
  EventLog,
  InternalError,
  type PhysicalMemory,
  pairOf,
  VtdCommand,
  VtdRegister,
  VtdRootMode,
  type VtdUnit,
} from '@sgfree/hw-model';
import { Errno, type FrameAllocator, failure, type Outcome, success } from '@sgfree/mm';
import { PagingDomain, type PagingDomainType } from '../domain/paging-domain.ts';
import type { ReservedRegion } from '../domain/reserved-region.ts';
import type { TableMemory } from '../page-table/table-memory.ts';
import type { DeviceTlb } from './cache-tag.ts';
import { type DeviceMapping, VtdDeviceTables } from './device-tables.ts';
import { DomainIds, FIRST_DOMAIN_ID, IDENTITY_DOMAIN_ID } from './domain-ids.ts';
import {
  contextClearedFlush,
  contextPresentCacheFlush,
  flushAfterRootPointer,
  pasidClearedFlush,
  pasidFlushCaches,
} from './entry-flush.ts';
import type { FlushTarget } from './flush-target.ts';
import { iommuFlushWriteBuffer, issueCommand } from './global-command.ts';
import { openPageTable, pagingStage, walksAreCoherent } from './paging-stage.ts';
import { QiBatch } from './qi-batch.ts';
import { type QiCounters, QiQueue } from './qi-queue.ts';
import { type FirmwareRegion, reservedRegionsOf } from './reserved-region.ts';
import { VtdDomainOps } from './vtd-domain-ops.ts';

/**
 * What the driver works with.
 * @public
 */
export interface IntelIommuOptions {
  readonly unit: VtdUnit;
  readonly memory: PhysicalMemory;
  /** Where device tables, page tables and the queue come from. */
  readonly frames: FrameAllocator;
  readonly log?: EventLog;
  /** `intel_iommu=sm_on`: scalable mode where the unit has it; default false. */
  readonly scalableMode?: boolean;
  /** Memory that firmware has promised to devices (RMRR); default none. */
  readonly firmwareRegions?: readonly FirmwareRegion[];
  /** The CPU's side of page tables where the unit's walks do not snoop it; default `memory` itself. */
  readonly tableMemory?: TableMemory;
}

interface Attachment {
  readonly mapping: DeviceMapping;
  /** Null: identity. */
  readonly domain: PagingDomain | null;
  readonly deviceTlb: DeviceTlb | null;
}

/**
 * Driver of one VT-d unit.
 * @public
 */
export class IntelIommu {
  readonly unit: VtdUnit;
  /** True in scalable mode. */
  readonly scalable: boolean;
  readonly #memory: PhysicalMemory;
  readonly #frames: FrameAllocator;
  readonly #tableMemory: TableMemory | null;
  readonly #target: FlushTarget;
  readonly #tables: VtdDeviceTables;
  readonly #ids: DomainIds;
  readonly #attachments = new Map<number, Attachment>();
  readonly #firmware: readonly FirmwareRegion[];

  /** Brings the unit up; throws {@link @sgfree/hw-model#InternalError} when there is no memory for its root table and queue. */
  constructor(options: IntelIommuOptions) {
    const { unit, memory, frames } = options;
    const log = options.log ?? new EventLog();
    this.unit = unit;
    this.#memory = memory;
    this.#frames = frames;
    this.#tableMemory = options.tableMemory ?? null;
    this.#firmware = options.firmwareRegions ?? [];
    this.scalable = options.scalableMode === true && unit.capabilities.scalableMode;
    this.#ids = new DomainIds(unit.capabilities.domainCount);
    const rootFrame = frames.alloc();
    if (rootFrame < 0) throw new InternalError('no memory for a root table');
    this.#tables = new VtdDeviceTables(memory, frames, unit.capabilities, this.scalable, rootFrame);
    const qi = new QiQueue(unit, memory, frames, log);
    this.#target = { unit, qi, batch: new QiBatch(qi), log };
    this.#bringUp();
  }

  /** Commands and waits submitted so far. */
  get counters(): Readonly<QiCounters> {
    return this.#target.qi.counters;
  }

  /** Page frame of the root table. */
  get rootFrame(): number {
    return this.#tables.rootFrame;
  }

  /** Domain ids in use, those of identity domains not counted. */
  get liveDomainIds(): number {
    return this.#ids.live;
  }

  /**
   * A domain with an empty page table of the kind the unit calls for. Attached first, it takes the domain id
   * 2 + `group` (what the default domain of an IOMMU group has after boot) while that is free; without `group` the
   * lowest free one. A lazy domain (`dma-fq`) becomes strict where caching mode shows a hypervisor behind second-stage
   * tables, which would pay for the batching (quirk lazy-off-in-caching-mode). Errors: -EOPNOTSUPP when the unit offers no usable table, -ENOMEM.
   */
  openPagingDomain(group: number | null = null, type: PagingDomainType = 'dma'): Outcome<PagingDomain> {
    const { capabilities } = this.unit;
    const table = openPageTable(capabilities, this.scalable, this.#memory, this.#frames, this.#tableMemory);
    if (!table.ok) return failure(table.errno);
    const stage = pagingStage(capabilities, this.scalable);
    const ops = new VtdDomainOps(capabilities, stage, group === null ? null : FIRST_DOMAIN_ID + group);
    const strict = type === 'dma-fq' && stage === 'second' && capabilities.cachingMode;
    const domainType = strict ? 'dma' : type;
    return success(new PagingDomain({ table: table.value, ops, type: domainType, log: this.#target.log }));
  }

  /** {@link IntelIommu.openPagingDomain} for callers that cannot go on without; throws {@link @sgfree/hw-model#InternalError}. */
  allocPagingDomain(group: number | null = null, type: PagingDomainType = 'dma'): PagingDomain {
    const domain = this.openPagingDomain(group, type);
    if (!domain.ok) throw new InternalError(`no paging domain: errno ${domain.errno}`);
    return domain.value;
  }

  /** The id under which the unit knows `domain`; -1 while no device is attached to it here. */
  domainIdOf(domain: PagingDomain): number {
    return domain.ops instanceof VtdDomainOps ? domain.ops.domainIdIn(this.#target) : -1;
  }

  /**
   * Sends the requests of `requesterId` through `domain`; what it was attached to before is given up first, also when
   * the call fails. `deviceTlb`: the function uses ATS. Returns 0, -EINVAL for a domain the unit cannot use, -ENOSPC
   * without a free domain id, -ENOMEM.
   */
  attachDevice(domain: PagingDomain, requesterId: number, deviceTlb: DeviceTlb | null = null): number {
    this.detachDevice(requesterId);
    const { ops } = domain;
    if (!(ops instanceof VtdDomainOps) || !this.#canUse(domain, ops)) return -Errno.EINVAL;
    const domainId = ops.attachUnit(this.#target, this.#ids);
    if (domainId < 0) return domainId;
    const { rootFrame, levels } = domain.table;
    const mapping = { stage: ops.stage, domainId, rootFrame, levels, deviceTlb: deviceTlb !== null };
    const errno = this.#writeEntry(requesterId, mapping);
    if (errno !== 0) {
      ops.detachUnit(this.#target, this.#ids);
      return errno;
    }
    ops.tags.assign(this.#target, domainId, requesterId, deviceTlb);
    this.#attachments.set(requesterId, { mapping, domain, deviceTlb });
    return 0;
  }

  /**
   * Lets the requests of `requesterId` pass untranslated. Returns 0, -EINVAL when the unit knows no pass-through
   * (ECAP.PT), -ENOMEM.
   */
  attachIdentity(requesterId: number, deviceTlb: DeviceTlb | null = null): number {
    this.detachDevice(requesterId);
    const { passThrough, adjustedWidths } = this.unit.capabilities;
    if (!passThrough) return -Errno.EINVAL;
    const mapping: DeviceMapping = {
      stage: 'pass-through',
      domainId: IDENTITY_DOMAIN_ID,
      rootFrame: 0,
      // The widest table the unit knows: SAGAW bit n stands for n + 2 levels.
      levels: 33 - Math.clz32(adjustedWidths),
      deviceTlb: deviceTlb !== null,
    };
    const errno = this.#writeEntry(requesterId, mapping);
    if (errno === 0) this.#attachments.set(requesterId, { mapping, domain: null, deviceTlb });
    return errno;
  }

  /** Blocks the requests of `requesterId`; nothing happens when it is not attached (device_block_translation). */
  detachDevice(requesterId: number): void {
    const attachment = this.#attachments.get(requesterId);
    if (attachment === undefined) return;
    this.#attachments.delete(requesterId);
    const { mapping, domain, deviceTlb } = attachment;
    const ops = domain?.ops instanceof VtdDomainOps ? domain.ops : null;
    ops?.tags.unassign(this.#target, mapping.domainId, requesterId);
    this.#tables.clearPresent(requesterId);
    if (this.scalable) {
      const secondStage = mapping.stage === 'second';
      pasidClearedFlush(this.#target, mapping.domainId, requesterId, secondStage, deviceTlb);
    } else {
      contextClearedFlush(this.#target, mapping.domainId, requesterId, deviceTlb);
    }
    this.#tables.clear(requesterId);
    ops?.detachUnit(this.#target, this.#ids);
  }

  /** Addresses that must not be handed out to `requesterId`, and those that firmware wants mapped one to one. */
  reservedRegions(requesterId: number): readonly ReservedRegion[] {
    return reservedRegionsOf(requesterId, this.#firmware);
  }

  #bringUp(): void {
    const { unit, scalable } = this;
    this.#target.qi.enable();
    iommuFlushWriteBuffer(unit);
    const [low, high] = pairOf(this.rootFrame * 4096);
    const mode = scalable ? VtdRootMode.scalable : VtdRootMode.legacy;
    unit.writeRegister64(VtdRegister.RTADDR, [low + mode * 0x400, high]);
    issueCommand(unit, VtdCommand.setRootPointer);
    flushAfterRootPointer(this.#target, scalable);
    issueCommand(unit, VtdCommand.translationEnable);
  }

  #canUse(domain: PagingDomain, ops: VtdDomainOps): boolean {
    const { capabilities } = this.unit;
    const { table } = domain;
    const coherent = walksAreCoherent(capabilities, this.scalable);
    if (ops.stage !== pagingStage(capabilities, this.scalable)) return false;
    if (ops.stage === 'second' && ((capabilities.adjustedWidths >>> (table.levels - 2)) & 1) === 0)
      return false;
    return coherent || table.format.features.dmaIncoherent === true;
  }

  #writeEntry(requesterId: number, mapping: DeviceMapping): number {
    const prepared = this.#tables.prepare(requesterId, mapping.deviceTlb);
    if (prepared < 0) return prepared;
    if (prepared === 1) contextPresentCacheFlush(this.#target, 0, requesterId);
    const errno = this.#tables.write(requesterId, mapping);
    if (errno !== 0) return errno;
    if (this.scalable) pasidFlushCaches(this.#target, mapping.domainId);
    else contextPresentCacheFlush(this.#target, mapping.domainId, requesterId);
    return 0;
  }
}

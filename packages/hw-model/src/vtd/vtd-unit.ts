// VtdUnit: one Intel VT-d remapping unit: registers, device tables, page walks, caches, invalidation queue, fault log.
// Source followed: VT-d specification 3 (DMA remapping), 6 (caching), 7 (faults), 11 (registers).
// It knows nothing of the kernel: it reads bytes of simulated memory and descriptors, and answers requests from its caches.
// Simplified: no interrupt remapping, ATS, page requests, nested translation, PASIDs on requests or register-based invalidation.

import type { DmaAddr, PhysAddr } from '../addresses.ts';
import { dmaOfFrame, frameOf, offsetWithin, PAGE_SIZE, physAddr, physOfFrame } from '../addresses.ts';
import type { EventLog } from '../event-log.ts';
import { Iotlb, type IotlbShape } from '../iommu-unit/iotlb.ts';
import { PagingStructureCache } from '../iommu-unit/paging-structure-cache.ts';
import type { RegisterPair } from '../iommu-unit/register-pair.ts';
import { VtdSecondStageWalk } from '../iommu-unit/vtd-second-stage-walk.ts';
import {
  ACCESS_READ,
  ACCESS_WRITE,
  addressBitsBeyond,
  PageWalk,
  WalkOutcome,
} from '../iommu-unit/walk-format.ts';
import { X8664Walk } from '../iommu-unit/x86-64-walk.ts';
import type { PhysicalMemory } from '../physical-memory.ts';
import type { TranslationAgent } from '../translation-agent.ts';
import {
  decodeVtdCapabilities,
  type VtdCapabilities,
  type VtdCapabilityRegisters,
} from './vtd-capabilities.ts';
import { VtdContextCache } from './vtd-context-cache.ts';
import { VtdDescriptorInterpreter } from './vtd-descriptor-interpreter.ts';
import { type VtdDeviceTranslation, walkFaultReason } from './vtd-device-translation.ts';
import { VtdFaultLog } from './vtd-fault-log.ts';
import { VtdFaultReason } from './vtd-fault-reason.ts';
import { VtdInvalidationQueue } from './vtd-invalidation-queue.ts';
import { lookupLegacyContext, type VtdLookupContext, type VtdLookupFault } from './vtd-legacy-lookup.ts';
import { VtdNotPresentCache } from './vtd-not-present-cache.ts';
import { VtdRegisterFile } from './vtd-register-file.ts';
import { VtdFaultStatus, VtdRootMode } from './vtd-registers.ts';
import { lookupScalableContext } from './vtd-scalable-lookup.ts';
import { newVtdUnitCounters, type VtdUnitCounters } from './vtd-unit-counters.ts';

/**
 * How a unit is built; everything but memory and capabilities has a default.
 * @public
 */
export interface VtdUnitOptions {
  /** Name in events and trace lines; default `dmar0`. */
  readonly name?: string;
  /** CAP and ECAP. */
  readonly capabilities: VtdCapabilityRegisters;
  /** Physical address bits of the platform, 32 to 52; default 48. */
  readonly hostAddressWidth?: number;
  /** Default 64 sets of 8 ways. */
  readonly iotlb?: IotlbShape;
  /** Paging-structure entries per level, a power of two or 0; default 16. */
  readonly pagingCacheEntries?: number;
  readonly log?: EventLog;
}

/** Writes to this window are interrupt messages, reads of it find nobody: neither is translated (VT-d 3.14). */
const INTERRUPT_FIRST_FRAME = 0xfee00;
const INTERRUPT_LAST_FRAME = 0xfeeff;

/**
 * One VT-d unit, the translation agent of a root complex.
 * @public
 */
export class VtdUnit implements TranslationAgent {
  readonly name: string;
  readonly capabilities: VtdCapabilities;
  readonly counters: VtdUnitCounters = newVtdUnitCounters();
  readonly iotlb: Iotlb;
  readonly pagingCache: PagingStructureCache;
  readonly contextCache: VtdContextCache = new VtdContextCache();
  readonly faults: VtdFaultLog;
  readonly #memory: PhysicalMemory;
  readonly #log: EventLog | undefined;
  readonly #queue: VtdInvalidationQueue;
  readonly #interpreter: VtdDescriptorInterpreter;
  readonly #registers: VtdRegisterFile;
  readonly #lookupContext: VtdLookupContext;
  readonly #notPresent: VtdNotPresentCache | null;
  readonly #walk = new PageWalk();

  constructor(memory: PhysicalMemory, options: VtdUnitOptions) {
    this.name = options.name ?? 'dmar0';
    this.#memory = memory;
    this.#log = options.log;
    this.capabilities = decodeVtdCapabilities(options.capabilities);
    const { capabilities } = this;
    this.iotlb = new Iotlb(options.iotlb ?? { sets: 64, ways: 8 });
    this.pagingCache = new PagingStructureCache(options.pagingCacheEntries ?? 16);
    this.faults = new VtdFaultLog(capabilities.faultRecords);
    const hostAddressWidth = options.hostAddressWidth ?? 48;
    this.#lookupContext = {
      memory,
      capabilities,
      secondStage: new VtdSecondStageWalk({ hostAddressWidth, ...capabilities }),
      firstStage: new X8664Walk({ hostAddressWidth, gigabytePages: capabilities.firstStageGigabyte }),
      addressBitsBeyond: addressBitsBeyond(hostAddressWidth),
    };
    this.#notPresent = capabilities.cachingMode ? new VtdNotPresentCache() : null;
    this.#interpreter = new VtdDescriptorInterpreter({
      memory,
      capabilities,
      contextCache: this.contextCache,
      iotlb: this.iotlb,
      pagingCache: this.pagingCache,
      notPresent: this.#notPresent,
      counters: this.counters,
    });
    this.#queue = new VtdInvalidationQueue(memory, this.#interpreter, () =>
      this.faults.setError(VtdFaultStatus.queueError),
    );
    this.#registers = new VtdRegisterFile(
      capabilities,
      this.faults,
      this.#queue,
      this.#interpreter,
      this.counters,
    );
  }

  /** True while GSTS.TES is set. */
  get translationEnabled(): boolean {
    return this.#registers.translating;
  }

  /** True when a fault event waits for the driver; it clears the fault registers to answer it. */
  get faultInterruptPending(): boolean {
    return this.faults.interruptPending;
  }

  /** Planted fault: the next `count` invalidation commands complete without any effect. */
  dropNextInvalidations(count: number): void {
    this.#interpreter.dropNext = count;
  }

  /** Reads a 32-bit register; unimplemented offsets read as 0. */
  readRegister32(offset: number): number {
    return this.#registers.read(offset);
  }

  /** Writes a 32-bit register. */
  writeRegister32(offset: number, value: number): void {
    this.#registers.write(offset, value);
  }

  /** Reads a 64-bit register. */
  readRegister64(offset: number): RegisterPair {
    return [this.#registers.read(offset), this.#registers.read(offset + 4)];
  }

  /** Writes a 64-bit register at once. */
  writeRegister64(offset: number, value: RegisterPair): void {
    this.#registers.writePair(offset, value);
  }

  translate(requesterId: number, address: DmaAddr, write: boolean): PhysAddr | -1 {
    if (!this.#registers.translating) return physAddr(address);
    const frame = frameOf(address);
    if (frame >= INTERRUPT_FIRST_FRAME && frame <= INTERRUPT_LAST_FRAME)
      return write ? physAddr(address) : -1;
    this.counters.translations += 1;
    const device = this.contextCache.get(requesterId) ?? this.#lookup(requesterId, frame, write);
    if (device === undefined) return -1;
    if (frame >= device.limitFrame) return this.#beyondWidth(device, frame, write);
    if (device.kind === 'pass-through') {
      this.counters.passThrough += 1;
      return physAddr(address);
    }
    const needed = write ? ACCESS_WRITE : ACCESS_READ;
    let target = this.iotlb.translate(device.domain, frame, needed);
    if (target >= 0) this.counters.iotlbHits += 1;
    else target = this.#walkFor(device, frame, write, needed);
    return target < 0 ? -1 : physOfFrame(target, offsetWithin(address, PAGE_SIZE));
  }

  /** The IOTLB had no answer: walks the tables and returns a page frame, or -1 after recording the fault. */
  #walkFor(device: VtdDeviceTranslation, frame: number, write: boolean, needed: number): number {
    const { counters, pagingCache } = this;
    const walk = this.#walk;
    const { domain } = device;
    counters.iotlbMisses += 1;
    if (this.#notPresent?.pages.has(domain, frame) === true) {
      return this.#walkFault(device, frame, write, WalkOutcome.notPresent, 0);
    }
    counters.walks += 1;
    if (pagingCache.find(domain, frame, device.topLevel)) {
      counters.pagingCacheHits += 1;
      const { hitTable, hitLevel, hitPermissions } = pagingCache;
      device.format.walk(this.#memory, hitTable, hitLevel, frame, hitPermissions, needed, walk);
    } else {
      const all = ACCESS_READ | ACCESS_WRITE;
      device.format.walk(this.#memory, device.rootFrame, device.topLevel, frame, all, needed, walk);
    }
    counters.tableReads += walk.tableReads;
    if (walk.outcome !== WalkOutcome.ok) {
      if (walk.outcome === WalkOutcome.notPresent && device.kind !== 'first-stage') {
        this.#notPresent?.pages.add(domain, frame);
      }
      return this.#walkFault(device, frame, write, walk.outcome, walk.permissions);
    }
    pagingCache.remember(domain, frame, walk);
    this.iotlb.insert(domain, frame, walk.leafFrame, walk.leafFrames, walk.permissions);
    return walk.frame;
  }

  #walkFault(
    device: VtdDeviceTranslation,
    frame: number,
    write: boolean,
    outcome: WalkOutcome,
    granted: number,
  ): -1 {
    const reason = walkFaultReason(device.kind, outcome, write, granted);
    this.#fault(device.sourceId, frame, write, reason, device.suppressFaults);
    return -1;
  }

  #lookup(sourceId: number, frame: number, write: boolean): VtdDeviceTranslation | undefined {
    const cached = this.#notPresent?.functionFault(sourceId);
    if (cached === undefined) this.counters.contextLookups += 1;
    const found = cached ?? this.#readDeviceTables(sourceId);
    if ('reason' in found) {
      this.#notPresent?.addFunction(sourceId, found);
      this.#fault(sourceId, frame, write, found.reason, found.suppressFaults);
      return undefined;
    }
    this.contextCache.set(found);
    return found;
  }

  #readDeviceTables(sourceId: number): VtdDeviceTranslation | VtdLookupFault {
    const { rootFrame, rootMode } = this.#registers;
    if (rootMode === VtdRootMode.legacy) return lookupLegacyContext(this.#lookupContext, rootFrame, sourceId);
    if (rootMode === VtdRootMode.scalable && this.capabilities.scalableMode) {
      return lookupScalableContext(this.#lookupContext, rootFrame, sourceId);
    }
    // Abort-all mode refuses every request and leaves no record; any other value is a wrong root address.
    return {
      reason: VtdFaultReason.scalableRootAddress,
      suppressFaults: rootMode === VtdRootMode.abortAll,
    };
  }

  #beyondWidth(device: VtdDeviceTranslation, frame: number, write: boolean): -1 {
    const scalable = device.kind === 'first-stage' || this.#registers.rootMode === VtdRootMode.scalable;
    let reason: VtdFaultReason = VtdFaultReason.addressBeyondWidth;
    if (device.kind === 'first-stage') reason = VtdFaultReason.notCanonical;
    else if (scalable) reason = VtdFaultReason.scalableBeyondWidth;
    this.#fault(device.sourceId, frame, write, reason, device.suppressFaults);
    return -1;
  }

  #fault(sourceId: number, frame: number, write: boolean, reason: VtdFaultReason, suppressed: boolean): void {
    this.counters.faults += 1;
    if (!suppressed) this.faults.record(sourceId, frame, write, reason);
    if (this.#log?.enabled) {
      this.#log.post({
        kind: 'hw:iommu-fault',
        unit: this.name,
        requesterId: sourceId,
        address: dmaOfFrame(frame),
        write,
        reason,
        recorded: !suppressed,
      });
    }
  }
}

// AmdIommuUnit: one AMD-Vi unit: registers, device table, page walks, caches, command buffer, event log.
// Source followed: AMD I/O Virtualization Technology specification 2 (architecture) and 3.4 (registers).
// It knows nothing of the kernel: it reads bytes of simulated memory and commands, and answers requests from its caches.
// Simplified: host (v1) tables only; no interrupt remapping, ATS, page requests, guest translation or exclusion range.

import type { DmaAddr, PhysAddr } from '../addresses.ts';
import { frameOf, offsetWithin, PAGE_SIZE, physAddr, physOfFrame } from '../addresses.ts';
import type { EventLog } from '../event-log.ts';
import { AmdV1Walk } from '../iommu-unit/amd-v1-walk.ts';
import { Iotlb, type IotlbShape } from '../iommu-unit/iotlb.ts';
import { NotPresentPages } from '../iommu-unit/not-present-pages.ts';
import { PagingStructureCache } from '../iommu-unit/paging-structure-cache.ts';
import { pairOf, type RegisterPair } from '../iommu-unit/register-pair.ts';
import { ACCESS_READ, ACCESS_WRITE, entryIndex, PageWalk, WalkOutcome } from '../iommu-unit/walk-format.ts';
import type { PhysicalMemory } from '../physical-memory.ts';
import type { TranslationAgent } from '../translation-agent.ts';
import { AmdCommandBuffer } from './amd-command-buffer.ts';
import { AmdCommandInterpreter } from './amd-command-interpreter.ts';
import { AmdDeviceCache } from './amd-device-cache.ts';
import { type AmdLookupContext, type AmdLookupFault, lookupAmdDevice } from './amd-device-lookup.ts';
import type { AmdDeviceTranslation } from './amd-device-translation.ts';
import { AmdEventFlag, AmdEventType } from './amd-event.ts';
import { AmdEventLog, eventAddress } from './amd-event-log.ts';
import { type AmdFeatureRegisters, type AmdFeatures, decodeAmdFeatures } from './amd-features.ts';
import { markAmdLeaf } from './amd-leaf-marks.ts';
import { AmdRegisterFile } from './amd-register-file.ts';
import { type AmdUnitCounters, newAmdUnitCounters } from './amd-unit-counters.ts';

/**
 * How a unit is built; everything but memory and features has a default.
 * @public
 */
export interface AmdIommuUnitOptions {
  /** Name in events; default `ivhd0`. */
  readonly name?: string;
  readonly features: AmdFeatureRegisters;
  /** Physical address bits of the platform, 32 to 52; default 48. */
  readonly hostAddressWidth?: number;
  /** Default 64 sets of 8 ways. */
  readonly iotlb?: IotlbShape;
  /** Paging-structure entries per level, a power of two or 0; default 16. */
  readonly pagingCacheEntries?: number;
  readonly log?: EventLog;
}

/** Writes to this window are interrupt messages; a read of it is an invalid request (2.1.4, 2.5.9). */
const INTERRUPT_FIRST_FRAME = 0xfee00;
const INTERRUPT_LAST_FRAME = 0xfeeff;

/**
 * One AMD-Vi unit, the translation agent of a root complex.
 * @public
 */
export class AmdIommuUnit implements TranslationAgent {
  readonly name: string;
  readonly features: AmdFeatures;
  readonly counters: AmdUnitCounters = newAmdUnitCounters();
  readonly iotlb: Iotlb;
  readonly pagingCache: PagingStructureCache;
  readonly deviceCache: AmdDeviceCache = new AmdDeviceCache();
  readonly events: AmdEventLog;
  readonly #memory: PhysicalMemory;
  readonly #log: EventLog | undefined;
  readonly #interpreter: AmdCommandInterpreter;
  readonly #registers: AmdRegisterFile;
  readonly #lookupContext: AmdLookupContext;
  readonly #notPresent: NotPresentPages | null;
  readonly #format: AmdV1Walk;
  readonly #walk = new PageWalk();

  constructor(memory: PhysicalMemory, options: AmdIommuUnitOptions) {
    this.name = options.name ?? 'ivhd0';
    this.#memory = memory;
    this.#log = options.log;
    this.features = decodeAmdFeatures(options.features);
    const { features, counters } = this;
    const hostAddressWidth = options.hostAddressWidth ?? 48;
    this.iotlb = new Iotlb(options.iotlb ?? { sets: 64, ways: 8 });
    this.pagingCache = new PagingStructureCache(options.pagingCacheEntries ?? 16);
    this.events = new AmdEventLog(memory, counters);
    this.#format = new AmdV1Walk(hostAddressWidth);
    const { hostLevels, hostAccessed, hostDirty } = features;
    this.#lookupContext = { memory, hostLevels, hostAccessed, hostDirty, hostAddressWidth };
    this.#notPresent = features.notPresentCache ? new NotPresentPages() : null;
    const { deviceCache, iotlb, pagingCache } = this;
    const notPresent = this.#notPresent;
    const caches = { memory, features, deviceCache, iotlb, pagingCache, notPresent, counters };
    this.#interpreter = new AmdCommandInterpreter(caches);
    const commands = new AmdCommandBuffer(memory, this.#interpreter, this.events);
    this.#registers = new AmdRegisterFile(features, commands, this.events, this.#interpreter);
  }

  /** True while the unit is on. */
  get translationEnabled(): boolean {
    return this.#registers.translating;
  }

  /** True when an event interrupt waits for the driver; it clears the status bits to answer it. */
  get eventInterruptPending(): boolean {
    return this.events.interruptPending;
  }

  /** Planted fault: the next `count` invalidation commands complete without any effect. */
  dropNextInvalidations(count: number): void {
    this.#interpreter.dropNext = count;
  }

  /** Reads half a register; unimplemented offsets read as 0. */
  readRegister32(offset: number): number {
    const [low, high] = this.#registers.readPair(offset - (offset & 4));
    return (offset & 4) === 0 ? low : high;
  }

  /** Writes half a register. */
  writeRegister32(offset: number, value: number): void {
    this.#registers.writeHalf(offset, value);
  }

  /** Reads a 64-bit register. */
  readRegister64(offset: number): RegisterPair {
    return this.#registers.readPair(offset);
  }

  /** Writes a 64-bit register at once. */
  writeRegister64(offset: number, value: RegisterPair): void {
    this.#registers.writePair(offset, value);
  }

  translate(requesterId: number, address: DmaAddr, write: boolean): PhysAddr | -1 {
    if (!this.#registers.translating) return physAddr(address);
    const frame = frameOf(address);
    if (frame >= INTERRUPT_FIRST_FRAME && frame <= INTERRUPT_LAST_FRAME) {
      return write ? physAddr(address) : this.#invalidRequest(requesterId, address);
    }
    const { counters } = this;
    counters.translations += 1;
    const device = this.deviceCache.get(requesterId) ?? this.#lookup(requesterId, address, write);
    if (device === undefined) return -1;
    if (device.kind !== 'paging') return this.#unchanged(device, address, write);
    if (frame >= device.limitFrame) return this.#pageFault(device, address, write, 0);
    const needed = write ? ACCESS_WRITE : ACCESS_READ;
    let target = this.iotlb.translate(device.domain, frame, needed);
    if (target >= 0) counters.iotlbHits += 1;
    else target = this.#walkFor(device, address, frame, write);
    return target < 0 ? -1 : physOfFrame(target, offsetWithin(address, PAGE_SIZE));
  }

  /** The IOTLB had no answer: walks the tables and returns a page frame, or -1 after logging the fault. */
  #walkFor(device: AmdDeviceTranslation, address: DmaAddr, frame: number, write: boolean): number {
    const { counters, pagingCache } = this;
    const walk = this.#walk;
    const { domain } = device;
    const needed = write ? ACCESS_WRITE : ACCESS_READ;
    counters.iotlbMisses += 1;
    if (this.#notPresent?.has(domain, frame) === true) return this.#pageFault(device, address, write, 0);
    counters.walks += 1;
    if (pagingCache.find(domain, frame, device.topLevel)) {
      counters.pagingCacheHits += 1;
      const { hitTable, hitLevel, hitPermissions } = pagingCache;
      this.#format.walk(this.#memory, hitTable, hitLevel, frame, hitPermissions, needed, walk);
    } else {
      const { rootFrame, topLevel, permissions } = device;
      this.#format.walk(this.#memory, rootFrame, topLevel, frame, permissions, needed, walk);
    }
    counters.tableReads += walk.tableReads;
    if (walk.outcome !== WalkOutcome.ok) return this.#walkFault(device, address, frame, write);
    pagingCache.remember(domain, frame, walk);
    const marks = device.marksAccessed || device.marksDirty;
    const cached = marks ? markAmdLeaf(this.#memory, walk, frame, device, write) : walk.permissions;
    this.iotlb.insert(domain, frame, walk.leafFrame, walk.leafFrames, cached);
    return walk.frame;
  }

  #walkFault(device: AmdDeviceTranslation, address: DmaAddr, frame: number, write: boolean): -1 {
    const { outcome, level, chainTable } = this.#walk;
    const present = AmdEventFlag.present;
    if (outcome === WalkOutcome.notPresent) {
      this.#notPresent?.add(device.domain, frame);
      return this.#pageFault(device, address, write, 0);
    }
    if (outcome === WalkOutcome.denied) {
      return this.#pageFault(device, address, write, present | AmdEventFlag.permission);
    }
    if (outcome === WalkOutcome.reservedBit) {
      return this.#pageFault(device, address, write, present | AmdEventFlag.reserved);
    }
    const entry = (chainTable[level] as number) * PAGE_SIZE + entryIndex(frame, level) * 8;
    const flags = AmdEventFlag.masterAbort | (write ? AmdEventFlag.write : 0);
    const type = AmdEventType.pageTableHardwareError;
    this.#fault(type, device.deviceId, device.domain, flags, pairOf(entry), address, write, true);
    return -1;
  }

  /** No tables: addresses stay as they are, and of valid entries IR and IW decide. */
  #unchanged(device: AmdDeviceTranslation, address: DmaAddr, write: boolean): PhysAddr | -1 {
    if (device.kind === 'untranslated') {
      this.counters.untranslated += 1;
      return physAddr(address);
    }
    if ((device.permissions & (write ? ACCESS_WRITE : ACCESS_READ)) === 0) {
      return this.#pageFault(device, address, write, 0);
    }
    this.counters.passThrough += 1;
    return physAddr(address);
  }

  #lookup(deviceId: number, address: DmaAddr, write: boolean): AmdDeviceTranslation | undefined {
    this.counters.deviceLookups += 1;
    const { deviceTableFrame, deviceTableBytes } = this.#registers;
    const found = lookupAmdDevice(this.#lookupContext, deviceTableFrame, deviceTableBytes, deviceId);
    if ('type' in found) {
      this.#lookupFault(found, deviceId, address, write);
      return undefined;
    }
    this.deviceCache.set(found);
    return found;
  }

  #lookupFault(found: AmdLookupFault, deviceId: number, address: DmaAddr, write: boolean): void {
    const { type, flags, tableAddress } = found;
    const named = tableAddress === undefined ? eventAddress(address) : pairOf(tableAddress);
    const allFlags = flags | (write ? AmdEventFlag.write : 0);
    this.#fault(type, deviceId, 0, allFlags, named, address, write, true);
  }

  /** A read in the interrupt window: type 0 of INVALID_DEVICE_REQUEST. */
  #invalidRequest(deviceId: number, address: DmaAddr): -1 {
    const named = eventAddress(address);
    this.#fault(AmdEventType.invalidDeviceRequest, deviceId, 0, 0, named, address, false, true);
    return -1;
  }

  #pageFault(device: AmdDeviceTranslation, address: DmaAddr, write: boolean, flags: number): -1 {
    const logged = !device.suppressAll && !(device.suppressLater && device.faultLogged);
    const allFlags = flags | (write ? AmdEventFlag.write : 0);
    const { deviceId, domain } = device;
    if (logged) device.faultLogged = true;
    const type = AmdEventType.ioPageFault;
    this.#fault(type, deviceId, domain, allFlags, eventAddress(address), address, write, logged);
    return -1;
  }

  #fault(
    type: number,
    deviceId: number,
    domain: number,
    flags: number,
    named: RegisterPair,
    address: DmaAddr,
    write: boolean,
    recorded: boolean,
  ): void {
    this.counters.faults += 1;
    if (recorded) this.events.record(type, deviceId, domain, flags, named);
    if (this.#log?.enabled) {
      const what = { kind: 'hw:iommu-fault', unit: this.name, requesterId: deviceId, address, write };
      this.#log.post({ ...what, reason: type, flags, recorded });
    }
  }
}

// VtdDescriptorInterpreter: what each invalidation descriptor does to the caches of the unit.
// Source followed: VT-d specification 6.5.2.1 to 6.5.2.9.
// A descriptor that breaks its format is refused with an IQER code and changes nothing.
// Simplified: device-TLB, interrupt-entry and page-response descriptors are only counted; draining is immediate.

import type { Iotlb } from '../iommu-unit/iotlb.ts';
import type { PagingStructureCache } from '../iommu-unit/paging-structure-cache.ts';
import type { PhysicalMemory } from '../physical-memory.ts';
import type { VtdCapabilities } from './vtd-capabilities.ts';
import { ignoredFunctionBits, type VtdContextCache } from './vtd-context-cache.ts';
import { VtdDescriptorType, VtdGranularity, VtdWaitFlag } from './vtd-invalidation-descriptor.ts';
import { type VtdDescriptorExecutor, writeWaitStatus } from './vtd-invalidation-queue.ts';
import type { VtdNotPresentCache } from './vtd-not-present-cache.ts';
import { VtdQueueError } from './vtd-registers.ts';
import type { VtdUnitCounters } from './vtd-unit-counters.ts';

/**
 * The caches that descriptors act on, and who counts.
 * @internal
 */
export interface VtdCaches {
  readonly memory: PhysicalMemory;
  readonly capabilities: VtdCapabilities;
  readonly contextCache: VtdContextCache;
  readonly iotlb: Iotlb;
  readonly pagingCache: PagingStructureCache;
  /** Null outside caching mode. */
  readonly notPresent: VtdNotPresentCache | null;
  readonly counters: VtdUnitCounters;
}

/** Granularities of pasid_cache: all of a domain, one PASID of a domain, everything. */
const PASID_CACHE_GLOBAL = 3;
/** Caching mode: functions without an entry are cached under this domain id. */
const NOT_PRESENT_DOMAIN = 0;

/**
 * Executes descriptors for one unit.
 * @internal
 */
export class VtdDescriptorInterpreter implements VtdDescriptorExecutor {
  readonly #caches: VtdCaches;
  /** Planted fault: that many of the next invalidation commands have no effect. */
  dropNext = 0;
  /** ICS.IWC: a wait descriptor with the interrupt flag has completed. */
  waitInterrupt = false;

  constructor(caches: VtdCaches) {
    this.#caches = caches;
  }

  execute(words: Uint32Array): number {
    const type = (words[0] as number) & 0xf;
    switch (type) {
      case VtdDescriptorType.contextCache:
        return this.#contextCache(words);
      case VtdDescriptorType.iotlb:
      case VtdDescriptorType.pasidIotlb:
        return this.#iotlb(words, type === VtdDescriptorType.pasidIotlb);
      case VtdDescriptorType.pasidCache:
        return this.#pasidCache(words);
      case VtdDescriptorType.wait:
        return this.#wait(words);
      case VtdDescriptorType.deviceTlb:
      case VtdDescriptorType.pasidDeviceTlb:
        this.#caches.counters.deviceTlb += 1;
        return VtdQueueError.none;
      case VtdDescriptorType.interruptEntry:
        this.#caches.counters.interruptEntry += 1;
        return VtdQueueError.none;
      case VtdDescriptorType.pageGroupResponse:
        return VtdQueueError.none;
      default:
        return VtdQueueError.invalidType;
    }
  }

  /** A new root pointer in a unit with CAP.ESRTPS: everything cached goes. */
  invalidateEverything(): void {
    this.#dropContexts();
    this.#dropTranslations();
  }

  #dropContexts(): void {
    this.#caches.contextCache.invalidateAll();
    this.#caches.notPresent?.invalidateAllFunctions();
  }

  #dropTranslations(): void {
    this.#caches.iotlb.invalidateAll();
    this.#caches.pagingCache.invalidateAll();
    this.#caches.notPresent?.pages.invalidateAll();
  }

  /** True when the planted fault swallows this command. */
  #dropped(): boolean {
    if (this.dropNext === 0) return false;
    this.dropNext -= 1;
    this.#caches.counters.droppedInvalidations += 1;
    return true;
  }

  #contextCache(words: Uint32Array): number {
    const { contextCache, notPresent, counters } = this.#caches;
    const low = words[0] as number;
    const high = words[1] as number;
    if (((low & 0xffc0) | (high & 0xfffc0000) | (words[2] as number) | (words[3] as number)) !== 0) {
      return VtdQueueError.reservedField;
    }
    const domain = low >>> 16;
    switch ((low >>> 4) & 3) {
      case VtdGranularity.global:
        counters.contextGlobal += 1;
        if (!this.#dropped()) this.#dropContexts();
        return VtdQueueError.none;
      case VtdGranularity.domain:
        counters.contextDomain += 1;
        if (this.#dropped()) return VtdQueueError.none;
        contextCache.invalidateDomain(domain);
        if (domain === NOT_PRESENT_DOMAIN) notPresent?.invalidateAllFunctions();
        return VtdQueueError.none;
      case VtdGranularity.selective:
        counters.contextDevice += 1;
        if (!this.#dropped()) this.#dropFunctions(domain, high & 0xffff, (high >>> 16) & 3);
        return VtdQueueError.none;
      default:
        return VtdQueueError.invalidDescriptor;
    }
  }

  #dropFunctions(domain: number, sourceId: number, mask: number): void {
    const { contextCache, notPresent } = this.#caches;
    contextCache.invalidateDevice(domain, sourceId, mask);
    if (domain === NOT_PRESENT_DOMAIN) notPresent?.invalidateFunctions(sourceId, ignoredFunctionBits(mask));
  }

  #iotlb(words: Uint32Array, ofPasid: boolean): number {
    const { iotlb, pagingCache, notPresent, counters } = this.#caches;
    const low = words[0] as number;
    if (!ofPasid && ((low & 0xff00) | (words[1] as number)) !== 0) return VtdQueueError.reservedField;
    const domain = low >>> 16;
    const granularity = (low >>> 4) & 3;
    if (granularity === VtdGranularity.global && !ofPasid) {
      counters.iotlbGlobal += 1;
      if (!this.#dropped()) this.#dropTranslations();
      return VtdQueueError.none;
    }
    if (granularity === VtdGranularity.domain) {
      counters.iotlbDomain += 1;
      if (this.#dropped()) return VtdQueueError.none;
      iotlb.invalidateDomain(domain);
      pagingCache.invalidateDomain(domain);
      notPresent?.pages.invalidateDomain(domain);
      return VtdQueueError.none;
    }
    if (granularity === VtdGranularity.selective) return this.#iotlbPages(domain, words, ofPasid);
    return VtdQueueError.invalidDescriptor;
  }

  #iotlbPages(domain: number, words: Uint32Array, ofPasid: boolean): number {
    const { capabilities, iotlb, pagingCache, notPresent, counters } = this.#caches;
    const low = words[2] as number;
    const addressMask = low & 0x3f;
    if ((low & 0xf80) !== 0) return VtdQueueError.reservedField;
    const supported = capabilities.pageSelective && addressMask <= capabilities.maxAddressMask;
    // Linux bounds the mask of PASID-based commands only by the width of an address.
    if (!supported && !ofPasid) return VtdQueueError.invalidDescriptor;
    counters.iotlbPage += 1;
    if (this.#dropped()) return VtdQueueError.none;
    const frames = 2 ** addressMask;
    const frame = (words[3] as number) * 0x100000 + (low >>> 12);
    const first = Math.floor(frame / frames) * frames;
    iotlb.invalidatePages(domain, first, frames);
    notPresent?.pages.invalidatePages(domain, first, frames);
    if ((low & 0x40) === 0) pagingCache.invalidatePages(domain, first, frames);
    return VtdQueueError.none;
  }

  #pasidCache(words: Uint32Array): number {
    const { contextCache, notPresent, counters } = this.#caches;
    const low = words[0] as number;
    counters.pasidCache += 1;
    if (this.#dropped()) return VtdQueueError.none;
    if (((low >>> 4) & 3) === PASID_CACHE_GLOBAL) this.#dropContexts();
    else {
      contextCache.invalidateDomain(low >>> 16);
      notPresent?.invalidateAllFunctions();
    }
    return VtdQueueError.none;
  }

  #wait(words: Uint32Array): number {
    const low = words[0] as number;
    if ((low & 0xffffff00) !== 0) return VtdQueueError.reservedField;
    this.#caches.counters.waits += 1;
    if ((low & VtdWaitFlag.statusWrite) !== 0) {
      writeWaitStatus(this.#caches.memory, words[2] as number, words[3] as number, words[1] as number);
    }
    if ((low & VtdWaitFlag.interrupt) !== 0) this.waitInterrupt = true;
    return VtdQueueError.none;
  }
}

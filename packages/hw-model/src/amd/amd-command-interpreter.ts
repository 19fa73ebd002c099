// AmdCommandInterpreter: what each command does to the caches of the unit.
// Source followed: AMD I/O Virtualization Technology specification 2.4.1 to 2.4.8.
// A command that breaks its format, or that the unit does not know, changes nothing and is refused.
// Simplified: device-TLB, interrupt-table and page-response commands are only counted; invalidations take effect at once.

import { physOfFrame } from '../addresses.ts';
import type { Iotlb } from '../iommu-unit/iotlb.ts';
import type { NotPresentPages } from '../iommu-unit/not-present-pages.ts';
import type { PagingStructureCache } from '../iommu-unit/paging-structure-cache.ts';
import type { PhysicalMemory } from '../physical-memory.ts';
import { AmdCommand, AmdPagesFlag, AmdWaitFlag, amdPagesOrder } from './amd-command.ts';
import type { AmdCommandExecutor } from './amd-command-buffer.ts';
import type { AmdDeviceCache } from './amd-device-cache.ts';
import type { AmdFeatures } from './amd-features.ts';
import type { AmdUnitCounters } from './amd-unit-counters.ts';

/**
 * The caches that commands act on, and who counts.
 * @internal
 */
export interface AmdCaches {
  readonly memory: PhysicalMemory;
  readonly features: AmdFeatures;
  readonly deviceCache: AmdDeviceCache;
  readonly iotlb: Iotlb;
  readonly pagingCache: PagingStructureCache;
  /** Null in units that cache only what is present. */
  readonly notPresent: NotPresentPages | null;
  readonly counters: AmdUnitCounters;
}

const PAGE = 4096;
/** Orders from here on are the whole space of 2^64 bytes. */
const WHOLE_SPACE = 52;
/** Bits of the third word between the flags and the address. */
const PAGES_RESERVED = 0xff8;

/**
 * Executes commands for one unit.
 * @internal
 */
export class AmdCommandInterpreter implements AmdCommandExecutor {
  readonly #caches: AmdCaches;
  /** Planted fault: that many of the next invalidation commands have no effect. */
  dropNext = 0;
  /** A COMPLETION_WAIT with the interrupt bit has completed. */
  waitInterrupt = false;

  constructor(caches: AmdCaches) {
    this.#caches = caches;
  }

  execute(words: Uint32Array): boolean {
    const { features, counters } = this.#caches;
    switch ((words[1] as number) >>> 28) {
      case AmdCommand.completionWait:
        return this.#completionWait(words);
      case AmdCommand.invalidateDeviceEntry:
        return this.#deviceEntry(words);
      case AmdCommand.invalidateIommuPages:
        return this.#pages(words);
      case AmdCommand.invalidateIotlbPages:
        if (!features.deviceTlb || ((words[2] as number) & PAGES_RESERVED) !== 0) return false;
        counters.deviceTlb += 1;
        return true;
      case AmdCommand.invalidateInterruptTable:
        if (!namesOnlyADevice(words)) return false;
        counters.interruptTable += 1;
        return true;
      case AmdCommand.completePprRequest:
        if (!features.pageRequests) return false;
        counters.pprResponses += 1;
        return true;
      case AmdCommand.invalidateIommuAll:
        return this.#everything(words);
      default:
        return false;
    }
  }

  /** True when the planted fault swallows this command. */
  #dropped(): boolean {
    if (this.dropNext === 0) return false;
    this.dropNext -= 1;
    this.#caches.counters.droppedInvalidations += 1;
    return true;
  }

  #completionWait(words: Uint32Array): boolean {
    const low = words[0] as number;
    const high = words[1] as number;
    if ((high & 0x0ff00000) !== 0) return false;
    this.#caches.counters.waits += 1;
    if ((low & AmdWaitFlag.store) !== 0) this.#store(low, high, words);
    if ((low & AmdWaitFlag.interrupt) !== 0) this.waitInterrupt = true;
    return true;
  }

  /** The store goes to an address of whole quadwords; one that no memory answers vanishes. */
  #store(low: number, high: number, words: Uint32Array): void {
    const { memory } = this.#caches;
    const frame = (high & 0xfffff) * 0x100000 + (low >>> 12);
    if (!memory.isRam(physOfFrame(frame), PAGE)) return;
    const at = (low & 0xff8) >>> 2;
    const page = memory.frameWords(frame);
    page[at] = words[2] as number;
    page[at + 1] = words[3] as number;
  }

  #deviceEntry(words: Uint32Array): boolean {
    if (!namesOnlyADevice(words)) return false;
    this.#caches.counters.deviceEntry += 1;
    if (!this.#dropped()) this.#caches.deviceCache.invalidate(words[0] as number);
    return true;
  }

  #pages(words: Uint32Array): boolean {
    const { features, counters } = this.#caches;
    const low = words[2] as number;
    const guest = (low & AmdPagesFlag.guestNested) !== 0;
    const reserved =
      (low & PAGES_RESERVED) | ((words[1] as number) & 0x0fff0000) | ((words[0] as number) & 0xfff00000);
    if (reserved !== 0 || (guest && !features.guestTranslation)) return false;
    const order = amdPagesOrder(low, words[3] as number);
    counters.pages += 1;
    if (order >= WHOLE_SPACE) counters.pagesAll += 1;
    if (!this.#dropped()) this.#dropPages((words[1] as number) & 0xffff, words, order);
    return true;
  }

  #dropPages(domain: number, words: Uint32Array, order: number): void {
    const { iotlb, pagingCache, notPresent } = this.#caches;
    const low = words[2] as number;
    const frames = 2 ** Math.min(order, WHOLE_SPACE);
    const frame = (words[3] as number) * 0x100000 + (low >>> 12);
    const first = Math.floor(frame / frames) * frames;
    if (order >= WHOLE_SPACE) iotlb.invalidateDomain(domain);
    else iotlb.invalidatePages(domain, first, frames);
    notPresent?.invalidatePages(domain, first, frames);
    if ((low & AmdPagesFlag.directory) !== 0) pagingCache.invalidatePages(domain, first, frames);
  }

  #everything(words: Uint32Array): boolean {
    const { features, counters, deviceCache, iotlb, pagingCache, notPresent } = this.#caches;
    const rest = (words[0] as number) | ((words[1] as number) & 0x0fffffff);
    if (!features.invalidateAll || (rest | (words[2] as number) | (words[3] as number)) !== 0) return false;
    counters.invalidateAll += 1;
    if (this.#dropped()) return true;
    deviceCache.invalidateAll();
    iotlb.invalidateAll();
    pagingCache.invalidateAll();
    notPresent?.invalidateAll();
    return true;
  }
}

/** A device id in bits 15:0 of the first word, the opcode, and nothing else. */
const namesOnlyADevice = (words: Uint32Array): boolean =>
  (((words[0] as number) & 0xffff0000) |
    ((words[1] as number) & 0x0fffffff) |
    (words[2] as number) |
    (words[3] as number)) ===
  0;

// Entry flushes: the invalidations that follow a change of a device's context or PASID entry.
// Source followed: drivers/iommu/intel/iommu.c (iommu_set_root_entry, context_present_cache_flush), pasid.c
// (pasid_flush_caches, intel_pasid_tear_down_entry, intel_context_flush_no_pasid); VT-d specification 6.5.3.3.
// Each command is submitted alone, with a wait of its own.
// Simplified: PASID 0 only.

import { VtdGranularity } from '@sgfree/hw-model';
import type { DeviceTlb } from './cache-tag.ts';
import type { FlushTarget } from './flush-target.ts';
import { iommuFlushWriteBuffer } from './global-command.ts';
import {
  DESCRIPTOR_WORDS,
  encodeContextCache,
  encodeDeviceTlb,
  encodeIotlbWide,
  encodePasidCache,
  encodePasidIotlb,
} from './qi-descriptor.ts';

/** Caching mode: what was not present is cached under this domain id. */
const NOT_PRESENT_DOMAIN = 0;
const PASID_CACHE_ONE = 1;
const PASID_CACHE_GLOBAL = 3;
const WHOLE_SPACE = 52;

/** Everything of a PASID: no address range. */
const ALL_PAGES = -1;

const descriptor = (): Uint32Array => new Uint32Array(DESCRIPTOR_WORDS);

function flushContext(target: FlushTarget, granularity: number, domainId: number, sourceId: number): void {
  const words = descriptor();
  encodeContextCache(words, 0, granularity, domainId, sourceId);
  target.qi.submit(words, 1);
}

function flushIotlb(target: FlushTarget, granularity: number, domainId: number): void {
  const words = descriptor();
  encodeIotlbWide(words, 0, target.unit.capabilities, granularity, domainId);
  target.qi.submit(words, 1);
}

function flushPasidCache(target: FlushTarget, granularity: number, domainId: number): void {
  const words = descriptor();
  encodePasidCache(words, 0, granularity, domainId, 0);
  target.qi.submit(words, 1);
}

function flushPasidIotlb(target: FlushTarget, domainId: number): void {
  const words = descriptor();
  encodePasidIotlb(words, 0, domainId, 0, 0, ALL_PAGES, false);
  target.qi.submit(words, 1);
}

function flushDeviceTlb(target: FlushTarget, sourceId: number, deviceTlb: DeviceTlb | null): void {
  if (deviceTlb === null) return;
  const words = descriptor();
  encodeDeviceTlb(words, 0, sourceId, deviceTlb.pfsid, deviceTlb.queueDepth, 0, WHOLE_SPACE);
  target.qi.submit(words, 1);
}

/**
 * After a new root pointer: everything goes, unless the unit has seen to that itself (CAP.ESRTPS).
 * @internal
 */
export function flushAfterRootPointer(target: FlushTarget, scalable: boolean): void {
  if (target.unit.capabilities.rootPointerInvalidates) return;
  flushContext(target, VtdGranularity.global, 0, 0);
  if (scalable) flushPasidCache(target, PASID_CACHE_GLOBAL, 0);
  flushIotlb(target, VtdGranularity.global, 0);
}

/**
 * After a context entry has become present.
 * @internal
 * @kernel context_present_cache_flush
 */
export function contextPresentCacheFlush(target: FlushTarget, domainId: number, sourceId: number): void {
  if (target.unit.capabilities.cachingMode) {
    flushContext(target, VtdGranularity.selective, NOT_PRESENT_DOMAIN, sourceId);
    flushIotlb(target, VtdGranularity.domain, domainId);
  } else {
    iommuFlushWriteBuffer(target.unit);
  }
}

/**
 * After a PASID entry has become present.
 * @internal
 * @kernel pasid_flush_caches
 */
export function pasidFlushCaches(target: FlushTarget, domainId: number): void {
  if (target.unit.capabilities.cachingMode) {
    flushPasidCache(target, PASID_CACHE_ONE, domainId);
    flushPasidIotlb(target, domainId);
  } else {
    iommuFlushWriteBuffer(target.unit);
  }
}

/**
 * After the present bit of a context entry has gone, before the entry is zeroed.
 * @internal
 */
export function contextClearedFlush(
  target: FlushTarget,
  domainId: number,
  sourceId: number,
  deviceTlb: DeviceTlb | null,
): void {
  flushContext(target, VtdGranularity.selective, domainId, sourceId);
  flushIotlb(target, VtdGranularity.domain, domainId);
  flushDeviceTlb(target, sourceId, deviceTlb);
}

/**
 * After the present bit of a PASID entry has gone. Second-stage translations are dropped by domain, others by PASID.
 * @internal
 */
export function pasidClearedFlush(
  target: FlushTarget,
  domainId: number,
  sourceId: number,
  secondStage: boolean,
  deviceTlb: DeviceTlb | null,
): void {
  flushPasidCache(target, PASID_CACHE_ONE, domainId);
  if (secondStage) flushIotlb(target, VtdGranularity.domain, domainId);
  else flushPasidIotlb(target, domainId);
  flushDeviceTlb(target, sourceId, deviceTlb);
}

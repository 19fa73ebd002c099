// RunBooks: what one run costs one device, kept up call by call.
// Source followed: the counters of IOMMU software and hardware; they are read after a call and booked.
// What the counters of a device's own domain hold (entries, allocations) is read from there at the end.
// Simplified: none.

import type { VtdUnitCounters } from '@sgfree/hw-model';
import { MappedLevel } from './mapped-level.ts';
import {
  type MapFailure,
  type MappingMethod,
  STRUCTURE_BYTES,
  TRACKING_STRUCTURES,
} from './mapping-method.ts';
import type { ReplayMapping } from './replay-mapping.ts';

/** Mutable counts of one device in one run. */
export class RunBooks {
  mapped = 0;
  unmapped = 0;
  readonly failed: Map<MapFailure, number> = new Map();
  /** DMA ranges handed out. */
  rangesOut = 0;
  readonly level: MappedLevel = new MappedLevel();
  readonly invalidations: InvalidationCounts = new InvalidationCounts();
  /** Entries taken of each structure, in the order of {@link TRACKING_STRUCTURES}. */
  readonly #entries = [0, 0, 0];

  /** `method` has made a mapping. Returns the bytes of tracking memory it takes. */
  map(mapping: ReplayMapping, method: MappingMethod): number {
    const { structure, entries } = method;
    this.mapped += 1;
    this.rangesOut += method.rangesOut;
    this.#entries[structure] = (this.#entries[structure] as number) + entries;
    const bytes = entries * (STRUCTURE_BYTES[structure] as number);
    this.level.map(mapping.spaceBytes, bytes);
    return bytes;
  }

  /** A mapping was undone; `bytes` of tracking memory are free again. */
  unmap(mapping: ReplayMapping, bytes: number): void {
    this.unmapped += 1;
    this.level.unmap(mapping.spaceBytes, bytes);
  }

  fail(reason: MapFailure): void {
    this.failed.set(reason, (this.failed.get(reason) ?? 0) + 1);
  }

  /** Bytes of tracking memory taken, by structure. */
  get tracked(): Record<string, number> {
    return Object.fromEntries(
      TRACKING_STRUCTURES.map((name, structure) => [
        name,
        (this.#entries[structure] as number) * (STRUCTURE_BYTES[structure] as number),
      ]),
    );
  }
}

/** Invalidation commands by granularity, and waits. */
export class InvalidationCounts {
  page = 0;
  domain = 0;
  global = 0;
  waits = 0;

  /** Sets these counts to those of a unit. */
  take(now: VtdUnitCounters): void {
    this.page = now.iotlbPage;
    this.domain = now.iotlbDomain;
    this.global = now.iotlbGlobal;
    this.waits = now.waits;
  }

  /** Adds what a unit did since `before` was taken: the equal part of one among `sharers`. */
  add(before: InvalidationCounts, now: VtdUnitCounters, sharers: number): void {
    this.page += (now.iotlbPage - before.page) / sharers;
    this.domain += (now.iotlbDomain - before.domain) / sharers;
    this.global += (now.iotlbGlobal - before.global) / sharers;
    this.waits += (now.waits - before.waits) / sharers;
  }
}

// SpaceSurvey: what a device's I/O address space looks like over time: ranges in use and in caches, holes between them.
// Source followed: drivers/iommu/iova.c: the tree also holds ranges that sit in caches or wait for a flush.
// A hole is a gap between two neighbouring ranges; what lies below the lowest and above the highest is not counted.
// The most ranges are counted exactly; how they lie is looked at each time their number has grown by a sixteenth.
// Simplified: samples over time are taken every so many mappings; the distance doubles when the list is full.

import type { IovaDomain, IovaRange } from '@sgfree/iommu';

const MOST_SAMPLES = 32;
const FIRST_STRIDE = 64;
/** Growth by less than this part of the ranges is no reason to look again. */
const GROWTH_PART = 16;

/**
 * The address space at one moment.
 * @public
 */
export interface SpaceSample {
  /** Nanoseconds of the trace clock, -1 unknown. */
  readonly at: number;
  /** Ranges that callers hold or that wait for a flush, and ranges that sit in caches. */
  readonly liveRanges: number;
  readonly cachedRanges: number;
  readonly depotMagazines: number;
}

/**
 * How broken up the address space is.
 * @public
 */
export interface Fragmentation {
  /** Ranges that are not reserved: live, cached or waiting. */
  readonly ranges: number;
  /** First and last byte of all of them; -1 without one. */
  readonly lowest: number;
  readonly highest: number;
  readonly usedBytes: number;
  readonly holes: number;
  readonly holeBytes: number;
  readonly largestHoleBytes: number;
}

/** Surveys one address space. */
export class SpaceSurvey {
  samples: SpaceSample[] = [];
  /** Most ranges at once, reserved ones not counted. */
  peakRanges = 0;
  /** When there were the most ranges, or nearly. */
  worst: Fragmentation = NOTHING;
  readonly #iovad: IovaDomain;
  /** Ranges that were reserved before anything was mapped. */
  readonly #reserved: readonly IovaRange[];
  #stride = FIRST_STRIDE;
  #left = FIRST_STRIDE;

  constructor(iovad: IovaDomain) {
    this.#iovad = iovad;
    this.#reserved = iovad.ranges();
  }

  /** A mapping was made at `at` nanoseconds. */
  mapped(at: number): void {
    const ranges = this.#iovad.rangeCount - this.#reserved.length;
    if (ranges > this.peakRanges) this.#grown(ranges);
    this.#left -= 1;
    if (this.#left > 0) return;
    this.#left = this.#stride;
    this.look(at);
  }

  /** Takes a sample now. */
  look(at: number): void {
    const iovad = this.#iovad;
    if (iovad.rangeCount - this.#reserved.length > this.worst.ranges) this.#measure();
    const { liveRanges, cachedRanges } = iovad;
    const depotMagazines = iovad.depotSizes().reduce((sum, size) => sum + size, 0);
    this.samples.push({ at, liveRanges, cachedRanges, depotMagazines });
    if (this.samples.length < MOST_SAMPLES) return;
    this.samples = this.samples.filter((_, index) => index % 2 === 1);
    this.#stride *= 2;
  }

  #grown(ranges: number): void {
    this.peakRanges = ranges;
    const { worst } = this;
    if (ranges > worst.ranges + Math.floor(worst.ranges / GROWTH_PART)) this.#measure();
  }

  #measure(): void {
    this.worst = fragmentationOf(this.#iovad, this.#reserved);
  }
}

const NOTHING: Fragmentation = {
  ranges: 0,
  lowest: -1,
  highest: -1,
  usedBytes: 0,
  holes: 0,
  holeBytes: 0,
  largestHoleBytes: 0,
};

/** Measures the address space; reserved ranges end a hole but are not counted. */
export function fragmentationOf(iovad: IovaDomain, reserved: readonly IovaRange[]): Fragmentation {
  const { granule } = iovad;
  const reservedStarts = new Set(reserved.map(([first]) => first));
  const all = iovad.ranges();
  const first = all.findIndex(([lo]) => !reservedStarts.has(lo));
  const last = all.findLastIndex(([lo]) => !reservedStarts.has(lo));
  if (first < 0) return NOTHING;
  const span = all.slice(first, last + 1);
  const used = span.filter(([lo]) => !reservedStarts.has(lo));
  const gaps = span
    .slice(1)
    .map(([lo], index) => (lo - (span[index] as IovaRange)[1] - 1) * granule)
    .filter((bytes) => bytes > 0);
  return {
    ranges: used.length,
    lowest: (used[0] as IovaRange)[0] * granule,
    highest: ((used.at(-1) as IovaRange)[1] + 1) * granule - 1,
    usedBytes: used.reduce((sum, [lo, hi]) => sum + (hi - lo + 1) * granule, 0),
    holes: gaps.length,
    holeBytes: gaps.reduce((sum, bytes) => sum + bytes, 0),
    largestHoleBytes: gaps.reduce((most, bytes) => Math.max(most, bytes), 0),
  };
}

// FaultOrder: faults of one device on one clock, in the order of their addresses and in the order of the trace.
// Source followed: none; trace-position.ts says what counts as before a fault.
// Simplified: a fault stands for its whole page.

import type { MappingColumns } from './mapping-columns.ts';
import { pageStart, stateAt } from './mapping-sighting.ts';
import type { RecordedFault } from './recorded-fault.ts';
import { isBefore, type TracePosition } from './trace-position.ts';

const PAGE = 4096;

/**
 * A fault and its place in the trace.
 * @internal
 */
export interface PlacedFault {
  readonly fault: RecordedFault;
  readonly position: TracePosition;
}

/**
 * Faults by address (their numbers here) and by position (their ranks).
 * @internal
 */
export class FaultOrder {
  readonly device: string;
  /** In the order of their pages. */
  readonly faults: readonly PlacedFault[];
  readonly pages: Float64Array;
  /** Rank of each fault in the order of positions. */
  readonly ranks: Int32Array;
  readonly #byRank: readonly TracePosition[];
  readonly #byTime: boolean;

  /** All of one device, and all placed by time or all by line; at least one. */
  constructor(faults: readonly PlacedFault[]) {
    this.device = faults[0]?.fault.device ?? '';
    this.#byTime = faults[0]?.position.byTime ?? false;
    this.faults = [...faults].sort((one, two) => one.fault.address - two.fault.address);
    this.pages = Float64Array.from(this.faults, ({ fault }) => pageStart(fault.address));
    const order = [...this.faults.keys()].sort((one, two) => this.#compare(one, two));
    this.#byRank = order.map((index) => (this.faults[index] as PlacedFault).position);
    this.ranks = new Int32Array(order.length);
    for (const [rank, index] of order.entries()) this.ranks[index] = rank;
  }

  get length(): number {
    return this.faults.length;
  }

  #compare(one: number, two: number): number {
    const { position: first } = this.faults[one] as PlacedFault;
    const { position: second } = this.faults[two] as PlacedFault;
    return (this.#byTime ? first.time - second.time : 0) || first.line - second.line;
  }

  /** How many faults lie in pages below this address. */
  below(address: number): number {
    let low = 0;
    let high = this.pages.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.pages[middle] as number) < address) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** How many faults lie wholly below this address, which is the start of a mapping. */
  wholly(start: number): number {
    return this.below(pageStart(start - PAGE) + 1);
  }

  /** The first rank that a line of the trace lies before; all ranks when it is no line. */
  rankOf(line: number, time: number): number {
    let low = 0;
    let high = this.#byRank.length;
    if (line < 0) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore(line, time, this.#byRank[middle] as TracePosition)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** True when ranks tell nothing: the faults are placed by time, and the mapping of the slot has none. */
  isUntimed({ mappedLine, mappedAt, endedLine, endedAt }: MappingColumns, slot: number): boolean {
    if (!this.#byTime) return false;
    if ((mappedLine[slot] as number) >= 0 && (mappedAt[slot] as number) < 0) return true;
    return (endedLine[slot] as number) >= 0 && (endedAt[slot] as number) < 0;
  }

  /** The state of a slot at a rank, without search. */
  stateAtRank(columns: MappingColumns, slot: number, rank: number): ReturnType<typeof stateAt> {
    return stateAt(columns, slot, this.#byRank[rank] as TracePosition);
  }
}

// FaultSweep: one pass over all remembered mappings that finds what lies around many faults of one device.
// Source followed: none; a mapping is compared with the faults by binary search, so a storm of faults costs little more
// than one.
// Simplified: mappings of other devices are never neighbours.

import { BestSlots } from './best-slots.ts';
import type { FaultOrder, PlacedFault } from './fault-order.ts';
import { type MappingColumns, SlotState } from './mapping-columns.ts';
import { ownerOf, type SightingOwner, type SightingState } from './mapping-sighting.ts';
import { NearestSlots } from './nearest-slots.ts';

const MOST_COVERING = 32;
const MOST_ALIKE = 4;
const FOUR_GIB = 2 ** 32;
const PAGE = 4096;
const OWNER_ORDER: Readonly<Record<SightingOwner, number>> = { own: 0, unnamed: 1, other: 2 };
const STATE_ORDER: Readonly<Record<SightingState, number>> = { live: 0, ended: 1, later: 2 };

const bestOf = (count: number, most: number): BestSlots[] =>
  Array.from({ length: count }, () => new BestSlots(most));

/** The sweep. Results are by number of the fault in the order. */
export class FaultSweep {
  readonly covering: readonly BestSlots[];
  readonly byPhysical: readonly BestSlots[];
  readonly byLow32: readonly BestSlots[];
  readonly belowLive: NearestSlots;
  readonly belowEnded: NearestSlots;
  readonly aboveLive: NearestSlots;
  readonly aboveEnded: NearestSlots;
  readonly #columns: MappingColumns;
  readonly #order: FaultOrder;
  readonly #faults: readonly PlacedFault[];
  /** The slot at hand: whose it is, and the ranks from which on it is mapped, and ended. */
  #owner: SightingOwner = 'other';
  #mapped = 0;
  #ended = 0;
  #untimed = false;

  constructor(columns: MappingColumns, order: FaultOrder) {
    const { length } = order;
    const { dmaAddr, dmaEnd, mappedLine, endedLine } = columns;
    this.#columns = columns;
    this.#order = order;
    this.#faults = order.faults;
    this.covering = bestOf(length, MOST_COVERING);
    this.byPhysical = bestOf(length, MOST_ALIKE);
    this.byLow32 = bestOf(length, MOST_ALIKE);
    this.belowLive = new NearestSlots('below', dmaEnd, mappedLine, length);
    this.belowEnded = new NearestSlots('below', dmaEnd, endedLine, length);
    this.aboveLive = new NearestSlots('above', dmaAddr, mappedLine, length);
    this.aboveEnded = new NearestSlots('above', dmaAddr, endedLine, length);
  }

  run(): void {
    const { top, state, dmaAddr, dmaEnd, phys } = this.#columns;
    for (let slot = 0; slot < top; slot += 1) {
      if (state[slot] === SlotState.free) continue;
      const start = dmaAddr[slot] as number;
      const end = dmaEnd[slot] as number;
      this.#place(slot);
      this.#around(slot, start, end);
      // The pieces of a list lie anywhere in physical memory; a single one lies where the column says.
      if (phys[slot] !== start) this.#physical(slot, end - start);
      if (end > FOUR_GIB) this.#low32(slot, start, end);
    }
  }

  #place(slot: number): void {
    const { device, mappedLine, mappedAt, releasedLine, releasedAt, endedLine, endedAt } = this.#columns;
    const order = this.#order;
    const whose = device[slot] ?? '';
    this.#owner = ownerOf(whose, order.device);
    this.#untimed = order.isUntimed(this.#columns, slot);
    if (this.#untimed) return;
    const line = mappedLine[slot] as number;
    this.#mapped = line < 0 ? 0 : order.rankOf(line, mappedAt[slot] as number);
    const ended = order.rankOf(endedLine[slot] as number, endedAt[slot] as number);
    const released = order.rankOf(releasedLine[slot] as number, releasedAt[slot] as number);
    this.#ended = Math.max(this.#mapped, Math.min(ended, released));
  }

  #around(slot: number, start: number, end: number): void {
    const order = this.#order;
    const first = order.wholly(start);
    const last = order.below(end);
    for (let index = first; index < last; index += 1) this.#offer(this.covering, slot, index);
    if (this.#owner === 'other') return;
    if (last < order.length) this.#neighbour(slot, last, this.belowLive, this.belowEnded);
    if (first > 0) this.#neighbour(slot, first - 1, this.aboveLive, this.aboveEnded);
  }

  #neighbour(slot: number, gap: number, live: NearestSlots, ended: NearestSlots): void {
    const { length } = this.#order;
    if (!this.#untimed) {
      live.enter(slot, gap, this.#mapped, this.#ended);
      ended.enter(slot, gap, this.#ended, length);
      return;
    }
    for (let rank = 0; rank < length; rank += 1) {
      const state = this.#stateAt(slot, rank);
      if (state !== 'later') (state === 'live' ? live : ended).enter(slot, gap, rank, rank + 1);
    }
  }

  #stateAt(slot: number, rank: number): SightingState {
    if (this.#untimed) return this.#order.stateAtRank(this.#columns, slot, rank);
    if (rank < this.#mapped) return 'later';
    return rank < this.#ended ? 'live' : 'ended';
  }

  /** The best first: those that can own the fault, then the nearest in time. */
  #offer(lists: readonly BestSlots[], slot: number, index: number): void {
    const { dmaAddr, dmaEnd } = this.#columns;
    const { fault } = this.#faults[index] as PlacedFault;
    const { address, addressBytes } = fault;
    const state = this.#stateAt(slot, this.#order.ranks[index] as number);
    const inside =
      address < (dmaEnd[slot] as number) && address + addressBytes > (dmaAddr[slot] as number) ? 0 : 1;
    const major = (OWNER_ORDER[this.#owner] * 3 + STATE_ORDER[state]) * 2 + inside;
    lists[index]?.offer(slot, major, this.#lateness(slot, state));
  }

  /** Of ended mappings the last to end comes first, of later ones the first to be mapped, of live ones the newest. */
  #lateness(slot: number, state: SightingState): number {
    const { mappedLine, releasedLine, endedLine } = this.#columns;
    const mapped = mappedLine[slot] as number;
    if (state !== 'ended') return state === 'later' ? mapped : -mapped;
    const ended = endedLine[slot] as number;
    return -(ended < 0 ? (releasedLine[slot] as number) : ended);
  }

  #physical(slot: number, bytes: number): void {
    const { phys, pieces } = this.#columns;
    const list = pieces[slot];
    if (list === undefined) {
      this.#physicalPiece(slot, phys[slot] as number, bytes);
      return;
    }
    for (let index = 0; index < list.length; index += 3)
      this.#physicalPiece(slot, list[index + 1] as number, list[index + 2] as number);
  }

  #physicalPiece(slot: number, start: number, bytes: number): void {
    if (start >= 0) this.#within(this.byPhysical, slot, start, start + bytes);
  }

  /** Faults at addresses from `start` up to `end`. */
  #within(lists: readonly BestSlots[], slot: number, start: number, end: number): void {
    const order = this.#order;
    const last = order.length - 1;
    if (end <= (order.pages[0] as number) || start >= (order.pages[last] as number) + PAGE) return;
    for (let index = order.wholly(start); index <= last; index += 1) {
      const { address } = (this.#faults[index] as PlacedFault).fault;
      if (address >= end) return;
      if (address >= start) this.#offer(lists, slot, index);
    }
  }

  /** Faults at the low 32 bits of addresses of the mapping above 4 GiB. */
  #low32(slot: number, start: number, end: number): void {
    const from = Math.max(start, FOUR_GIB);
    const low = from - Math.floor(from / FOUR_GIB) * FOUR_GIB;
    const high = Math.min(low + (end - from), low + FOUR_GIB);
    this.#within(this.byLow32, slot, low, Math.min(high, FOUR_GIB));
    if (high > FOUR_GIB) this.#within(this.byLow32, slot, 0, high - FOUR_GIB);
  }
}

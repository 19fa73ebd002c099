// MappingHistory: every mapping that is live, and the last ones that ended, of one trace.
// Source followed: none.
// Simplified: the bound counts pieces of ended mappings; live mappings are as many as the trace keeps alive.

import type { TracedMapping, TracedUnmapping } from '../traced-mapping.ts';
import { MappingColumns, SlotState } from './mapping-columns.ts';
import type { TracePoint } from './trace-position.ts';

const SLACK = 1.125;
const MOST_DEVICES = 65536;
const MOST_LAST_ENDED = 256;

/**
 * The history. Slots name mappings; a slot is used again once its mapping was forgotten.
 * @internal
 */
export class MappingHistory {
  readonly columns: MappingColumns = new MappingColumns();
  /** Ended mappings that were forgotten to stay within the bound, and the end of the last of them. */
  forgotten = 0;
  forgottenUntilLine = -1;
  readonly #limit: number;
  readonly #slotOf = new Map<number, number>();
  /** Slots of the mappings that ended last, by id: their table entries may go a little later. */
  readonly #lastEnded = new Map<number, number>();
  readonly #freeSlots: number[] = [];
  #seen = 0;
  readonly #seenOf = new Map<string, number>();
  /** Ended slots, oldest first, from `#endedHead` on. */
  #ended: number[] = [];
  #endedHead = 0;
  #endedPieces = 0;

  /** `limit` pieces of ended mappings are remembered. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get live(): number {
    return this.#slotOf.size;
  }

  /** Mappings seen of a device, those forgotten included; of every device when it is empty. */
  seenOf(device: string): number {
    return device === '' ? this.#seen : (this.#seenOf.get(device) ?? 0);
  }

  mapped(mapping: TracedMapping): number {
    this.#count(mapping.device);
    const slot = this.#freeSlots.pop() ?? this.columns.top;
    this.columns.fill(slot, mapping);
    this.#slotOf.set(mapping.id, slot);
    return slot;
  }

  /** The driver's call that ended the mapping of a slot is a line of its own. */
  released(slot: number, { line, at }: TracedUnmapping): void {
    this.columns.releasedLine[slot] = line;
    this.columns.releasedAt[slot] = at;
  }

  /** The table entries of a mapping that ended are gone at this point, behind the call that ended it. */
  gone(id: number, { line, time, task }: TracePoint): void {
    const slot = this.#lastEnded.get(id);
    if (slot === undefined) return;
    this.columns.endedLine[slot] = line;
    this.columns.endedAt[slot] = time;
    this.columns.endedTask[slot] = task;
  }

  unmapped(id: number, end: TracedUnmapping): number {
    const slot = this.#slotOf.get(id);
    if (slot === undefined) return -1;
    this.#slotOf.delete(id);
    const { columns } = this;
    columns.state[slot] = SlotState.ended;
    columns.endedLine[slot] = end.line;
    columns.endedAt[slot] = end.at;
    columns.endedTask[slot] = end.task;
    this.#rememberEnded(id, slot);
    this.#ended.push(slot);
    this.#endedPieces += columns.pieceCount(slot);
    return slot;
  }

  #count(device: string): void {
    this.#seen += 1;
    const seen = this.#seenOf.get(device);
    if (seen !== undefined) this.#seenOf.set(device, seen + 1);
    else if (this.#seenOf.size < MOST_DEVICES) this.#seenOf.set(device, 1);
  }

  #rememberEnded(id: number, slot: number): void {
    if (this.#lastEnded.size >= MOST_LAST_ENDED) {
      const [oldest] = this.#lastEnded.keys();
      if (oldest !== undefined) this.#lastEnded.delete(oldest);
    }
    this.#lastEnded.set(id, slot);
  }

  /** True when it is time to forget: the bound is passed by an eighth, so that it happens seldom. */
  get overfull(): boolean {
    return this.#endedPieces > this.#limit * SLACK;
  }

  /** Forgets the oldest ended mappings until the bound holds. */
  forgetOldest(): void {
    while (this.#endedPieces > this.#limit && this.#endedHead < this.#ended.length) {
      const slot = this.#ended[this.#endedHead] ?? 0;
      this.#endedHead += 1;
      this.forgotten += 1;
      this.forgottenUntilLine = Math.max(this.forgottenUntilLine, this.columns.endedLine[slot] ?? -1);
      this.#lastEnded.delete(this.columns.id[slot] ?? -1);
      this.#endedPieces -= this.columns.clear(slot);
      this.#freeSlots.push(slot);
    }
    if (this.#endedHead > 4096 && this.#endedHead * 2 > this.#ended.length) this.#compact();
  }

  #compact(): void {
    this.#ended = this.#ended.slice(this.#endedHead);
    this.#endedHead = 0;
  }
}

// MappingColumns: the mappings of a trace as columns, one slot each, so that a million of them stay small.
// Source followed: none; TracedMapping says what a mapping is.
// Simplified: pieces that continue each other both in DMA and in physical addresses are kept as one, and a mapping of
// one piece keeps no list.

import type { TracedMapping } from '../traced-mapping.ts';
import { mergedPieces } from './merged-pieces.ts';

const FIRST_CAPACITY = 1024;

/**
 * State of a slot.
 * @internal
 */
export const SlotState = { free: 0, live: 1, ended: 2 } as const;

const NUMBER_COLUMNS = [
  'id',
  'dmaAddr',
  'dmaEnd',
  'bytes',
  'phys',
  'mappedLine',
  'mappedAt',
  'mappedCpu',
  'releasedLine',
  'releasedAt',
  'endedLine',
  'endedAt',
] as const;

/**
 * Columns, indexed by slot. Lines and times that are unknown are -1.
 * @internal
 */
export class MappingColumns {
  /** Slots ever used: nothing lies at or beyond. */
  top = 0;
  state: Uint8Array = new Uint8Array(FIRST_CAPACITY);
  id: Float64Array = new Float64Array(FIRST_CAPACITY);
  dmaAddr: Float64Array = new Float64Array(FIRST_CAPACITY);
  /** First byte behind the last piece. */
  dmaEnd: Float64Array = new Float64Array(FIRST_CAPACITY);
  bytes: Float64Array = new Float64Array(FIRST_CAPACITY);
  /** Physical address of the first piece; -1 when the trace has none. */
  phys: Float64Array = new Float64Array(FIRST_CAPACITY);
  mappedLine: Float64Array = new Float64Array(FIRST_CAPACITY);
  mappedAt: Float64Array = new Float64Array(FIRST_CAPACITY);
  mappedCpu: Float64Array = new Float64Array(FIRST_CAPACITY);
  /** The driver's call that gave the mapping up, when the trace has one of its own. */
  releasedLine: Float64Array = new Float64Array(FIRST_CAPACITY);
  releasedAt: Float64Array = new Float64Array(FIRST_CAPACITY);
  /** The table entries gone. */
  endedLine: Float64Array = new Float64Array(FIRST_CAPACITY);
  endedAt: Float64Array = new Float64Array(FIRST_CAPACITY);
  /** DMA address, physical address, bytes of each piece; undefined for a single one. */
  readonly pieces: (Float64Array | undefined)[] = [];
  readonly kind: TracedMapping['kind'][] = [];
  readonly device: string[] = [];
  readonly deviceFrom: TracedMapping['deviceFrom'][] = [];
  readonly direction: TracedMapping['direction'][] = [];
  readonly directionFrom: TracedMapping['directionFrom'][] = [];
  readonly bytesFrom: TracedMapping['bytesFrom'][] = [];
  readonly attrs: string[] = [];
  readonly mappedTask: string[] = [];
  readonly endedTask: string[] = [];

  /** Fills a slot with a live mapping. */
  fill(slot: number, mapping: TracedMapping): void {
    if (slot >= this.state.length) this.#grow();
    this.top = Math.max(this.top, slot + 1);
    this.state[slot] = SlotState.live;
    this.#fillNumbers(slot, mapping);
    this.kind[slot] = mapping.kind;
    this.device[slot] = mapping.device;
    this.deviceFrom[slot] = mapping.deviceFrom;
    this.direction[slot] = mapping.direction;
    this.directionFrom[slot] = mapping.directionFrom;
    this.bytesFrom[slot] = mapping.bytesFrom;
    this.attrs[slot] = mapping.attrs;
    this.mappedTask[slot] = mapping.mappedTask;
    this.endedTask[slot] = '';
  }

  /** Frees a slot; returns how many pieces went. */
  clear(slot: number): number {
    const count = this.pieceCount(slot);
    this.state[slot] = SlotState.free;
    this.pieces[slot] = undefined;
    return count;
  }

  pieceCount(slot: number): number {
    return (this.pieces[slot]?.length ?? 3) / 3;
  }

  #fillNumbers(slot: number, mapping: TracedMapping): void {
    const pieces = mergedPieces(mapping);
    const last = pieces.length - 3;
    this.id[slot] = mapping.id;
    this.dmaAddr[slot] = mapping.dmaAddr;
    this.dmaEnd[slot] = (pieces[last] ?? 0) + (pieces[last + 2] ?? 0);
    this.bytes[slot] = mapping.bytes;
    this.phys[slot] = pieces[1] ?? -1;
    this.mappedLine[slot] = mapping.mappedLine;
    this.mappedAt[slot] = mapping.mappedAt;
    this.mappedCpu[slot] = mapping.mappedCpu;
    this.releasedLine[slot] = -1;
    this.releasedAt[slot] = -1;
    this.endedLine[slot] = -1;
    this.endedAt[slot] = -1;
    this.pieces[slot] = last > 0 ? Float64Array.from(pieces) : undefined;
  }

  #grow(): void {
    const grown = new Uint8Array(this.state.length * 2);
    grown.set(this.state);
    this.state = grown;
    for (const name of NUMBER_COLUMNS) {
      const column = new Float64Array(this[name].length * 2);
      column.set(this[name]);
      this[name] = column;
    }
  }
}

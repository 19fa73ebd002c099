// MappingSighting: one mapping as seen from a fault: where it lies, what became of it, whose it is.
// Source followed: none.
// Simplified: page-table granules are taken to be 4 KiB; an access elsewhere in the page of a mapping still hits its entry.

import type { TraceDirection } from '../trace-event.ts';
import type { Provenance, TracedMapping } from '../traced-mapping.ts';
import type { MappingColumns } from './mapping-columns.ts';
import type { RecordedFault } from './recorded-fault.ts';
import { isBefore, spanBetween, type TracePoint, type TracePosition } from './trace-position.ts';

/**
 * `live` at the fault, `ended` before it (given up by the driver counts), or mapped `later`.
 * @public
 */
export type SightingState = 'live' | 'ended' | 'later';

/**
 * Whose the mapping is: the faulting device's (everyone's, when the fault names no device), nobody's by name, or
 * another device's, whose equal addresses are a different domain's business.
 * @public
 */
export type SightingOwner = 'own' | 'unnamed' | 'other';

/**
 * A mapping as seen from a fault. Addresses are plain numbers, sizes bytes.
 * @public
 */
export interface MappingSighting {
  readonly id: number;
  readonly kind: TracedMapping['kind'];
  readonly device: string;
  readonly deviceFrom: Provenance;
  readonly direction: TraceDirection;
  readonly directionFrom: Provenance;
  readonly attrs: string;
  readonly dmaAddr: number;
  /** First byte behind. */
  readonly dmaEnd: number;
  readonly bytes: number;
  readonly bytesFrom: Provenance;
  /** Physical address behind the fault's first byte, or of the mapping's first byte when it lies elsewhere; -1 unknown. */
  readonly physAddr: number;
  readonly mapped: TracePoint;
  /** The driver's call that gave it up, when it is a line of its own. */
  readonly released: TracePoint | undefined;
  readonly ended: TracePoint | undefined;
  readonly state: SightingState;
  readonly owner: SightingOwner;
  /** Bytes from the mapping's start to the fault; negative below it. */
  readonly offset: number;
  /** Bytes between the two; 0 when the fault lies in a page of the mapping. */
  readonly distance: number;
  /** False when only the page is the mapping's, not the byte. */
  readonly inside: boolean;
  /** Nanoseconds from the driver's release, or else the end, to the fault; NaN when unknown or not ended. */
  readonly sinceReleased: number;
  readonly sinceEnded: number;
  /** Nanoseconds from the mapping to the fault: negative when it came later; NaN when unknown. */
  readonly sinceMapped: number;
}

const GRANULE = 4096;
/** Start of the page. */
export const pageStart = (address: number): number => Math.floor(address / GRANULE) * GRANULE;
/** Start of the next page, or the address itself on a page boundary. */
export const pageEnd = (address: number): number => Math.ceil(address / GRANULE) * GRANULE;

/** The state of a slot's mapping at a position. */
export function stateAt(columns: MappingColumns, slot: number, position: TracePosition): SightingState {
  const mappedLine = columns.mappedLine[slot] ?? -1;
  if (mappedLine >= 0 && !isBefore(mappedLine, columns.mappedAt[slot] ?? -1, position)) return 'later';
  for (const [lines, times] of [
    [columns.releasedLine, columns.releasedAt],
    [columns.endedLine, columns.endedAt],
  ] as const) {
    const line = lines[slot] ?? -1;
    if (line >= 0 && isBefore(line, times[slot] ?? -1, position)) return 'ended';
  }
  return 'live';
}

/** Whose a mapping of `device` is, for a fault of `faulting`. */
export function ownerOf(device: string, faulting: string): SightingOwner {
  if (faulting === '' || device === faulting) return 'own';
  return device === '' ? 'unnamed' : 'other';
}

/** The mapping of a slot as seen from a fault. */
export function sightingOf(
  columns: MappingColumns,
  slot: number,
  fault: RecordedFault,
  position: TracePosition,
): MappingSighting {
  const { address, addressBytes } = fault;
  const dmaAddr = columns.dmaAddr[slot] ?? 0;
  const dmaEnd = columns.dmaEnd[slot] ?? 0;
  const released = pointOf(columns.releasedLine, columns.releasedAt, '', slot);
  const ended = pointOf(columns.endedLine, columns.endedAt, columns.endedTask[slot] ?? '', slot);
  return {
    ...factsOf(columns, slot),
    dmaAddr,
    dmaEnd,
    physAddr: physicalAt(columns, slot, address),
    mapped: {
      line: columns.mappedLine[slot] ?? -1,
      time: columns.mappedAt[slot] ?? -1,
      task: columns.mappedTask[slot] ?? '',
    },
    released,
    ended,
    state: stateAt(columns, slot, position),
    owner: ownerOf(columns.device[slot] ?? '', fault.device),
    offset: address - dmaAddr,
    distance: distanceTo(dmaAddr, dmaEnd, address, addressBytes),
    inside: address < dmaEnd && address + addressBytes > dmaAddr,
    sinceReleased: spanBetween((released ?? ended)?.time ?? -1, position),
    sinceEnded: spanBetween(ended?.time ?? -1, position),
    sinceMapped: spanBetween(columns.mappedAt[slot] ?? -1, position),
  };
}

function factsOf(
  columns: MappingColumns,
  slot: number,
): Pick<
  MappingSighting,
  'id' | 'kind' | 'device' | 'deviceFrom' | 'direction' | 'directionFrom' | 'attrs' | 'bytes' | 'bytesFrom'
> {
  return {
    id: columns.id[slot] ?? -1,
    kind: columns.kind[slot] ?? 'iommu-api',
    device: columns.device[slot] ?? '',
    deviceFrom: columns.deviceFrom[slot] ?? 'unknown',
    direction: columns.direction[slot] ?? '',
    directionFrom: columns.directionFrom[slot] ?? 'unknown',
    attrs: columns.attrs[slot] ?? '',
    bytes: columns.bytes[slot] ?? 0,
    bytesFrom: columns.bytesFrom[slot] ?? 'unknown',
  };
}

function pointOf(
  lines: Float64Array,
  times: Float64Array,
  task: string,
  slot: number,
): TracePoint | undefined {
  const line = lines[slot] ?? -1;
  return line < 0 ? undefined : { line, time: times[slot] ?? -1, task };
}

/** 0 when a page of the mapping is hit, else the bytes between the nearest ends. */
export function distanceTo(dmaAddr: number, dmaEnd: number, address: number, addressBytes: number): number {
  if (address >= pageEnd(dmaEnd)) return address - dmaEnd;
  if (address + addressBytes <= pageStart(dmaAddr)) return dmaAddr - (address + addressBytes - 1);
  return 0;
}

function physicalAt(columns: MappingColumns, slot: number, address: number): number {
  const first = columns.phys[slot] ?? -1;
  const pieces = columns.pieces[slot];
  const dmaAddr = columns.dmaAddr[slot] ?? 0;
  if (pieces === undefined) {
    const inside = first >= 0 && address >= dmaAddr && address < (columns.dmaEnd[slot] ?? 0);
    return inside ? first + (address - dmaAddr) : first;
  }
  for (let index = 0; index < pieces.length; index += 3) {
    const [dma = 0, phys = -1, bytes = 0] = pieces.subarray(index, index + 3);
    if (address >= dma && address < dma + bytes) return phys < 0 ? -1 : phys + (address - dma);
  }
  return first;
}

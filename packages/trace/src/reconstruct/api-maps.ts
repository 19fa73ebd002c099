// ApiMaps: the lines of the DMA API that make mappings, and what they take from the iommu:map lines before them.
// Source followed: kernel/dma/mapping.c, whose trace calls come after the mapping, also when it failed.
// Simplified: without iommu:map lines the line of the API is all there is.

import type { TraceEvent } from '../trace-event.ts';
import type { TracedMappingKind } from '../traced-mapping.ts';
import { AddressEntry } from './address-entry.ts';
import type { KnownDevice } from './device-knowledge.ts';
import { checkDoubleMap, supersedeUntranslated } from './double-maps.ts';
import { continuedFrom, openLineAt, ownLines } from './explain-lines.ts';
import { onFailedMap } from './failed-maps.ts';
import { listKey } from './list-key.ts';
import { listPieces } from './list-pieces.ts';
import type { MapLine } from './map-line.ts';
import { LiveMapping, type MappedWhere, ReconstructedMapping } from './reconstructed-mapping.ts';
import type { ReconstructionState } from './reconstruction-state.ts';
import type { TraceContext } from './trace-context.ts';

function newMapping(kind: TracedMappingKind, event: TraceEvent, where: MappedWhere): ReconstructedMapping {
  const traced = new ReconstructedMapping(kind, where);
  traced.device = event.device;
  traced.deviceFrom = 'recorded';
  traced.direction = event.direction;
  traced.directionFrom = event.direction === '' ? 'unknown' : 'recorded';
  traced.attrs = event.attrs;
  traced.dmaAddr = event.dmaAddr;
  traced.bytes = event.size;
  return traced;
}

function isFailed(event: TraceEvent): boolean {
  return event.dmaAddr < 0 || (event.virtAddr !== '' && /^(0x)?0*$/.test(event.virtAddr));
}

/** dma_map_phys, dma_map_page, dma_map_resource. */
export function onMapSingle(state: ReconstructionState, event: TraceEvent, context: TraceContext): void {
  const device = noteMap(state, event, context);
  if (isFailed(event)) {
    onFailedMap(state, event, context);
    return;
  }
  const { dmaAddr, physAddr } = event;
  const where = state.where(event, context);
  const same = openLineAt(context, dmaAddr, physAddr);
  const line = same ?? bouncedLineAt(context, dmaAddr);
  const traced = newMapping('phys', event, line ?? where);
  traced.addPiece(dmaAddr, physAddr, event.size);
  if (line !== null && same === null) traced.addRule('bounced');
  enter(state, traced, line === null ? [] : [line], device, dmaAddr === physAddr, where);
}

/** The map line just before shows other memory: that of a bounce buffer. */
function bouncedLineAt(context: TraceContext, dma: number): MapLine | null {
  const line = openLineAt(context, dma, -1);
  return line !== null && (line === context.newest || line.bounced !== null) ? line : null;
}

function noteMap(state: ReconstructionState, event: TraceEvent, context: TraceContext): KnownDevice {
  const device = state.knowledge.ofDmaLine(event.device);
  context.noteDevice(device.name);
  return device;
}

/** A mapping is complete: it owns its lines, or stands for itself. */
function enter(
  state: ReconstructionState,
  traced: ReconstructedMapping,
  lines: MapLine[],
  device: KnownDevice,
  isDirect: boolean,
  where: MappedWhere,
): LiveMapping {
  const live = new LiveMapping(traced);
  if (lines.length > 0) {
    device.translated = true;
    ownLines(state, live, lines);
    checkDoubleMap(state, live, where);
    return live;
  }
  if (device.translated) traced.addRule('no-map-line');
  if (traced.kind === 'phys' && !isDirect) device.remapped = true;
  supersedeUntranslated(state, live, isDirect && !device.translated, where);
  live.byAddress = new AddressEntry(traced.dmaAddr, traced.bytes, live);
  state.byAddress.add(live.byAddress);
  state.announceNow(traced);
  if (isDirect && !device.translated) state.directMappings.hold(live);
  return live;
}

/** dma_alloc, dma_alloc_pages. */
export function onAlloc(state: ReconstructionState, event: TraceEvent, context: TraceContext): void {
  const device = noteMap(state, event, context);
  if (isFailed(event)) {
    onFailedMap(state, event, context);
    return;
  }
  const { dmaAddr, size } = event;
  const where = state.where(event, context);
  const first = openLineAt(context, dmaAddr, -1);
  const lines = first === null ? [] : continuedFrom(first, dmaAddr + size);
  const traced = newMapping('coherent', event, first ?? where);
  noteCoherent(traced);
  if (first !== null) listPieces(traced, [dmaAddr], [size], [], lines);
  else if (device.translated || device.remapped) {
    traced.addPiece(dmaAddr, -1, size);
    traced.addRule('phys-unknown');
  } else {
    traced.addPiece(dmaAddr, dmaAddr, size);
    traced.addRule('phys-by-identity');
  }
  enter(state, traced, lines, device, false, where);
}

function noteCoherent(traced: ReconstructedMapping): void {
  if (traced.direction !== '') return;
  traced.direction = 'BIDIRECTIONAL';
  traced.directionFrom = 'inferred';
  traced.addRule('coherent-is-bidirectional');
}

/** dma_alloc_sgt: one range of DMA addresses over the pages of a list. */
export function onAllocSgt(state: ReconstructionState, event: TraceEvent, context: TraceContext): void {
  const device = noteMap(state, event, context);
  if (isFailed(event)) {
    onFailedMap(state, event, context);
    return;
  }
  const { dmaAddr, size, physAddrs } = event;
  const where = state.where(event, context);
  const first = openLineAt(context, dmaAddr, -1);
  const lines = first === null ? [] : continuedFrom(first, dmaAddr + size);
  const traced = newMapping('coherent', event, first ?? where);
  noteCoherent(traced);
  listPieces(traced, [dmaAddr], [size], physAddrs, lines);
  enter(state, traced, lines, device, false, where);
}

/** dma_map_sg. */
export function onMapSg(state: ReconstructionState, event: TraceEvent, context: TraceContext): void {
  const device = noteMap(state, event, context);
  const { dmaAddrs, sizes, physAddrs } = event;
  if (dmaAddrs.length === 0) return;
  const where = state.where(event, context);
  const lines = linesOfList(context, dmaAddrs);
  const traced = newMapping('sg', event, lines[0] ?? where);
  traced.dmaAddr = dmaAddrs[0] ?? -1;
  listPieces(traced, dmaAddrs, sizes, event.fullNents === event.fullEnts ? physAddrs : [], lines);
  if (event.truncated) addTruncatedRest(traced, lines);
  traced.bytes = traced.pieceBytes.reduce((sum, bytes) => sum + bytes, 0);
  const isDirect = dmaAddrs.length === physAddrs.length && dmaAddrs.every((dma, at) => dma === physAddrs[at]);
  const live = enter(state, traced, lines, device, isDirect, where);
  live.list = listKey(physAddrs, Math.max(event.fullNents, physAddrs.length));
  live.byPhys = new AddressEntry(physAddrs[0] ?? -1, 1, live);
  state.byPhys.add(live.byPhys);
}

const SEGMENTS_TRIED = 4;

/**
 * The lines of a list: one range, in which segments of peer memory have no line, or, when it was bounced, a range for
 * each entry.
 */
function linesOfList(context: TraceContext, dmaAddrs: readonly number[]): MapLine[] {
  const tried = dmaAddrs.slice(0, SEGMENTS_TRIED);
  let first: MapLine | null = null;
  for (const dma of tried) first ??= openLineAt(context, dma, -1);
  if (first === null) return [];
  const lines = continuedFrom(first, -1);
  const isInside = (dma: number): boolean => lines.some(({ start, end }) => start <= dma && end > dma);
  if (dmaAddrs.length === 1 || dmaAddrs.every(isInside)) return lines;
  for (const dma of dmaAddrs) {
    const line = isInside(dma) ? null : openLineAt(context, dma, -1);
    if (line !== null) lines.push(line);
  }
  return lines;
}

function addTruncatedRest(traced: ReconstructedMapping, lines: readonly MapLine[]): void {
  traced.bytesFrom = 'inferred';
  traced.addRule('sg-truncated');
  const at = traced.pieceDma.length - 1;
  let known = (traced.pieceDma[at] ?? 0) + (traced.pieceBytes[at] ?? 0);
  for (const { start, end, phys } of lines) {
    if (end <= known) continue;
    const from = Math.max(start, known);
    traced.addPiece(from, phys + (from - start), end - from);
    known = end;
  }
}

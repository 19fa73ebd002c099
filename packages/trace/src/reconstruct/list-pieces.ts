// The physical pieces of a list: a line of the API has the DMA segments with their sizes, and the physical beginnings of
// the entries without sizes; segments may be joined. The iommu:map lines say what lies behind each DMA address.
// Source followed: trace_dma_map_sg in include/trace/events/dma.h; __finalise_sg joins entries only where nothing is
// between them.
// Simplified: without map lines, joined entries cannot be told apart, and their memory stays unknown.

import type { MapLine } from './map-line.ts';
import type { ReconstructedMapping } from './reconstructed-mapping.ts';

/** Adds the pieces of all segments. */
export function listPieces(
  traced: ReconstructedMapping,
  dmaAddrs: readonly number[],
  sizes: readonly number[],
  physAddrs: readonly number[],
  lines: readonly MapLine[],
): void {
  const oneToOne = dmaAddrs.length === physAddrs.length;
  let at = 0;
  for (const [index, dma] of dmaAddrs.entries()) {
    const bytes = sizes[index] ?? 0;
    const phys = oneToOne ? (physAddrs[index] ?? -1) : -1;
    while (at < lines.length - 1 && (lines[at]?.end ?? 0) <= dma) at += 1;
    const line = lines[at];
    if (line === undefined || dma < line.start || dma >= line.end) addUnmapped(traced, dma, phys, bytes);
    else if (phys >= 0) addNamed(traced, dma, phys, bytes, line);
    else addTranslated(traced, dma, bytes, lines, at);
  }
}

function addUnmapped(traced: ReconstructedMapping, dma: number, phys: number, bytes: number): void {
  traced.addPiece(dma, phys, bytes);
  if (phys < 0) traced.addRule('phys-unknown');
}

/** The list names the memory of this segment; the map line agrees unless the buffer was bounced. */
function addNamed(
  traced: ReconstructedMapping,
  dma: number,
  phys: number,
  bytes: number,
  line: MapLine,
): void {
  traced.addPiece(dma, phys, bytes);
  if (line.phys + (dma - line.start) !== phys) traced.addRule('bounced');
}

function addTranslated(
  traced: ReconstructedMapping,
  dma: number,
  bytes: number,
  lines: readonly MapLine[],
  from: number,
): void {
  let address = dma;
  const end = dma + bytes;
  for (let at = from; address < end; at += 1) {
    const line = lines[at];
    if (line === undefined || line.start > address) {
      addUnmapped(traced, address, -1, end - address);
      return;
    }
    const until = Math.min(end, line.end);
    if (until <= address) continue;
    traced.addPiece(address, line.phys + (address - line.start), until - address);
    address = until;
  }
}

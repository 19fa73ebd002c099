// ReconstructedMapping: a mapping while it is put together, and what of it is still mapped.
// Followed: a mapping is what one call of the DMA API made, or what one unmap line ends; its lines may be unmapped in
// parts, so that it ends with the last of them.
// Simplified: once announced nothing of what the sink sees changes.

import type { TraceDirection } from '../trace-event.ts';
import type { Provenance, TracedMapping, TracedMappingKind } from '../traced-mapping.ts';
import type { AddressEntry } from './address-entry.ts';
import type { MapLine } from './map-line.ts';
import type { ReconstructionRule } from './reconstruction-rules.ts';

/** Where a mapping was made. */
export interface MappedWhere {
  readonly line: number;
  readonly at: number;
  readonly cpu: number;
  readonly task: string;
}

const noNumbers: number[] = [];
const noRules: ReconstructionRule[] = [];

/** The mapping that the sink sees. */
export class ReconstructedMapping implements TracedMapping {
  readonly kind: TracedMappingKind;
  id = -1;
  device = '';
  deviceFrom: Provenance = 'unknown';
  direction: TraceDirection = '';
  directionFrom: Provenance = 'unknown';
  attrs = '';
  bytesFrom: Provenance = 'recorded';
  dmaAddr = -1;
  bytes = 0;
  pieceDma: number[] = noNumbers;
  piecePhys: number[] = noNumbers;
  pieceBytes: number[] = noNumbers;
  readonly mappedLine: number;
  readonly mappedAt: number;
  readonly mappedCpu: number;
  readonly mappedTask: string;
  rules: ReconstructionRule[] = noRules;

  constructor(kind: TracedMappingKind, where: MappedWhere) {
    this.kind = kind;
    this.mappedLine = where.line;
    this.mappedAt = where.at;
    this.mappedCpu = where.cpu;
    this.mappedTask = where.task;
  }

  /** Most mappings have one piece and few rules: an array that is made with them is a tenth of one that grew. */
  addPiece(dma: number, phys: number, bytes: number): void {
    if (this.pieceDma.length === 0) {
      this.pieceDma = [dma];
      this.piecePhys = [phys];
      this.pieceBytes = [bytes];
    } else {
      this.pieceDma.push(dma);
      this.piecePhys.push(phys);
      this.pieceBytes.push(bytes);
    }
  }

  addRule(rule: ReconstructionRule): void {
    if (!this.rules.includes(rule)) this.rules = [...this.rules, rule];
  }
}

const noLines: MapLine[] = [];

/** What of a mapping is still mapped, and where it is found. */
export class LiveMapping {
  readonly traced: ReconstructedMapping;
  /** Its iommu:map lines; empty without an IOMMU. */
  lines: MapLine[] = noLines;
  /** Bytes of its lines that are still mapped. */
  remaining = 0;
  /** Where it is found by DMA address when it has no lines, and by its first physical address when it is a list. */
  byAddress: AddressEntry | null = null;
  byPhys: AddressEntry | null = null;
  /** What tells a list from others that begin at the same address. */
  list = 0;
  /** Announced as unmapped. */
  ended = false;
  /** Earlier mappings of the same address that nothing ended: as many unmappings may still come. */
  ghosts = 0;
  /** Held as a direct mapping, which nothing need end. */
  held = false;
  older: LiveMapping | null = null;
  newer: LiveMapping | null = null;

  constructor(traced: ReconstructedMapping) {
    this.traced = traced;
  }

  /** Nothing of it is mapped any more. */
  forgetLines(): void {
    this.lines = noLines;
  }
}

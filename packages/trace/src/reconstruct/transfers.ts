// Transfers: mappings that no line of the DMA API names: two-step transfers (dma_iova_*), direct users of the IOMMU, and
// reserved regions. They are put together from the iommu:map lines that stayed open.
// Source followed: iommu_dma_iova_link and drivers/iommu/dma-iommu.c, which trace nothing of their own; VFIO and iommufd
// call iommu_map. `iommu_create_device_direct_mappings` maps reserved regions one to one.
// Simplified: a direct user is known by the name of its task only; under another name its mappings read as transfers.

import type { TracedMappingKind } from '../traced-mapping.ts';
import { inferAs } from './device-knowledge.ts';
import { continuedFrom, ownLines } from './explain-lines.ts';
import type { MapLine } from './map-line.ts';
import { LiveMapping, ReconstructedMapping } from './reconstructed-mapping.ts';
import type { ReconstructionRule } from './reconstruction-rules.ts';
import type { ReconstructionState } from './reconstruction-state.ts';
import { SEVERAL_DEVICES } from './trace-context.ts';
import type { UnmapLine } from './unmap-line.ts';

function kindOf(lines: readonly MapLine[], how: ReconstructionRule): [TracedMappingKind, ReconstructionRule] {
  if (lines[0]?.context.usesIommu === true) return ['iommu-api', 'iommu-api-by-task'];
  for (const { start, phys } of lines) if (start !== phys) return ['two-step', how];
  return ['iommu-api', 'iommu-api-by-identity'];
}

const earlierOf = (a: MapLine, b: MapLine): MapLine => (b.serial < a.serial ? b : a);

/** Makes one mapping of open lines; the rule says what joined them, the unmap line which domain and device they are of. */
export function makeTransfer(
  state: ReconstructionState,
  lines: MapLine[],
  how: 'two-step-by-unmap' | 'two-step-by-contiguity',
  unmap: UnmapLine | null,
): LiveMapping {
  const earliest = lines.reduce(earlierOf);
  const [kind, rule] = kindOf(lines, how);
  const traced = new ReconstructedMapping(kind, earliest);
  const live = new LiveMapping(traced);
  if (lines.length > 1) lines.sort((a, b) => a.start - b.start);
  for (const line of lines) addLine(traced, line);
  traced.dmaAddr = traced.pieceDma[0] ?? -1;
  traced.addRule(rule);
  if (kind === 'two-step') {
    traced.bytesFrom = 'inferred';
    traced.addRule('granule-ends');
  }
  if (state.lost) traced.addRule('lost-events');
  inferAs(traced, bouncedFor(lines), 'device-by-bounce');
  if (unmap !== null) {
    if (unmap.device !== SEVERAL_DEVICES) inferAs(traced, unmap.device, 'device-by-devtlb');
    if (unmap.domain >= 0) earliest.domain = unmap.domain;
  }
  ownLines(state, live, lines);
  return live;
}

const PAGE = 4096;

/** The whole granules of a line, or the memory that its bounce buffer stands for. */
function addLine(traced: ReconstructedMapping, { start, end, phys, bounced }: MapLine): void {
  const pad = bounced === null ? 0 : bounced.phys % PAGE;
  if (bounced === null || pad + bounced.bytes > end - start) {
    traced.addPiece(start, phys, end - start);
    traced.bytes += end - start;
    return;
  }
  traced.addPiece(start + pad, bounced.phys, bounced.bytes);
  traced.bytes += bounced.bytes;
  traced.addRule('bounced');
}

/** The device of all bounce lines before these lines; empty when there is none, or not one. */
function bouncedFor(lines: readonly MapLine[]): string {
  let device = '';
  for (const { bounced } of lines) {
    if (bounced === null || bounced.device === device) continue;
    if (device !== '') return '';
    device = bounced.device;
  }
  return device;
}

/** An open line for which nobody came: it and what continues it in its context are one mapping. */
export function makeTransferByContiguity(state: ReconstructionState, first: MapLine): LiveMapping {
  return makeTransfer(state, continuedFrom(first, -1), 'two-step-by-contiguity', null);
}

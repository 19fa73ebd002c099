// DoubleMaps: a device maps an address that counts as mapped by it. Behind an IOMMU its domain would not hand out the
// address again, so the end of the earlier mapping is missing; without one, the driver left the unmapping out.
// Source followed: the IOVA allocator of a domain; dma_need_unmap in kernel/dma/mapping.c.
// Simplified: only equal first addresses are compared.

import type { MapLine } from './map-line.ts';
import { removeOwner, resolveAsOwner } from './owner-removal.ts';
import type { LiveMapping, MappedWhere } from './reconstructed-mapping.ts';
import type { ReconstructionState } from './reconstruction-state.ts';
import type { UnmapLine } from './unmap-line.ts';

/** Looks for an earlier mapping of the same device at the first line of a new one. */
export function checkDoubleMap(state: ReconstructionState, live: LiveMapping, where: MappedWhere): void {
  const first = live.lines[0];
  if (first === undefined || (state.lines.at(first.start) === first && first.chained === null)) return;
  const { device } = live.traced;
  for (let line = state.lines.at(first.start); line !== null; ) {
    const { owner, chained } = line;
    if (owner !== null && owner !== live && line.start === first.start && owner.traced.device === device) {
      supersede(state, line, owner, live, where);
    }
    line = chained;
  }
}

function supersede(
  state: ReconstructionState,
  line: MapLine,
  owner: LiveMapping,
  by: LiveMapping,
  where: MappedWhere,
): void {
  const waiting = pendingUnmapOf(state, line);
  if (waiting !== null) resolveAsOwner(state, waiting, line);
  else endSuperseded(state, owner, by, where);
}

function endSuperseded(
  state: ReconstructionState,
  earlier: LiveMapping,
  by: LiveMapping,
  { line, at, cpu, task }: MappedWhere,
): void {
  if (!earlier.ended) findDoubleMap(state, by, earlier, { line, at, cpu, task });
  removeOwner(state, earlier, { line, at, cpu, task, from: 'inferred', rules: ['superseded'] });
}

/** An unmap line that waits and can only have meant this line. */
function pendingUnmapOf(state: ReconstructionState, line: MapLine): UnmapLine | null {
  for (let unmap = state.pending.oldest; unmap !== null; unmap = unmap.newer) {
    if (unmap.start <= line.start && unmap.end > line.start && unmap.serial > line.serial) return unmap;
  }
  return null;
}

function findDoubleMap(
  state: ReconstructionState,
  by: LiveMapping,
  earlier: LiveMapping,
  where: MappedWhere,
): void {
  const { device, dmaAddr, bytes } = by.traced;
  const subject = { device, dmaAddr, bytes, mapping: earlier.traced, certain: true };
  state.find('double-map', where, subject, 'the device maps an address that counts as mapped by it already');
}

/** A new mapping without iommu:map lines ends an earlier one of the same device at the same address. */
export function supersedeUntranslated(
  state: ReconstructionState,
  live: LiveMapping,
  isDirect: boolean,
  where: MappedWhere,
): void {
  const { device, dmaAddr } = live.traced;
  for (let entry = state.byAddress.at(dmaAddr); entry !== null; entry = entry.chained) {
    const earlier = entry.live;
    if (entry.start !== dmaAddr || earlier.traced.device !== device) continue;
    if (isDirect) {
      live.ghosts = earlier.ghosts + (earlier.ended ? 0 : 1);
      state.directMappings.giveUp(earlier, where, 'direct-remap');
    } else endSuperseded(state, earlier, live, where);
    return;
  }
}

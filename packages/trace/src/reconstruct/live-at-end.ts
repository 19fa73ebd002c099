// LiveAtEnd: what the trace maps and never unmaps. It may be a leak, a driver that is still at work, or, without an
// IOMMU, a driver that leaves the unmapping out.
// Simplified: one finding for each mapping, in the order of mapping.

import type { LiveMapping } from './reconstructed-mapping.ts';
import type { ReconstructionState } from './reconstruction-state.ts';

/** Enters a finding for each mapping that has not ended. */
export function findLiveAtEnd(state: ReconstructionState): void {
  const left = new Set<LiveMapping>();
  for (const { owner } of state.lines) if (owner !== null && !owner.ended) left.add(owner);
  for (const { live } of state.byAddress) if (!live.ended) left.add(live);
  const inOrder = [...left].sort((a, b) => a.traced.id - b.traced.id);
  for (const live of inOrder) {
    const { traced } = live;
    const where = {
      line: traced.mappedLine,
      at: traced.mappedAt,
      cpu: traced.mappedCpu,
      task: traced.mappedTask,
    };
    const { device, dmaAddr, bytes } = traced;
    const text = live.held
      ? 'mapped without an IOMMU and not unmapped, which a driver may leave out there'
      : 'mapped and not unmapped before the trace ends';
    state.find('live-at-end', where, { device, dmaAddr, bytes, mapping: traced, certain: false }, text);
  }
}

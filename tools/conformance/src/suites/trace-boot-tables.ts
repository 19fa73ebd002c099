// TraceBootTables: page tables with what a trace maps and does not unmap, one for each IOMMU group.
// Source followed: a group has one default domain, which its devices share; iommu_map gets whole granules.
// Simplified: second-stage tables of five levels; the leaves do not depend on the width.

import { alignDown, alignUp, dmaAddr, offsetWithin, PAGE_SIZE, physAddr } from '@sgfree/hw-model';
import { IOMMU_READ, IOMMU_WRITE, iommuMap, VtdSecondStageFormat } from '@sgfree/iommu';
import { IoReconstruction, type TracedMapping, TraceReader } from '@sgfree/trace';
import { liveRows } from './map-debugfs.ts';
import { PageTableRig } from './pgtable-rig.ts';

/** One leaf as a dump shows it. */
export interface TableLeaf {
  readonly pfn: string;
  readonly pte: string;
  /** Levels below it: 0 for a 4 KiB page. */
  readonly level: number;
  /** False when no line tells the direction. */
  readonly permissionsKnown: boolean;
}

const TABLE_BITS = 57;

/** The tables at the end of a trace. */
export class LiveTables {
  readonly #groupOf = new Map<string, string>();
  readonly #live = new Map<string, TracedMapping[]>();
  readonly #leaves = new Map<string, readonly TableLeaf[]>();

  constructor(traceText: string) {
    const live = new Set<TracedMapping>();
    const reconstruction = new IoReconstruction(
      {
        mapped: (mapping) => void live.add(mapping),
        unmapped: (mapping) => void live.delete(mapping),
        finding: () => undefined,
      },
      { lostSoFar: () => reader.tally.lostEvents },
    );
    const reader = new TraceReader((event) => {
      if (event.name === 'add_device_to_group') this.#groupOf.set(event.device, `group ${event.group}`);
      reconstruction.accept(event);
    });
    reader.push(new TextEncoder().encode(traceText));
    reader.end();
    reconstruction.end();
    for (const mapping of live) if (isTranslated(mapping)) this.#enter(mapping);
  }

  #groupName(device: string): string {
    return this.#groupOf.get(device) ?? device;
  }

  #enter(mapping: TracedMapping): void {
    const group = this.#groupName(mapping.device);
    const mappings = this.#live.get(group);
    if (mappings === undefined) this.#live.set(group, [mapping]);
    else mappings.push(mapping);
  }

  /** The leaves of the table that translates for a device, by page frame. */
  leavesOf(device: string): readonly TableLeaf[] {
    const group = this.#groupName(device);
    let leaves = this.#leaves.get(group);
    if (leaves === undefined) {
      leaves = leavesWith(this.#live.get(group) ?? []);
      this.#leaves.set(group, leaves);
    }
    return leaves;
  }

  /** Devices with live mappings whose group has no dump. */
  devicesWithoutDump(dumped: ReadonlySet<string>): string[] {
    const groups = new Set([...dumped].map((device) => this.#groupName(device)));
    return [...this.#live].filter(([group]) => !groups.has(group)).map(([, [first]]) => first?.device ?? '');
  }
}

/** Without an IOMMU in the way the DMA address is the physical one; reserved regions are mapped so on purpose. */
function isTranslated({ kind, pieceDma, piecePhys }: TracedMapping): boolean {
  return kind === 'iommu-api' || pieceDma.some((dma, at) => dma !== piecePhys[at]);
}

function leavesWith(mappings: readonly TracedMapping[]): TableLeaf[] {
  const rig = new PageTableRig({ format: new VtdSecondStageFormat({}), vaBits: TABLE_BITS });
  const unknown: { first: number; last: number }[] = [];
  for (const mapping of mappings) {
    for (const [at, dma] of mapping.pieceDma.entries()) {
      const start = alignDown(dma, PAGE_SIZE);
      const bytes = alignUp(offsetWithin(dma, PAGE_SIZE) + (mapping.pieceBytes[at] ?? 0), PAGE_SIZE);
      const phys = alignDown(mapping.piecePhys[at] ?? 0, PAGE_SIZE);
      if (phys < 0) continue;
      iommuMap(rig.domain, dmaAddr(start), physAddr(phys), bytes, permissionsOf(mapping));
      if (mapping.directionFrom === 'unknown') {
        unknown.push({ first: start / PAGE_SIZE, last: (start + bytes) / PAGE_SIZE - 1 });
      }
    }
  }
  const leaves = liveRows(rig.domain).map(([frame, entry, ...below]): TableLeaf => {
    const number = Number.parseInt(frame, 16);
    const permissionsKnown = !unknown.some(({ first, last }) => number >= first && number <= last);
    return { pfn: `0x${frame}`, pte: entry ?? '', level: below.length, permissionsKnown };
  });
  rig.table.destroy();
  return leaves;
}

function permissionsOf({ direction }: TracedMapping): number {
  if (direction === 'TO_DEVICE') return IOMMU_READ;
  return direction === 'FROM_DEVICE' ? IOMMU_WRITE : IOMMU_READ | IOMMU_WRITE;
}

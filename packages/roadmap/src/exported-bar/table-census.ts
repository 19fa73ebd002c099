// TableCensus: what the exporter's scatterlist tables really contain, looked at when they are handed out and when they come
// back, and the memory of their entry arrays.
// Source followed: struct sg_table of include/linux/scatterlist.h: nents counts DMA segments, orig_nents the CPU's entries.
// Simplified: entry arrays run out only where that is asked for.

import type { DmaBufMappingSgtExpOps } from '@sgfree/dma-buf/sgt';
import type { DmaBufMappingMatch } from '@sgfree/dma-buf/stage-5';
import { type SgArrayAllocator, SgHeap } from '@sgfree/dma-sg';
import type { VfioMapping } from '@sgfree/vfio-dmabuf';
import type { VfioSgTable } from '@sgfree/vfio-dmabuf/stage-6';

/**
 * What was counted.
 * @internal
 */
export interface TableCounts {
  /** Tables handed out, and those among them not given back yet. */
  tables: number;
  tablesOut: number;
  /** DMA segments in them (`nents`), and entries of the CPU's view (`orig_nents`). */
  segments: number;
  cpuEntries: number;
  /** Segments whose entry has no page. */
  withoutPage: number;
  /** Entries that an importer had changed while it had the table: cut to its window, and not told anybody. */
  changed: number;
  /** Tables that came back other than they went. */
  spoiled: number;
  /** Bytes of entry arrays taken over the run. */
  arrayBytes: number;
}

/**
 * Counts tables; also where their entry arrays come from.
 * @internal
 */
export class TableCensus implements SgArrayAllocator {
  readonly counts: TableCounts = {
    tables: 0,
    tablesOut: 0,
    segments: 0,
    cpuEntries: 0,
    withoutPage: 0,
    changed: 0,
    spoiled: 0,
    arrayBytes: 0,
  };
  /** Asked before each entry array; false makes the allocation fail. */
  allocate: () => boolean = () => true;
  readonly #heap = new SgHeap();
  readonly #given = new Map<VfioSgTable, readonly string[]>();

  /** Most bytes of entry arrays that were ever held. */
  peakBytes = 0;

  /** Bytes of entry arrays that are held now. */
  get heldBytes(): number {
    return this.#heap.liveBytes;
  }

  allocArray(entries: number): boolean {
    if (!this.allocate()) return false;
    const before = this.#heap.liveBytes;
    const allocated = this.#heap.allocArray(entries);
    this.counts.arrayBytes += this.#heap.liveBytes - before;
    this.peakBytes = Math.max(this.peakBytes, this.#heap.liveBytes);
    return allocated;
  }

  freeArray(entries: number): void {
    this.#heap.freeArray(entries);
  }

  /** `mapping`, each table of which is counted. */
  counted(mapping: VfioMapping<VfioSgTable>): VfioMapping<VfioSgTable> {
    return {
      map: (attach, priv, dir) => {
        const mapped = mapping.map(attach, priv, dir);
        if (mapped.ok) this.#out(mapped.value);
        return mapped;
      },
      unmap: (attach, table, dir) => {
        this.#back(table);
        mapping.unmap(attach, table, dir);
      },
    };
  }

  /** `offer` of an exporter with mapping types, each table of which is counted. */
  countedOffer(offer: DmaBufMappingMatch): DmaBufMappingMatch {
    const ops = offer.expOps as DmaBufMappingSgtExpOps;
    const out = (table: VfioSgTable): void => this.#out(table);
    const back = (table: VfioSgTable): void => this.#back(table);
    const counted: DmaBufMappingSgtExpOps = {
      *mapDmaBuf(attach, dir) {
        const mapped = yield* ops.mapDmaBuf(attach, dir);
        if (mapped.ok && mapped.value !== null) out(mapped.value);
        return mapped;
      },
      *unmapDmaBuf(attach, table, dir) {
        back(table);
        yield* ops.unmapDmaBuf(attach, table, dir);
      },
    };
    return { ...offer, expOps: counted };
  }

  /** To be called while the importer has its tables: counts the entries it changed in them. */
  lookAtTablesOut(): void {
    for (const [table, given] of this.#given) this.counts.changed += differences(given, segmentsOf(table));
  }

  #out(table: VfioSgTable): void {
    const { counts } = this;
    counts.tables += 1;
    counts.tablesOut += 1;
    counts.segments += table.mappedCount;
    counts.cpuEntries += table.segmentCount;
    for (let sg = 0; sg < table.mappedCount; sg += 1) {
      if ((table.list.pageFrame[sg] ?? -1) < 0) counts.withoutPage += 1;
    }
    this.#given.set(table, segmentsOf(table));
  }

  #back(table: VfioSgTable): void {
    this.counts.tablesOut -= 1;
    const given = this.#given.get(table) ?? [];
    this.#given.delete(table);
    if (differences(given, segmentsOf(table)) > 0) this.counts.spoiled += 1;
  }
}

const segmentsOf = ({ list, mappedCount }: VfioSgTable): string[] =>
  Array.from({ length: mappedCount }, (_, sg) => `${list.dmaAddress[sg]}+${list.dmaLength[sg]}`);

const differences = (before: readonly string[], now: readonly string[]): number =>
  before.filter((segment, sg) => segment !== now[sg]).length;

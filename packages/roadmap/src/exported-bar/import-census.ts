// ImportCensus: what importers that negotiate agreed on, the range lists they were handed, and the warnings that say a table was
// taken instead.
// Source followed: our own; the counterpart of TableCensus on the importer's side.
// Simplified: none.

import { type DmaBufAttachment, type DmaBufAttachOps, DmaRangeList } from '@sgfree/dma-buf/stage-5';
import type { EventLog, ModelTask } from '@sgfree/hw-model';
import type { Outcome } from '@sgfree/mm';
import type { DmabufImport } from '@sgfree/rdma/stage-5';
import { VfioPciDmaBuf } from '@sgfree/vfio-dmabuf/stage-5';
import { countAgreed } from '../agreed-kinds.ts';
import { HeldBytes } from '../held-bytes.ts';
import { rangeListBytes } from '../range-list-size.ts';
import { DeprecationLog } from './deprecation-log.ts';
import type { LentBarMapping } from './lent-bar-mapping.ts';
import type { NegotiatedReport } from './negotiated-report.ts';

type Import = DmabufImport<LentBarMapping>;
type Attached = Outcome<DmaBufAttachment<LentBarMapping>>;

/**
 * What was counted.
 * @internal
 */
export interface ImportCounts {
  /** Attachments by the name of the mapping type that was agreed on. */
  readonly agreed: Record<string, number>;
  /** Range lists handed out, and those among them not given back yet. */
  lists: number;
  listsOut: number;
  /** Ranges in them. */
  entries: number;
}

/** @internal */
export class ImportCensus {
  readonly counts: ImportCounts = { agreed: {}, lists: 0, listsOut: 0, entries: 0 };
  /** Memory of lists. */
  readonly memory: HeldBytes<DmaRangeList> = new HeldBytes();
  #log: DeprecationLog | null = null;

  /** A log in which this census hears the warnings; `listener` gets everything. */
  hearing(listener?: EventLog): EventLog {
    this.#log = new DeprecationLog(listener);
    return this.#log;
  }

  /** `via`, everything that it imports counted. */
  counted(via: Import): Import {
    const { agreed } = this.counts;
    const out = (mapping: LentBarMapping, ranges: number): void => this.#out(mapping, ranges);
    const back = (mapping: LentBarMapping): void => this.#back(mapping);
    return {
      *attach(dmabuf, dev, ops: DmaBufAttachOps<LentBarMapping>, priv): ModelTask<Attached> {
        return countAgreed(agreed, yield* via.attach(dmabuf, dev, ops, priv));
      },
      *map(attach, dir) {
        const mapped = yield* via.map(attach, dir);
        if (mapped.ok) out(mapped.value, rangesOf(attach));
        return mapped;
      },
      *unmap(attach, mapping, dir) {
        yield* via.unmap(attach, mapping, dir);
        back(mapping);
      },
      view: (mapping, start, end) => via.view(mapping, start, end),
    };
  }

  /** What was counted over a run about `operation`. */
  reportOn(operation: NegotiatedReport['operation']): NegotiatedReport {
    const { agreed, lists, entries } = this.counts;
    return {
      operation,
      agreed: { ...agreed },
      rangeLists: lists,
      rangeListEntries: entries,
      rangeListBytes: this.memory.taken,
      rangeListBytesLeft: this.memory.now,
      deprecatedImports: this.#log?.count ?? 0,
    };
  }

  #out(mapping: LentBarMapping, ranges: number): void {
    if (!(mapping instanceof DmaRangeList)) return;
    const { counts } = this;
    counts.lists += 1;
    counts.listsOut += 1;
    counts.entries += mapping.count;
    this.memory.out(mapping, rangeListBytes(ranges));
  }

  #back(mapping: LentBarMapping): void {
    if (!(mapping instanceof DmaRangeList)) return;
    this.counts.listsOut -= 1;
    this.memory.back(mapping);
  }
}

/** Ranges of the buffer, for each of which a list keeps room. */
function rangesOf({ dmabuf }: DmaBufAttachment<LentBarMapping>): number {
  return dmabuf.priv instanceof VfioPciDmaBuf ? dmabuf.priv.physVec.length : 0;
}

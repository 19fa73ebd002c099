// ExportedBarReport: the part of a stage's report that only a run over an exported BAR has: what was exported how, what the
// adapter's table looked like, and how every work request ended.
// Source followed: include/linux/scatterlist.h (struct sg_table); include/rdma/ib_verbs.h (enum ib_wc_status).
// Simplified: one buffer and one region per run.

import type { NegotiatedReport } from './negotiated-report.ts';

/**
 * An exported BAR, its importer and their traffic.
 * @public
 */
export interface ExportedBarReport {
  /** What the importer works on: the exporter's table itself, or addresses and lengths that an adapter reads from it. */
  readonly importer: 'table' | 'ranges';
  /** Scatterlist tables that the exporter handed out, and their DMA segments (`nents`). */
  readonly tables: number;
  readonly tableEntries: number;
  /** Entries of the CPU's view (`orig_nents`): none, since nobody may look for pages. */
  readonly cpuEntries: number;
  /** Segments whose entry has no page. */
  readonly entriesWithoutPage: number;
  /** Entries that the importer had changed in place while it had the table. */
  readonly entriesChanged: number;
  /** Tables that came back other than they went. */
  readonly tablesSpoiled: number;
  /** Bytes of entry arrays taken, and those that outlived their tables. */
  readonly entryArrayBytes: number;
  readonly entryArrayBytesLeft: number;
  /** Bytes of a block of the adapter's region, and blocks in its table; 0 where it was not registered. */
  readonly regionBlockBytes: number;
  readonly regionBlocks: number;
  /** Work requests of the peer, and their completions by status. */
  readonly workRequests: number;
  readonly completions: Readonly<Record<string, number>>;
  /** Payload bytes that the adapter wrote into the BAR and read from it. */
  readonly bytesScattered: number;
  readonly bytesGathered: number;
  readonly pageFaults: number;
  readonly retransmissions: number;
  /** Rules of the kernel's contracts that were broken, each breach by its code. */
  readonly violations: readonly string[];
  /** What exporter and importer agreed on; null where there is nothing to agree on yet. */
  readonly negotiated: NegotiatedReport | null;
}

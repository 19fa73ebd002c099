// NegotiatedReport: the part of a report over an exported BAR that exists from stage 5 on: what exporter and importer agreed
// on, and what crossed between them.
// Source followed: the RFC's mapping types; the sizes of a range list are our own (40 bytes, and 16 for each range of the buffer).
// Simplified: none.

/**
 * What was agreed on, and what was handed out instead of a table.
 * @public
 */
export interface NegotiatedReport {
  /** Whether the run is about the operation without scatterlist, or about the deprecated one beside it. */
  readonly operation: 'range-list' | 'deprecated';
  /** Attachments by the name of the mapping type that both sides have. */
  readonly agreed: Readonly<Record<string, number>>;
  /** Range lists handed out. */
  readonly rangeLists: number;
  /** Entries of all of them. */
  readonly rangeListEntries: number;
  /** Bytes that tracking them took: state and entries. */
  readonly rangeListBytes: number;
  /** Bytes of lists that were not given back. */
  readonly rangeListBytesLeft: number;
  /** Imports that warned of the deprecated operation. */
  readonly deprecatedImports: number;
}

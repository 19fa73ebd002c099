// A remark: something a dump does not show, shows twice or shows wrongly, and what that does to the answers.
// Source followed: the rule that what cannot be seen is unknown, never off.
// Tests and programs match on the code; the sentences are for people.
// Simplified: one line number per remark, that of the later of two places that disagree.

/**
 * What kind of thing was noticed.
 * @public
 */
export type TopologyRemarkCode =
  | 'capabilities-hidden'
  | 'config-truncated'
  | 'extended-space-hidden'
  | 'acs-incomplete'
  | 'missing-among-equals'
  | 'block-cut-off'
  | 'bus-without-bridge'
  | 'bus-claimed-twice'
  | 'bus-numbers-invalid'
  | 'bytes-and-text-differ'
  | 'state-changed'
  | 'windows-overlap'
  | 'address-out-of-range'
  | 'capability-loop'
  | 'function-gone'
  | 'partial-source'
  | 'nested-differently'
  | 'line-not-understood';

/**
 * Something a reader noticed.
 * @public
 */
export interface TopologyRemark {
  readonly code: TopologyRemarkCode;
  /** File of the input where it has several, else ''. */
  readonly file: string;
  /** Line of that file, from 1; 0 when there is none. */
  readonly line: number;
  /** The function it is about, as printed, or ''. */
  readonly device: string;
  /** What was seen. */
  readonly what: string;
  /** What follows for the answers. */
  readonly consequence: string;
}

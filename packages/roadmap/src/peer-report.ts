// PeerReport: the part of a stage's report that only a run with its data in a peer's BAR has.
// Source followed: drivers/pci/p2pdma.c (map types); mm/memremap.c: a page given to a BAR costs a struct page of 64 bytes.
// Simplified: one provider per run.

import type { P2pdmaMapType } from '@sgfree/p2p/stage-2';
import type { UntranslatedWay } from './untranslated-way.ts';

/**
 * Who moved data to whom, what the kernel decided, and what describing the BAR cost.
 * @public
 */
export interface PeerReport {
  /** The function that issues the requests, and the one whose BAR holds the data, as the kernel names them. */
  readonly initiator: string;
  readonly target: string;
  readonly bar: number;
  readonly barBytes: number;
  /** What the kernel decides for the pair. */
  readonly mapType: P2pdmaMapType;
  /** Where the fabric's registers send requests of the initiator to the target that nothing translates. */
  readonly untranslatedWay: UntranslatedWay;
  /** `pci_p2pdma_distance` of the pair; -1 when the kernel supports no request. */
  readonly distance: number;
  /** Pages of the BAR that hold data in this run. */
  readonly barPagesUsed: number;
  /** I/Os of the list that were not run because the BAR is too small for one of them. */
  readonly iosLeftOut: number;
  /** `struct page` made for the BAR, and the RAM they take in bytes; 0 where the BAR has none. */
  readonly structPages: number;
  readonly structPageBytes: number;
  /** Requests that were refused when they were mapped, by block status; none but for a pair that is not supported. */
  readonly refusals: Readonly<Record<string, number>>;
  /** Bytes of refused I/Os that were compared, in the BAR and on the disk, and found as they were before. */
  readonly bytesUntouched: number;
}

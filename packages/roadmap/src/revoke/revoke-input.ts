// RevokeInput: who lends memory to whom, how it is taken back, and where everybody sits.
// Source followed: the triggers of a revoke in drivers/vfio/pci (device reset, function-level reset by register, memory
// decoding off, last close) and the three ways in which RDMA imports a dma-buf (drivers/infiniband/core/umem_dmabuf.c).
// Simplified: one buffer; every importer is a memory region of the same NIC with a queue pair of its own.

import type { PeerPlace } from '../peer-tree-site.ts';

/**
 * How the owner takes its memory back: VFIO_DEVICE_RESET; a function-level reset through a register; memory decoding off, and
 * on again later; the last close.
 * @public
 */
export type RevokeTrigger = 'reset' | 'flr' | 'memory-off' | 'close';

/**
 * The triggers in the order of reports.
 * @public
 */
export const REVOKE_TRIGGERS: readonly RevokeTrigger[] = ['reset', 'flr', 'memory-off', 'close'];

/**
 * How a region imports the buffer. `dynamic`: follows the exporter, faults bring it back. `pinned-revocable`: gives the
 * memory back once, for ever. `pinned`: cannot be revoked, and is refused. `keeps-mapping`: breaks the contract: it is told,
 * and goes on.
 * @public
 */
export type RevokeImporterKind = 'dynamic' | 'pinned-revocable' | 'pinned' | 'keeps-mapping';

/**
 * The kinds in the order of reports.
 * @public
 */
export const REVOKE_IMPORTER_KINDS: readonly RevokeImporterKind[] = [
  'dynamic',
  'pinned-revocable',
  'pinned',
  'keeps-mapping',
];

/**
 * How regions get at the memory: `table`: by the scatterlist operation, as Linux 7.3.4 does at stage 6. `range-list`: by the one
 * without scatterlist of stage 5. `deprecated`: the import of stage 5 at an exporter of tables, where it falls back and warns.
 * @public
 */
export type RevokeOperation = 'table' | 'range-list' | 'deprecated';

/**
 * Faults that can be put in on purpose, each against one check of the verdict.
 * @public
 */
export const REVOKE_PLANTS = [
  'importer-never-unmaps',
  'importer-unmaps-at-work',
  'exporter-does-not-wait',
  'late-write',
  'lost-completion',
  'wrong-byte',
  'pinned-comes-back',
  'dynamic-stays-away',
  'mapping-leaked',
] as const;

/**
 * The name of a fault.
 * @public
 */
export type RevokePlant = (typeof REVOKE_PLANTS)[number];

/**
 * What a run is made with.
 * @public
 */
export interface RevokeInput {
  readonly trigger: RevokeTrigger;
  /** One region each, 1 to 4. */
  readonly importers: readonly RevokeImporterKind[];
  /** Where the owner's device sits, seen from the NIC. */
  readonly place: PeerPlace;
  readonly iommu: boolean;
  /** Seed of the data and of the order of events. */
  readonly seed: number;
  /** What crosses from exporter to importer; default `table`. */
  readonly op?: RevokeOperation;
  /** Work requests of each region, writes and reads in turn. Default 24. */
  readonly jobs?: number;
  /** Bytes of a work request, a multiple of 4. Default 1024. */
  readonly jobBytes?: number;
  /** Completions of all regions after which the owner acts. Default a quarter of the work requests. */
  readonly actAfter?: number;
  /** Clock steps after which an owner that still waits counts as hung. Default 2,000. */
  readonly hangSteps?: number;
  readonly plant?: RevokePlant;
}

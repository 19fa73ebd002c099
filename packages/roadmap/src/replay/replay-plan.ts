// ReplayPlan: which runs a trace is replayed in. A run is one stage of the road under one mode of the IOMMU.
// Source followed: the kernel's parameters iommu.strict=1, iommu.strict=0 and iommu.passthrough=1.
// Simplified: stages 0 and 1, which differ in how a transfer of several pieces is mapped.

/**
 * Mode of the IOMMU: unmapped addresses are flushed at once, flushed later together, or not translated at all.
 * @public
 */
export type ReplayMode = 'strict' | 'lazy' | 'passthrough';

/**
 * Stage of the road: 0 = transfers of several pieces go through a scatterlist, 1 = through the two-step API.
 * @public
 */
export type ReplayStage = 0 | 1;

/**
 * Every mode, in the order of reports.
 * @public
 */
export const REPLAY_MODES: readonly ReplayMode[] = ['strict', 'lazy', 'passthrough'];

/**
 * Every stage, in the order of reports.
 * @public
 */
export const REPLAY_STAGES: readonly ReplayStage[] = [0, 1];

/**
 * What is replayed and how.
 * @public
 */
export interface ReplayPlan {
  /** Stages to run; all by default. */
  readonly stages?: readonly ReplayStage[];
  /** Modes to run; all by default. */
  readonly modes?: readonly ReplayMode[];
  /** The only device whose mappings are replayed, e.g. `0000:01:00.0`; null, the default, = every device. */
  readonly device?: string | null;
}

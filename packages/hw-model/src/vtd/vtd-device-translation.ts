// VtdDeviceTranslation: what the context (and PASID) tables say about one function, as the unit caches it.
// Source followed: VT-d specification 3.4 (mapping devices to domains) and 6.2.3 (context cache).
// Simplified: in scalable mode the context entry and the entry of its RID_PASID are cached as one.

import type { WalkFormat } from '../iommu-unit/walk-format.ts';
import { WalkOutcome } from '../iommu-unit/walk-format.ts';
import { VtdFaultReason } from './vtd-fault-reason.ts';

/**
 * How requests of a function are treated: which tables they go through, if any, and which fault codes apply.
 * @public
 */
export type VtdTranslationKind = 'pass-through' | 'legacy' | 'second-stage' | 'first-stage';

/**
 * The cached answer of the device tables for one function.
 * @public
 */
export interface VtdDeviceTranslation {
  readonly sourceId: number;
  readonly kind: VtdTranslationKind;
  /** Domain id that tags every cached translation. */
  readonly domain: number;
  /** Page frame of the top page table. */
  readonly rootFrame: number;
  /** Level of the top table: 2, 3 or 4 for 3-, 4- and 5-level tables. */
  readonly topLevel: number;
  /** First page frame beyond the address width. */
  readonly limitFrame: number;
  readonly format: WalkFormat;
  /** FPD: faults of this function leave no record. */
  readonly suppressFaults: boolean;
}

/**
 * The fault reason for a walk that ended in `outcome`; `granted` are the permissions left at that point.
 * @internal
 */
export function walkFaultReason(
  kind: VtdTranslationKind,
  outcome: WalkOutcome,
  write: boolean,
  granted: number,
): VtdFaultReason {
  const missing = outcome === WalkOutcome.notPresent;
  if (kind === 'first-stage') {
    if (outcome === WalkOutcome.unreadableTable) return VtdFaultReason.firstStageUnreadable;
    if (outcome === WalkOutcome.reservedBit) return VtdFaultReason.firstStageReserved;
    if (missing) return VtdFaultReason.firstStageNotPresent;
    if (granted === 0) return VtdFaultReason.userDenied;
    return write ? VtdFaultReason.firstStageWriteDenied : VtdFaultReason.firstStageReadDenied;
  }
  if (kind === 'second-stage') {
    if (outcome === WalkOutcome.unreadableTable) return VtdFaultReason.secondStageUnreadable;
    if (outcome === WalkOutcome.reservedBit) return VtdFaultReason.secondStageReserved;
    return VtdFaultReason.secondStageDenied;
  }
  if (outcome === WalkOutcome.unreadableTable) return VtdFaultReason.nextTableUnreadable;
  if (outcome === WalkOutcome.reservedBit) return VtdFaultReason.pagingEntryReserved;
  return write ? VtdFaultReason.writeNotPermitted : VtdFaultReason.readNotPermitted;
}

// lookupLegacyContext: reads root and context entry of one function in legacy mode.
// Source followed: VT-d specification 9.1 (root entry), 9.3 (context entry), 7.1.3 (fault conditions 1 to 3 and 8 to 11).
// Both tables are 256 entries of 16 bytes; TT 0 and 1 walk second-stage tables, TT 2 passes addresses through.
// Simplified: requests that are already translated, and translation requests of ATS, do not exist.

import { physOfFrame } from '../addresses.ts';
import { entryFrame, type WalkFormat } from '../iommu-unit/walk-format.ts';
import type { PhysicalMemory } from '../physical-memory.ts';
import type { VtdCapabilities } from './vtd-capabilities.ts';
import type { VtdDeviceTranslation } from './vtd-device-translation.ts';
import { VtdFaultReason } from './vtd-fault-reason.ts';

/**
 * A refused look-up: the reason, and whether the entry forbids recording it (FPD).
 * @internal
 */
export interface VtdLookupFault {
  readonly reason: VtdFaultReason;
  readonly suppressFaults: boolean;
}

/**
 * What a look-up needs to know of its unit.
 * @internal
 */
export interface VtdLookupContext {
  readonly memory: PhysicalMemory;
  readonly capabilities: VtdCapabilities;
  readonly secondStage: WalkFormat;
  readonly firstStage: WalkFormat;
  /** Mask of the high word's address bits beyond the host address width. */
  readonly addressBitsBeyond: number;
}

const PRESENT = 1;
const FAULT_PROCESSING_DISABLE = 2;
const TYPE_DEVICE_TLB = 1;
const TYPE_PASS_THROUGH = 2;

/**
 * A fault that is recorded.
 * @internal
 */
export const recorded = (reason: VtdFaultReason): VtdLookupFault => ({ reason, suppressFaults: false });

/**
 * Address width of tables with `levels` levels: 39, 48 or 57 bits.
 * @internal
 */
export const tableWidth = (levels: number): number => 12 + 9 * levels;

/**
 * First page frame beyond the narrower of the table width and the unit's guest address width.
 * @internal
 */
export const limitFrame = (levels: number, capabilities: VtdCapabilities): number =>
  2 ** (Math.min(tableWidth(levels), capabilities.maxGuestWidth) - 12);

/**
 * True when CAP.SAGAW offers tables of `levels` levels.
 * @internal
 */
export const levelsSupported = (levels: number, capabilities: VtdCapabilities): boolean =>
  levels >= 3 && levels <= 5 && ((capabilities.adjustedWidths >>> (levels - 2)) & 1) === 1;

/**
 * Looks `sourceId` up below the root table in page frame `rootFrame`.
 * @internal
 */
export function lookupLegacyContext(
  context: VtdLookupContext,
  rootFrame: number,
  sourceId: number,
): VtdDeviceTranslation | VtdLookupFault {
  const { memory } = context;
  if (!memory.isRam(physOfFrame(rootFrame), 4096)) return recorded(VtdFaultReason.rootUnreadable);
  const root = memory.frameWords(rootFrame).subarray((sourceId >>> 8) * 4, (sourceId >>> 8) * 4 + 4);
  const rootLow = root[0] as number;
  const rootHigh = root[1] as number;
  if ((rootLow & PRESENT) === 0) return recorded(VtdFaultReason.rootNotPresent);
  const rootReserved = (rootLow & 0xffe) | (rootHigh & context.addressBitsBeyond) | (rootHigh & 0xfff00000);
  if ((rootReserved | (root[2] as number) | (root[3] as number)) !== 0) {
    return recorded(VtdFaultReason.rootReserved);
  }
  const tableFrame = entryFrame(rootLow, rootHigh);
  if (!memory.isRam(physOfFrame(tableFrame), 4096)) return recorded(VtdFaultReason.contextUnreadable);
  const slot = (sourceId & 0xff) * 4;
  return decodeLegacyContext(context, sourceId, memory.frameWords(tableFrame).subarray(slot, slot + 4));
}

function decodeLegacyContext(
  context: VtdLookupContext,
  sourceId: number,
  entry: Uint32Array,
): VtdDeviceTranslation | VtdLookupFault {
  const { capabilities } = context;
  const low = entry[0] as number;
  const lowHigh = entry[1] as number;
  const high = entry[2] as number;
  const suppressFaults = (low & FAULT_PROCESSING_DISABLE) !== 0;
  const refused = (reason: VtdFaultReason): VtdLookupFault => ({ reason, suppressFaults });
  if ((low & PRESENT) === 0) return refused(VtdFaultReason.contextNotPresent);
  const addressReserved = (lowHigh & context.addressBitsBeyond) | (lowHigh & 0xfff00000);
  const reserved = (low & 0xff0) | (high & 0xff000080) | (entry[3] as number);
  const type = (low >>> 2) & 3;
  const domain = (high >>> 8) & 0xffff;
  // A unit with fewer than 2^16 domain ids reserves the upper bits of the field.
  if (
    reserved !== 0 ||
    domain >= capabilities.domainCount ||
    (type !== TYPE_PASS_THROUGH && addressReserved !== 0)
  ) {
    return refused(VtdFaultReason.contextReserved);
  }
  const levels = (high & 7) + 2;
  const typeSupported =
    type === 0 ||
    (type === TYPE_DEVICE_TLB && capabilities.deviceTlb) ||
    (type === TYPE_PASS_THROUGH && capabilities.passThrough);
  if (!typeSupported || !levelsSupported(levels, capabilities)) return refused(VtdFaultReason.contextInvalid);
  return {
    sourceId,
    kind: type === TYPE_PASS_THROUGH ? 'pass-through' : 'legacy',
    domain,
    rootFrame: entryFrame(low, lowHigh),
    topLevel: levels - 1,
    limitFrame: limitFrame(levels, capabilities),
    format: context.secondStage,
    suppressFaults,
  };
}

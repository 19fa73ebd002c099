// lookupScalableContext: reads root, context, PASID directory and PASID entry of one function in scalable mode.
// Source followed: VT-d specification 9.2 (scalable root), 9.4 (scalable context), 9.5 and 9.6 (PASID directory and table).
// Requests carry no PASID here, so that the PASID used is the context entry's RID_PASID.
// Simplified: no nested translation, no page requests, no supervisor or execute requests.

import { physOfFrame } from '../addresses.ts';
import { entryFrame } from '../iommu-unit/walk-format.ts';
import type { VtdDeviceTranslation } from './vtd-device-translation.ts';
import { VtdFaultReason } from './vtd-fault-reason.ts';
import {
  levelsSupported,
  limitFrame,
  recorded,
  tableWidth,
  type VtdLookupContext,
  type VtdLookupFault,
} from './vtd-legacy-lookup.ts';

const PRESENT = 1;
const FAULT_PROCESSING_DISABLE = 2;
const FIRST_STAGE = 1;
const SECOND_STAGE = 2;
const PASS_THROUGH = 4;

/**
 * Looks `sourceId` up below the scalable-mode root table in page frame `rootFrame`.
 * @internal
 */
export function lookupScalableContext(
  context: VtdLookupContext,
  rootFrame: number,
  sourceId: number,
): VtdDeviceTranslation | VtdLookupFault {
  // A root entry is two halves of 8 bytes: devfn 0x00-0x7f and 0x80-0xff, each a table of 128 entries of 32 bytes.
  const half = (sourceId >>> 7) & 0x1ff;
  const root = readWords(context, rootFrame, half * 2, 2);
  if (root === undefined) return recorded(VtdFaultReason.scalableRootUnreadable);
  const rootLow = root[0] as number;
  if ((rootLow & PRESENT) === 0) return recorded(VtdFaultReason.scalableRootNotPresent);
  if ((rootLow & 0xffe) !== 0) return recorded(VtdFaultReason.scalableRootReserved);
  const entry = readWords(context, entryFrame(rootLow, root[1] as number), (sourceId & 0x7f) * 8, 8);
  if (entry === undefined) return recorded(VtdFaultReason.scalableContextUnreadable);
  const low = entry[0] as number;
  const suppressFaults = (low & FAULT_PROCESSING_DISABLE) !== 0;
  if ((low & PRESENT) === 0) return { reason: VtdFaultReason.scalableContextNotPresent, suppressFaults };
  const pasid = (entry[2] as number) & 0xfffff;
  return lookupPasid(context, sourceId, entryFrame(low, entry[1] as number), pasid, suppressFaults);
}

function lookupPasid(
  context: VtdLookupContext,
  sourceId: number,
  directoryFrame: number,
  pasid: number,
  contextSuppresses: boolean,
): VtdDeviceTranslation | VtdLookupFault {
  const refusedBefore = (reason: VtdFaultReason): VtdLookupFault => ({
    reason,
    suppressFaults: contextSuppresses,
  });
  const slot = pasid >>> 6;
  const directory = readWords(context, directoryFrame + (slot >>> 9), (slot & 0x1ff) * 2, 2);
  if (directory === undefined) return refusedBefore(VtdFaultReason.pasidDirectoryUnreadable);
  const low = directory[0] as number;
  if ((low & PRESENT) === 0) return refusedBefore(VtdFaultReason.pasidDirectoryNotPresent);
  if ((low & 0xffc) !== 0) return refusedBefore(VtdFaultReason.pasidDirectoryReserved);
  const entry = readWords(context, entryFrame(low, directory[1] as number), (pasid & 0x3f) * 16, 16);
  if (entry === undefined) return refusedBefore(VtdFaultReason.pasidTableUnreadable);
  const suppressFaults = contextSuppresses || ((entry[0] as number) & FAULT_PROCESSING_DISABLE) !== 0;
  const found = decodePasidEntry(context, sourceId, entry);
  return typeof found === 'number' ? { reason: found, suppressFaults } : { ...found, suppressFaults };
}

function decodePasidEntry(
  context: VtdLookupContext,
  sourceId: number,
  entry: Uint32Array,
): VtdDeviceTranslation | VtdFaultReason {
  const { capabilities } = context;
  const low = entry[0] as number;
  if ((low & PRESENT) === 0) return VtdFaultReason.pasidNotPresent;
  const type = (low >>> 6) & 7;
  const domain = (entry[2] as number) & 0xffff;
  const suppressFaults = false;
  if (type === FIRST_STAGE) {
    const wide = ((entry[4] as number) & 0xc) === 4;
    if (!capabilities.scalableFirstStage || (wide && !capabilities.firstStage5Level)) {
      return VtdFaultReason.pasidInvalid;
    }
    const levels = wide ? 5 : 4;
    return {
      sourceId,
      kind: 'first-stage',
      domain,
      rootFrame: entryFrame(entry[4] as number, entry[5] as number),
      topLevel: levels - 1,
      // Only the lower canonical half exists among the model's addresses.
      limitFrame: 2 ** (tableWidth(levels) - 1 - 12),
      format: context.firstStage,
      suppressFaults,
    };
  }
  const levels = ((low >>> 2) & 7) + 2;
  const supported = type === PASS_THROUGH ? capabilities.passThrough : capabilities.scalableSecondStage;
  const known = type === PASS_THROUGH || type === SECOND_STAGE;
  if (!known || !supported || !levelsSupported(levels, capabilities)) return VtdFaultReason.pasidInvalid;
  return {
    sourceId,
    kind: type === PASS_THROUGH ? 'pass-through' : 'second-stage',
    domain,
    rootFrame: entryFrame(low, entry[1] as number),
    topLevel: levels - 1,
    limitFrame: limitFrame(levels, capabilities),
    format: context.secondStage,
    suppressFaults,
  };
}

function readWords(
  context: VtdLookupContext,
  frame: number,
  first: number,
  count: number,
): Uint32Array | undefined {
  if (!context.memory.isRam(physOfFrame(frame), 4096)) return undefined;
  return context.memory.frameWords(frame).subarray(first, first + count);
}

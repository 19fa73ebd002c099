// lookupScalableContext: reads root, context, PASID directory and PASID entry of one function in scalable mode.
// Source followed: VT-d specification 9.2 (scalable root), 9.4 (scalable context), 9.5 and 9.6 (PASID directory and table).
// Requests carry no PASID here, so that the PASID used is the context entry's RID_PASID.
// Simplified: no nested translation, no page requests, no supervisor or execute requests; of a PASID entry only its first
// word and domain id are searched for reserved bits.

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
const CONTEXT_DEVICE_TLB = 4;
/** Reserved in every context entry: bits 8:5 of the first word, bits 31:21 of the third, everything behind it. */
const CONTEXT_RESERVED_LOW = 0x1e0;
const CONTEXT_RESERVED_PASID = 0xffe00000;
/** Reserved in every PASID entry: bits 11:10 of the first word. */
const PASID_RESERVED_LOW = 0xc00;
/** A directory of size code 0 has 2^7 entries, each of 2^6 PASIDs. */
const LEAST_PASID_BITS = 13;
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
  const rootHigh = root[1] as number;
  if (((rootLow & 0xffe) | beyondHost(context, rootHigh)) !== 0) {
    return recorded(VtdFaultReason.scalableRootReserved);
  }
  const entry = readWords(context, entryFrame(rootLow, rootHigh), (sourceId & 0x7f) * 8, 8);
  if (entry === undefined) return recorded(VtdFaultReason.scalableContextUnreadable);
  const low = entry[0] as number;
  const suppressFaults = (low & FAULT_PROCESSING_DISABLE) !== 0;
  const reason = contextFault(context, entry);
  if (reason !== null) return { reason, suppressFaults };
  return lookupPasid(context, sourceId, entryFrame(low, entry[1] as number), ridPasid(entry), suppressFaults);
}

/** RID_PASID: the PASID that requests without one are given. */
const ridPasid = (entry: Uint32Array): number => (entry[2] as number) & 0xfffff;

/** What forbids the use of a context entry; null = nothing. */
function contextFault(context: VtdLookupContext, entry: Uint32Array): VtdFaultReason | null {
  const low = entry[0] as number;
  if ((low & PRESENT) === 0) return VtdFaultReason.scalableContextNotPresent;
  const deviceTlb = context.capabilities.deviceTlb ? 0 : low & CONTEXT_DEVICE_TLB;
  const pasidWord = (entry[2] as number) & CONTEXT_RESERVED_PASID;
  const reserved = (low & CONTEXT_RESERVED_LOW) | deviceTlb | beyondHost(context, entry[1] as number);
  if ((reserved | pasidWord) !== 0 || entry.subarray(3).some((word) => word !== 0)) {
    return VtdFaultReason.scalableContextReserved;
  }
  const pasidBits = LEAST_PASID_BITS + ((low >>> 9) & 7);
  return ridPasid(entry) >= 2 ** pasidBits ? VtdFaultReason.ridPasidInvalid : null;
}

/** Bits of an entry's high word that no address of this platform has. */
const beyondHost = (context: VtdLookupContext, high: number): number =>
  (high & context.addressBitsBeyond) | (high & 0xfff00000);

function lookupPasid(
  context: VtdLookupContext,
  sourceId: number,
  directoryFrame: number,
  pasid: number,
  contextSuppresses: boolean,
): VtdDeviceTranslation | VtdLookupFault {
  const slot = pasid >>> 6;
  const directory = readWords(context, directoryFrame + (slot >>> 9), (slot & 0x1ff) * 2, 2);
  if (directory === undefined) {
    return { reason: VtdFaultReason.pasidDirectoryUnreadable, suppressFaults: contextSuppresses };
  }
  const low = directory[0] as number;
  const high = directory[1] as number;
  const directorySuppresses = contextSuppresses || (low & FAULT_PROCESSING_DISABLE) !== 0;
  const refused = (reason: VtdFaultReason): VtdLookupFault => ({
    reason,
    suppressFaults: directorySuppresses,
  });
  if ((low & PRESENT) === 0) return refused(VtdFaultReason.pasidDirectoryNotPresent);
  if (((low & 0xffc) | beyondHost(context, high)) !== 0) {
    return refused(VtdFaultReason.pasidDirectoryReserved);
  }
  const entry = readWords(context, entryFrame(low, high), (pasid & 0x3f) * 16, 16);
  if (entry === undefined) return refused(VtdFaultReason.pasidTableUnreadable);
  const suppressFaults = directorySuppresses || ((entry[0] as number) & FAULT_PROCESSING_DISABLE) !== 0;
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
  if ((low & PASID_RESERVED_LOW) !== 0 || domain >= capabilities.domainCount) {
    return VtdFaultReason.pasidReserved;
  }
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

// lookupAmdDevice: reads and decodes the device table entry of one function.
// Source followed: AMD I/O Virtualization Technology specification 2.2.2 (device table entry), 2.5.2 and 2.5.4 (events).
// An entry is 32 bytes. V clear lets everything through; V with TV and Mode 1 to 6 translates; V alone, or Mode 0, leaves
// addresses as they are and IR and IW to decide.
// HAD is 1 for accessed bits, 3 for accessed and dirty bits; a unit without the feature does not look at it.
// Simplified: HAD 2, which is reserved, counts as 0; of the reserved bits those of the first quadword are looked at; guest tables are not walked.

import { physOfFrame } from '../addresses.ts';
import { ACCESS_READ, ACCESS_WRITE, addressBitsBeyond, entryFrame } from '../iommu-unit/walk-format.ts';
import type { PhysicalMemory } from '../physical-memory.ts';
import type { AmdDeviceTranslation } from './amd-device-translation.ts';
import { AmdEventFlag, AmdEventType } from './amd-event.ts';

/**
 * A refused look-up: the event it causes. `tableAddress` is where the entry lies, when that is what the event names.
 * @internal
 */
export interface AmdLookupFault {
  readonly type: number;
  readonly flags: number;
  readonly tableAddress?: number;
}

/**
 * What a look-up needs to know of its unit.
 * @internal
 */
export interface AmdLookupContext {
  readonly memory: PhysicalMemory;
  /** Levels of host tables that the unit walks. */
  readonly hostLevels: number;
  /** The unit can mark leaves accessed, and dirty. */
  readonly hostAccessed: boolean;
  readonly hostDirty: boolean;
  /** Physical address bits of the platform. */
  readonly hostAddressWidth: number;
}

/**
 * Bytes of a device table entry.
 * @public
 */
export const AMD_DEVICE_ENTRY_BYTES = 32;

const PAGE = 4096;
const VALID = 1;
const TRANSLATION_VALID = 2;
const LOW_RESERVED = 0x7c;
const HAD_SHIFT = 7;
const HIGH_RESERVED = 0x80000000;
/** IR is bit 61 and IW bit 62: bits 29 and 30 of the high word. */
const PERMISSION_SHIFT = 29;
/** Bits 33 and 34 of the second quadword. */
const SUPPRESS_LATER = 2;
const SUPPRESS_ALL = 4;

const illegal = (flags: number): AmdLookupFault => ({ type: AmdEventType.illegalDeviceTableEntry, flags });

/**
 * Looks `deviceId` up in the device table of `tableBytes` bytes from page frame `tableFrame` on.
 * @internal
 */
export function lookupAmdDevice(
  context: AmdLookupContext,
  tableFrame: number,
  tableBytes: number,
  deviceId: number,
): AmdDeviceTranslation | AmdLookupFault {
  const offset = deviceId * AMD_DEVICE_ENTRY_BYTES;
  if (offset >= tableBytes) return illegal(0);
  const frame = tableFrame + Math.floor(offset / PAGE);
  if (!context.memory.isRam(physOfFrame(frame), PAGE)) {
    const flags = AmdEventFlag.masterAbort;
    const tableAddress = tableFrame * PAGE + offset;
    return { type: AmdEventType.deviceTableHardwareError, flags, tableAddress };
  }
  const at = (offset & (PAGE - 1)) >>> 2;
  return decodeEntry(context, deviceId, context.memory.frameWords(frame).subarray(at, at + 8));
}

function decodeEntry(
  context: AmdLookupContext,
  deviceId: number,
  entry: Uint32Array,
): AmdDeviceTranslation | AmdLookupFault {
  const low = entry[0] as number;
  const high = entry[1] as number;
  const control = entry[3] as number;
  const valid = (low & VALID) !== 0;
  const had = (low >>> HAD_SHIFT) & 3;
  const mode = (low & TRANSLATION_VALID) === 0 ? 0 : (low >>> 9) & 7;
  if (valid) {
    const beyond = high & addressBitsBeyond(context.hostAddressWidth);
    if (((low & LOW_RESERVED) | (high & HIGH_RESERVED) | (mode === 0 ? 0 : beyond)) !== 0) {
      return illegal(AmdEventFlag.reserved);
    }
    if (mode > context.hostLevels) return illegal(0);
  }
  return {
    deviceId,
    kind: valid ? (mode === 0 ? 'identity' : 'paging') : 'untranslated',
    domain: (entry[2] as number) & 0xffff,
    rootFrame: entryFrame(low, high),
    topLevel: mode - 1,
    limitFrame: 512 ** mode,
    permissions: (high >>> PERMISSION_SHIFT) & (ACCESS_READ | ACCESS_WRITE),
    marksAccessed: context.hostAccessed && (had & 1) !== 0,
    marksDirty: context.hostDirty && had === 3,
    suppressAll: (control & SUPPRESS_ALL) !== 0,
    suppressLater: (control & SUPPRESS_LATER) !== 0,
    faultLogged: false,
  };
}

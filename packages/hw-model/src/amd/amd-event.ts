// AmdEventType and AmdEventFlag: the numbers inside event log entries, shared by unit and software.
// Source followed: AMD I/O Virtualization Technology specification 2.5 (event logging), tables of the entry formats.
// Simplified: no PPR, guest, counter or RMP events; the type field of hardware errors is always "master abort".

/**
 * Event codes (bits 31:28 of the second word).
 * @public
 */
export const AmdEventType = {
  illegalDeviceTableEntry: 1,
  ioPageFault: 2,
  deviceTableHardwareError: 3,
  pageTableHardwareError: 4,
  illegalCommand: 5,
  commandHardwareError: 6,
  iotlbInvalidationTimeout: 7,
  invalidDeviceRequest: 8,
} as const;

/**
 * Bits of the 12-bit flags (bits 27:16 of the second word).
 * @public
 */
export const AmdEventFlag = {
  guestNested: 0x001,
  noExecute: 0x002,
  user: 0x004,
  interrupt: 0x008,
  present: 0x010,
  write: 0x020,
  permission: 0x040,
  reserved: 0x080,
  translation: 0x100,
  /** Hardware errors: the access met a master abort. */
  masterAbort: 0x200,
} as const;

/**
 * Bytes of an event log entry.
 * @public
 */
export const AMD_EVENT_BYTES = 16;

// VtdFaultReason: the codes a VT-d unit writes into bits 103:96 of a fault record.
// Source followed: VT-d specification 7.1.3 (fault conditions) and appendix A; the sentences are those of no document.
// Simplified: only the reasons that the modelled parts can raise.

/**
 * Fault reasons by name. Legacy mode below 0x30, scalable mode from there.
 * @public
 */
export const VtdFaultReason = {
  rootNotPresent: 0x01,
  contextNotPresent: 0x02,
  contextInvalid: 0x03,
  addressBeyondWidth: 0x04,
  writeNotPermitted: 0x05,
  readNotPermitted: 0x06,
  nextTableUnreadable: 0x07,
  rootUnreadable: 0x08,
  contextUnreadable: 0x09,
  rootReserved: 0x0a,
  contextReserved: 0x0b,
  pagingEntryReserved: 0x0c,
  scalableRootAddress: 0x30,
  scalableRootUnreadable: 0x38,
  scalableRootNotPresent: 0x39,
  scalableRootReserved: 0x3a,
  scalableContextUnreadable: 0x40,
  scalableContextNotPresent: 0x41,
  scalableContextReserved: 0x42,
  ridPasidInvalid: 0x48,
  pasidDirectoryUnreadable: 0x50,
  pasidDirectoryNotPresent: 0x51,
  pasidDirectoryReserved: 0x52,
  pasidTableUnreadable: 0x58,
  pasidNotPresent: 0x59,
  pasidReserved: 0x5a,
  pasidInvalid: 0x5b,
  firstStageUnreadable: 0x70,
  firstStageNotPresent: 0x71,
  firstStageReserved: 0x72,
  secondStageUnreadable: 0x78,
  secondStageDenied: 0x79,
  secondStageReserved: 0x7a,
  notCanonical: 0x80,
  userDenied: 0x81,
  scalableBeyondWidth: 0x83,
  firstStageWriteDenied: 0x85,
  firstStageReadDenied: 0x86,
} as const;

/**
 * One value of the table {@link (VtdFaultReason:variable)}.
 * @public
 */
export type VtdFaultReason = (typeof VtdFaultReason)[keyof typeof VtdFaultReason];

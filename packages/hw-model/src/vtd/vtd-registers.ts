// VtdRegister: where the registers of a VT-d unit lie and which of their bits the model acts on.
// Source followed: VT-d specification 11.4 (register descriptions); intel-iommu's iommu.h for what Linux touches.
// Simplified: only registers that queued invalidation, translation and primary fault logging need.

/**
 * Byte offsets of the registers of a unit.
 * @public
 */
export const VtdRegister = {
  VER: 0x00,
  CAP: 0x08,
  ECAP: 0x10,
  GCMD: 0x18,
  GSTS: 0x1c,
  RTADDR: 0x20,
  FSTS: 0x34,
  FECTL: 0x38,
  FEDATA: 0x3c,
  FEADDR: 0x40,
  FEUADDR: 0x44,
  IQH: 0x80,
  IQT: 0x88,
  IQA: 0x90,
  ICS: 0x9c,
  IQER: 0xb0,
} as const;

/**
 * Bits of GCMD and GSTS.
 * @public
 */
export const VtdCommand = {
  translationEnable: 0x80000000,
  setRootPointer: 0x40000000,
  writeBufferFlush: 0x08000000,
  queueEnable: 0x04000000,
  interruptRemapEnable: 0x02000000,
  setInterruptPointer: 0x01000000,
  compatibilityInterrupts: 0x00800000,
} as const;

/**
 * Bits of FSTS; the index of the first pending record is in bits 15:8.
 * @public
 */
export const VtdFaultStatus = {
  overflow: 0x01,
  pending: 0x02,
  queueError: 0x10,
  completionError: 0x20,
  timeoutError: 0x40,
} as const;

/**
 * Codes of IQER bits 3:0: why the invalidation queue stopped.
 * @public
 */
export const VtdQueueError = {
  none: 0,
  invalidTail: 1,
  fetchError: 2,
  invalidType: 3,
  reservedField: 4,
  invalidDescriptor: 5,
  invalidWidth: 6,
} as const;

/**
 * RTADDR bits 11:10 as a number: how the root table is read.
 * @public
 */
export const VtdRootMode = { legacy: 0, scalable: 1, abortAll: 3 } as const;

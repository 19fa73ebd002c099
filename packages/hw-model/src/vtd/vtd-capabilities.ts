// VtdCapabilities: what the CAP and ECAP registers of a VT-d unit promise, decoded.
// Source followed: VT-d specification 11.4.2 (CAP_REG) and 11.4.3 (ECAP_REG).
// Simplified: fields that no modelled part reads are left in the raw registers.

import { bitField, type RegisterPair } from '../iommu-unit/register-pair.ts';

/**
 * The two capability registers of one unit, raw.
 * @public
 */
export interface VtdCapabilityRegisters {
  readonly cap: RegisterPair;
  readonly ecap: RegisterPair;
}

/**
 * The capability registers, decoded; names follow the specification.
 * @public
 */
export interface VtdCapabilities extends VtdCapabilityRegisters {
  /** CAP.ND as a count: domain ids 0 .. domainCount - 1. */
  readonly domainCount: number;
  /** CAP.RWBF: writes to tables need a write-buffer flush. */
  readonly writeBufferFlush: boolean;
  /** CAP.CM: not-present results may be cached. */
  readonly cachingMode: boolean;
  /** CAP.SAGAW: bit 1 = 39-bit tables, bit 2 = 48, bit 3 = 57. */
  readonly adjustedWidths: number;
  /** CAP.MGAW + 1: bits of the widest guest address. */
  readonly maxGuestWidth: number;
  /** CAP.ZLR: zero-length reads of write-only pages pass. */
  readonly zeroLengthReads: boolean;
  /** CAP.SLLPS: bit 0 = 2 MiB leaves, bit 1 = 1 GiB leaves. */
  readonly largePages: number;
  /** CAP.PSI: page-selective invalidation. */
  readonly pageSelective: boolean;
  /** CAP.MAMV: largest address mask of a page-selective invalidation. */
  readonly maxAddressMask: number;
  /** CAP.DWD and CAP.DRD: invalidations drain writes and reads. */
  readonly drainWrites: boolean;
  readonly drainReads: boolean;
  /** CAP.NFR + 1 and CAP.FRO * 16: fault recording registers. */
  readonly faultRecords: number;
  readonly faultRecordOffset: number;
  /** CAP.FS1GP and CAP.FS5LP: first-stage 1 GiB leaves and 5-level tables. */
  readonly firstStageGigabyte: boolean;
  readonly firstStage5Level: boolean;
  /** CAP.ESRTPS: setting the root pointer invalidates every cache. */
  readonly rootPointerInvalidates: boolean;
  /** ECAP.C: page walks snoop the CPU caches. */
  readonly coherent: boolean;
  /** ECAP.QI, DT, PT, SC. */
  readonly queuedInvalidation: boolean;
  readonly deviceTlb: boolean;
  readonly passThrough: boolean;
  readonly snoopControl: boolean;
  /** ECAP.SMTS, SSTS, FSTS, SMPWCS: scalable mode, its two stages, and coherent walks there. */
  readonly scalableMode: boolean;
  readonly scalableSecondStage: boolean;
  readonly scalableFirstStage: boolean;
  readonly scalableCoherent: boolean;
}

/**
 * Decodes CAP and ECAP.
 * @public
 */
export function decodeVtdCapabilities(registers: VtdCapabilityRegisters): VtdCapabilities {
  const { cap, ecap } = registers;
  const capFlag = (bit: number): boolean => bitField(cap, bit, 1) === 1;
  const ecapFlag = (bit: number): boolean => bitField(ecap, bit, 1) === 1;
  return {
    cap,
    ecap,
    domainCount: 2 ** (4 + 2 * bitField(cap, 0, 3)),
    writeBufferFlush: capFlag(4),
    cachingMode: capFlag(7),
    adjustedWidths: bitField(cap, 8, 5),
    maxGuestWidth: bitField(cap, 16, 6) + 1,
    zeroLengthReads: capFlag(22),
    faultRecordOffset: bitField(cap, 24, 10) * 16,
    largePages: bitField(cap, 34, 4),
    pageSelective: capFlag(39),
    faultRecords: bitField(cap, 40, 8) + 1,
    maxAddressMask: bitField(cap, 48, 6),
    drainWrites: capFlag(54),
    drainReads: capFlag(55),
    firstStageGigabyte: capFlag(56),
    firstStage5Level: capFlag(60),
    rootPointerInvalidates: capFlag(63),
    coherent: ecapFlag(0),
    queuedInvalidation: ecapFlag(1),
    deviceTlb: ecapFlag(2),
    passThrough: ecapFlag(6),
    snoopControl: ecapFlag(7),
    scalableMode: ecapFlag(43),
    scalableSecondStage: ecapFlag(46),
    scalableFirstStage: ecapFlag(47),
    scalableCoherent: ecapFlag(48),
  };
}

/**
 * The unit of the recorded machines: 48 bits, 4 KiB to 1 GiB leaves, 65536 domains, address masks up to 18.
 * @public
 */
export const recordedVtdCapabilities: VtdCapabilityRegisters = {
  cap: [0x222f0606, 0x00d2008c],
  ecap: [0x0000_0f42, 0],
};

/**
 * The same unit in caching mode (CAP.CM).
 * @public
 */
export const recordedVtdCapabilitiesCachingMode: VtdCapabilityRegisters = {
  cap: [0x222f0686, 0x00d2008c],
  ecap: [0x0000_0f42, 0],
};

/**
 * The recorded unit with scalable mode (second stage only) and caching mode.
 * @public
 */
export const recordedVtdCapabilitiesScalable: VtdCapabilityRegisters = {
  cap: [0x222f0686, 0x00d2008c],
  ecap: [0x80f00f4a, 0x00004800],
};

// AmdFeatures: what an AMD-Vi unit promises in its PCI capability header and its extended feature register (EFR).
// Source followed: AMD I/O Virtualization Technology specification 3.2.1 (capability header) and 3.4.2 (EFR, offset 0x30).
// Simplified: fields that no modelled part reads are left in the raw registers.

import { bitField, type RegisterPair } from '../iommu-unit/register-pair.ts';

/**
 * The raw words of one unit.
 * @public
 */
export interface AmdFeatureRegisters {
  /** First word of the IOMMU's capability in its configuration space. */
  readonly capabilityHeader: number;
  /** The extended feature register. */
  readonly extendedFeatures: RegisterPair;
}

/**
 * The same, decoded.
 * @public
 */
export interface AmdFeatures extends AmdFeatureRegisters {
  /** IotlbSup: devices may keep translations of their own (ATS). */
  readonly deviceTlb: boolean;
  /** NpCache: entries that are not present may be cached, as emulated units do. */
  readonly notPresentCache: boolean;
  /** PPRSup: COMPLETE_PPR_REQUEST is known. */
  readonly pageRequests: boolean;
  /** GTSup: guest translations, and commands that name a PASID. */
  readonly guestTranslation: boolean;
  /** IASup: INVALIDATE_IOMMU_ALL is known. */
  readonly invalidateAll: boolean;
  /** HASup: the unit records in host tables which pages were accessed, for devices whose entry asks for it. */
  readonly hostAccessed: boolean;
  /** HDSup: the same for pages that were written. */
  readonly hostDirty: boolean;
  /** HATS: levels of host tables, 4 to 6; 0 for the reserved encoding. */
  readonly hostLevels: number;
}

/** HATS 3 is reserved. */
const HOST_LEVELS = [4, 5, 6, 0] as const;

/**
 * Levels of host page tables that an EFR image offers: 4 to 6, or 0.
 * @public
 */
export const amdHostLevels = (extendedFeatures: RegisterPair): number =>
  HOST_LEVELS[bitField(extendedFeatures, 10, 2)] as number;

/**
 * Decodes the capability header and the extended feature register.
 * @public
 */
export function decodeAmdFeatures(registers: AmdFeatureRegisters): AmdFeatures {
  const { capabilityHeader, extendedFeatures } = registers;
  const flag = (bit: number): boolean => bitField(extendedFeatures, bit, 1) === 1;
  return {
    capabilityHeader,
    extendedFeatures,
    deviceTlb: (capabilityHeader & 0x01000000) !== 0,
    notPresentCache: (capabilityHeader & 0x04000000) !== 0,
    pageRequests: flag(1),
    guestTranslation: flag(4),
    invalidateAll: flag(6),
    hostAccessed: flag(49),
    hostDirty: flag(52),
    hostLevels: amdHostLevels(extendedFeatures),
  };
}

/**
 * The unit of the recorded machine, an emulated one: 6 levels, and entries that are not present may be cached.
 * @public
 */
export const recordedAmdFeatures: AmdFeatureRegisters = {
  capabilityHeader: 0x1d03000f,
  extendedFeatures: [0x29d3, 0],
};

/**
 * The same unit as silicon has it: nothing is cached that is not present.
 * @public
 */
export const bareMetalAmdFeatures: AmdFeatureRegisters = {
  capabilityHeader: 0x1903000f,
  extendedFeatures: [0x29d3, 0],
};

/**
 * A unit of silicon that records accesses and writes in host tables.
 * @public
 */
export const dirtyTrackingAmdFeatures: AmdFeatureRegisters = {
  capabilityHeader: 0x1903000f,
  extendedFeatures: [0x29d3, 0x120000],
};

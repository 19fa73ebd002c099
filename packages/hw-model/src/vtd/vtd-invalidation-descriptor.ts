// VtdDescriptorType and VtdGranularity: the numbers inside invalidation descriptors, shared by unit and software.
// Source followed: VT-d specification 6.5.2 (descriptor formats).
// Simplified: the formats themselves are read in vtd-descriptor-interpreter.ts and written by the driver.

/**
 * Descriptor types (bits 3:0 of the first word).
 * @public
 */
export const VtdDescriptorType = {
  contextCache: 1,
  iotlb: 2,
  deviceTlb: 3,
  interruptEntry: 4,
  wait: 5,
  pasidIotlb: 6,
  pasidCache: 7,
  pasidDeviceTlb: 8,
  pageGroupResponse: 9,
} as const;

/**
 * Granularity (bits 5:4) of context-cache and IOTLB descriptors.
 * @public
 */
export const VtdGranularity = { global: 1, domain: 2, selective: 3 } as const;

/**
 * Flag bits of the first word of a wait descriptor.
 * @public
 */
export const VtdWaitFlag = { interrupt: 0x10, statusWrite: 0x20, fence: 0x40 } as const;

// AmdRegister: where the registers of an AMD-Vi unit lie and which of their bits the model acts on.
// Source followed: AMD I/O Virtualization Technology specification 3.4 (MMIO registers); amd_iommu_types.h for what Linux
// touches.
// Simplified: only what translation, the command buffer and the event log need; no PPR, guest-interrupt or second logs.

/**
 * Byte offsets of the registers of a unit; each is 64 bits wide.
 * @public
 */
export const AmdRegister = {
  DEVICE_TABLE_BASE: 0x0000,
  COMMAND_BASE: 0x0008,
  EVENT_BASE: 0x0010,
  CONTROL: 0x0018,
  EXTENDED_FEATURES: 0x0030,
  COMMAND_HEAD: 0x2000,
  COMMAND_TAIL: 0x2008,
  EVENT_HEAD: 0x2010,
  EVENT_TAIL: 0x2018,
  STATUS: 0x2020,
} as const;

/**
 * Bits of the control register.
 * @public
 */
export const AmdControl = {
  iommuEnable: 0x0001,
  eventLogEnable: 0x0004,
  eventInterruptEnable: 0x0008,
  completionInterruptEnable: 0x0010,
  coherent: 0x0400,
  commandBufferEnable: 0x1000,
} as const;

/**
 * Bits of the status register; a one written to the first three clears them, the other two only report.
 * @public
 */
export const AmdStatus = {
  eventOverflow: 0x01,
  eventInterrupt: 0x02,
  completionInterrupt: 0x04,
  eventLogRunning: 0x08,
  commandBufferRunning: 0x10,
} as const;

// NvmeStatus: the status codes a completion carries, as (status code type << 8 | status code).
// Source followed: NVM Express Base Specification 2.0, section 3.3.3.2.1, figures 94 to 97.
// Simplified: the codes this controller can produce; More, retry delay and the Phase bit are added elsewhere.

/**
 * Status field values without the Do Not Retry bit: type in bits 10:8, code in bits 7:0.
 * @public
 */
export const NVME_STATUS: {
  readonly success: 0x000;
  readonly invalidOpcode: 0x001;
  readonly invalidField: 0x002;
  readonly dataTransferError: 0x004;
  readonly invalidNamespace: 0x00b;
  readonly invalidSglSegmentDescriptor: 0x00d;
  readonly invalidSglDescriptorCount: 0x00e;
  readonly dataSglLengthInvalid: 0x00f;
  readonly sglDescriptorTypeInvalid: 0x011;
  readonly invalidPrpOffset: 0x013;
  readonly sglDataBlockGranularityInvalid: 0x01e;
  readonly lbaOutOfRange: 0x080;
  readonly completionQueueInvalid: 0x100;
  readonly invalidQueueIdentifier: 0x101;
  readonly invalidQueueSize: 0x102;
  readonly invalidQueueDeletion: 0x10c;
} = {
  success: 0x000,
  invalidOpcode: 0x001,
  invalidField: 0x002,
  dataTransferError: 0x004,
  invalidNamespace: 0x00b,
  invalidSglSegmentDescriptor: 0x00d,
  invalidSglDescriptorCount: 0x00e,
  dataSglLengthInvalid: 0x00f,
  sglDescriptorTypeInvalid: 0x011,
  invalidPrpOffset: 0x013,
  sglDataBlockGranularityInvalid: 0x01e,
  lbaOutOfRange: 0x080,
  completionQueueInvalid: 0x100,
  invalidQueueIdentifier: 0x101,
  invalidQueueSize: 0x102,
  invalidQueueDeletion: 0x10c,
};

/**
 * Do Not Retry, in the same numbering (bit 14 of the status field without the Phase bit).
 * @public
 */
export const NVME_STATUS_DNR = 0x4000;

/**
 * How a command ended: its status (no Do Not Retry bit) and dword 0 of its completion.
 * @internal
 */
export interface NvmeOutcome {
  readonly status: number;
  readonly result: number;
}

/** An outcome with result 0. @internal */
export function nvmeOutcome(status: number, result = 0): NvmeOutcome {
  return { status, result };
}

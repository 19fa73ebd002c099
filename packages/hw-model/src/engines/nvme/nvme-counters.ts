// NvmeCounters: what a controller did, counted where it does it.
// Source followed: the project's stage report; the names are the specification's.
// Simplified: descriptors inside the submission entry are not counted as fetched: they came with the command.

/**
 * Counts of one controller since it was made.
 * @public
 */
export interface NvmeCounters {
  /** Submission entries fetched, admin ones included. */
  commands: number;
  /** 8-byte entries fetched from PRP lists, pointers to the next list included. */
  prpEntriesFetched: number;
  /** 16-byte descriptors fetched from SGL segments. */
  sglDescriptorsFetched: number;
  /** Data bytes of commands written to host memory. */
  bytesToHost: number;
  /** Data bytes of commands read from host memory. */
  bytesFromHost: number;
  /** Commands completed with a status other than success. */
  errors: number;
  /** Completion entries posted. */
  completions: number;
  /** Doorbell writes that named no queue or no slot of it. */
  invalidDoorbells: number;
}

/** All zero. @internal */
export function newNvmeCounters(): NvmeCounters {
  return {
    commands: 0,
    prpEntriesFetched: 0,
    sglDescriptorsFetched: 0,
    bytesToHost: 0,
    bytesFromHost: 0,
    errors: 0,
    completions: 0,
    invalidDoorbells: 0,
  };
}

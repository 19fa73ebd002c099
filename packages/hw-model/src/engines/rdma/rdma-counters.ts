// RdmaCounters: what a NIC did, counted where it does it.
// Source followed: the project's stage report; names as the hardware counters of RDMA drivers have them.
// Simplified: bytes are counted when their bus requests have succeeded.

/**
 * Counts of one NIC since it was made.
 * @public
 */
export interface RdmaCounters {
  packetsSent: number;
  packetsReceived: number;
  /** Packets for no queue pair, or for one that cannot take them. */
  packetsDropped: number;
  /** Payload bytes read from local memory to be sent. */
  bytesGathered: number;
  /** Payload bytes received and written to local memory. */
  bytesScattered: number;
  /** Times that packets were sent again. */
  retransmissions: number;
  /** Negative acknowledgements sent, and those among them that asked for a pause. */
  naksSent: number;
  rnrNaksSent: number;
  /** Page faults raised. */
  pageFaults: number;
}

/** All zero. @internal */
export const newRdmaCounters = (): RdmaCounters => ({
  packetsSent: 0,
  packetsReceived: 0,
  packetsDropped: 0,
  bytesGathered: 0,
  bytesScattered: 0,
  retransmissions: 0,
  naksSent: 0,
  rnrNaksSent: 0,
  pageFaults: 0,
});

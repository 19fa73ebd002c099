// SGL walk: from the descriptor in the command, through segments in host memory, to the data blocks of a transfer.
// Source followed: NVM Express Base Specification 2.0, section 4.1.2, figures 92 to 101; status codes of figure 94.
// Simplified: no bit buckets, no keyed blocks; a chain of more than 4096 segments is refused as a wrong count;
// all segments are fetched before any data moves.

import { addOffset, dmaAddr } from '../../addresses.ts';
import type { ModelTask } from '../../yield-point.ts';
import type { DmaEngine } from '../dma-engine.ts';
import { readUint64 } from './nvme-command.ts';
import type { NvmeCounters } from './nvme-counters.ts';
import { NVME_STATUS } from './nvme-status.ts';
import { onBus, type TransferRanges } from './transfer-ranges.ts';

/**
 * SGL descriptor types with the address sub-type, as byte 15 of a descriptor holds them.
 * @public
 */
export const NVME_SGL: {
  readonly dataBlock: 0x00;
  readonly segment: 0x20;
  readonly lastSegment: 0x30;
} = { dataBlock: 0x00, segment: 0x20, lastSegment: 0x30 };

const DESCRIPTOR_BYTES = 16;
const FETCH_BYTES = 4096;
const MAX_SEGMENTS = 4096;

interface Segment {
  readonly address: number;
  readonly bytes: number;
  readonly last: boolean;
}

/**
 * Adds the ranges of `bytes` data bytes; returns a status code (0 = success).
 * `dwordAligned`: blocks must start and end on dwords (SGLS value 2).
 * @internal
 */
export function* walkSgl(
  dma: DmaEngine,
  counters: NvmeCounters,
  dwordAligned: boolean,
  descriptor: DataView,
  bytes: number,
  ranges: TransferRanges,
): ModelTask<number> {
  const type = descriptor.getUint8(15);
  let status = isSegment(type) ? 0 : addBlock(descriptor, 0, dwordAligned, ranges);
  let segment = isSegment(type) ? segmentOf(descriptor, 0) : null;
  for (let followed = 0; segment !== null && status === 0; followed += 1) {
    if (followed === MAX_SEGMENTS) return NVME_STATUS.invalidSglDescriptorCount;
    if (!wellFormed(segment)) return NVME_STATUS.invalidSglSegmentDescriptor;
    let next: Segment | null = null;
    for (let at = 0; at < segment.bytes && status === 0; at += FETCH_BYTES) {
      const piece = new Uint8Array(Math.min(FETCH_BYTES, segment.bytes - at));
      if ((yield* dma.read(addOffset(dmaAddr(segment.address), at), piece)) !== 'success') {
        return NVME_STATUS.dataTransferError;
      }
      counters.sglDescriptorsFetched += piece.length / DESCRIPTOR_BYTES;
      const view = new DataView(piece.buffer);
      const left = segment.bytes - at;
      status = addPiece(view, segment.last, left, dwordAligned, ranges);
      if (status === 0 && left <= FETCH_BYTES && !segment.last)
        next = segmentOf(view, left - DESCRIPTOR_BYTES);
      // Too long already: further descriptors cannot mend it, and the chain may never end.
      if (status === 0 && ranges.bytes > bytes) status = NVME_STATUS.dataSglLengthInvalid;
    }
    segment = next;
  }
  return status === 0 && ranges.bytes !== bytes ? NVME_STATUS.dataSglLengthInvalid : status;
}

/** Adds the blocks of one fetched piece of a segment that has `left` bytes from this piece on. */
function addPiece(
  view: DataView,
  lastSegment: boolean,
  left: number,
  dwordAligned: boolean,
  ranges: TransferRanges,
): number {
  for (let at = 0; at < view.byteLength; at += DESCRIPTOR_BYTES) {
    const closing = !lastSegment && at + DESCRIPTOR_BYTES === left;
    if (isSegment(view.getUint8(at + 15))) {
      if (lastSegment) return NVME_STATUS.invalidSglSegmentDescriptor;
      if (!closing) return NVME_STATUS.invalidSglDescriptorCount;
    } else if (closing) {
      // A segment that is not the last must end in a pointer to the next one.
      return NVME_STATUS.invalidSglDescriptorCount;
    } else {
      const status = addBlock(view, at, dwordAligned, ranges);
      if (status !== 0) return status;
    }
  }
  return NVME_STATUS.success;
}

function addBlock(view: DataView, at: number, dwordAligned: boolean, ranges: TransferRanges): number {
  if (view.getUint8(at + 15) !== NVME_SGL.dataBlock) return NVME_STATUS.sglDescriptorTypeInvalid;
  const address = readUint64(view, at);
  const bytes = view.getUint32(at + 8, true);
  if (dwordAligned && (address % 4 !== 0 || bytes % 4 !== 0)) {
    return NVME_STATUS.sglDataBlockGranularityInvalid;
  }
  if (bytes > 0) ranges.add(address, bytes);
  return NVME_STATUS.success;
}

function isSegment(type: number): boolean {
  return type === NVME_SGL.segment || type === NVME_SGL.lastSegment;
}

function segmentOf(view: DataView, at: number): Segment {
  const last = view.getUint8(at + 15) === NVME_SGL.lastSegment;
  return { address: readUint64(view, at), bytes: view.getUint32(at + 8, true), last };
}

function wellFormed(segment: Segment): boolean {
  return (
    segment.bytes > 0 &&
    segment.bytes % DESCRIPTOR_BYTES === 0 &&
    segment.address % 8 === 0 &&
    onBus(segment.address, segment.bytes)
  );
}

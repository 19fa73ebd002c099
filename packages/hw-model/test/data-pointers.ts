// Data pointers as a host builds them: PRP lists chained page by page, SGL descriptors and segments.
// Source followed: NVM Express Base Specification 2.0, sections 4.1.1 and 4.1.2.
// Simplified: pages of 4 KiB; the caller says where lists and segments go.

import { NVME_SGL } from '../src/index.ts';
import type { NvmeMachine } from './nvme-machine.ts';

const PAGE = 4096;

/** An address and a length. */
export interface Piece {
  readonly address: number;
  readonly bytes: number;
}

/** One SGL descriptor. */
export function sglDescriptor(address: number, bytes: number, type: number = NVME_SGL.dataBlock): Uint8Array {
  const view = new DataView(new ArrayBuffer(16));
  view.setBigUint64(0, BigInt(address), true);
  view.setUint32(8, bytes, true);
  view.setUint8(15, type);
  return new Uint8Array(view.buffer);
}

/** Stores data blocks as one segment at `address`. */
export function storeBlocks(machine: NvmeMachine, address: number, pieces: readonly Piece[]): void {
  for (const [i, piece] of pieces.entries()) {
    machine.store(address + 16 * i, sglDescriptor(piece.address, piece.bytes));
  }
}

/**
 * Splits blocks into segments of at most `most` descriptors at `addresses`, one after the other; the descriptor that
 * the command carries.
 */
export function storeSegments(
  machine: NvmeMachine,
  pieces: readonly Piece[],
  most: number,
  addresses: readonly number[],
): Uint8Array {
  const [at = 0, ...others] = addresses;
  if (pieces.length <= most) {
    storeBlocks(machine, at, pieces);
    return sglDescriptor(at, 16 * pieces.length, NVME_SGL.lastSegment);
  }
  storeBlocks(machine, at, pieces.slice(0, most - 1));
  const next = storeSegments(machine, pieces.slice(most - 1), most, others);
  machine.store(at + 16 * (most - 1), next);
  return sglDescriptor(at, 16 * most, NVME_SGL.segment);
}

/** Stores page addresses as PRP lists: the first at `lists[0]` (any qword), the following ones at pages. */
export function storePrpLists(
  machine: NvmeMachine,
  pages: readonly number[],
  lists: readonly number[],
): void {
  const [at = 0, ...others] = lists;
  const room = (PAGE - (at % PAGE)) / 8;
  if (pages.length <= room) {
    machine.storeUint64s(at, pages);
    return;
  }
  machine.storeUint64s(at, [...pages.slice(0, room - 1), others[0] as number]);
  storePrpLists(machine, pages.slice(room - 1), others);
}

/** The two PRPs of a transfer of `bytes` bytes that starts at `first` and goes on in `pages`. */
export function storePrps(
  machine: NvmeMachine,
  first: number,
  pages: readonly number[],
  lists: readonly number[],
): readonly [number, number] {
  if (pages.length < 2) return [first, pages[0] ?? 0];
  storePrpLists(machine, pages, lists);
  return [first, lists[0] as number];
}

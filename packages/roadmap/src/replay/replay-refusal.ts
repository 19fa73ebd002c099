// ReplayRefusal: why a mapping of the trace is in no run. Refused mappings are counted by reason, never dropped in silence.
// Source followed: what the DMA API would answer with a BUG, and what a trace does not hold.
// Simplified: physical addresses of 48 bits, as the modelled unit has them.

import type { TracedMapping } from '@sgfree/trace';

/**
 * Reasons; stable codes.
 *
 * - `reserved-region`: mapped one to one by the kernel itself while it set up the device; no driver asked for it.
 * - `no-memory-known`: the trace does not say which memory was mapped.
 * - `zero-bytes`, `bad-direction`: a call that the kernel answers with a BUG.
 * - `address-beyond-48-bits`, `too-large` (64 GiB, of a direct user of the IOMMU 64 TiB; a million pieces): more than the
 *   modelled machine takes.
 * - `not-one-range`: a single mapping whose memory is not contiguous.
 * - `physical-zero`: memory at physical address 0, which the kernel cannot unmap.
 * - `too-many-devices`: devices beyond the number that is followed.
 * @public
 */
export type ReplayRefusal =
  | 'reserved-region'
  | 'no-memory-known'
  | 'zero-bytes'
  | 'bad-direction'
  | 'address-beyond-48-bits'
  | 'too-large'
  | 'not-one-range'
  | 'physical-zero'
  | 'too-many-devices';

const PHYS_END = 2 ** 48;
const MOST_BYTES = 2 ** 36;
/** The memory of a virtual machine is mapped as a whole. */
const MOST_BYTES_OF_USER = 2 ** 46;
const MOST_PIECES = 2 ** 20;

/** Why the mapping cannot be replayed; null = it can. */
export function refusalOf(mapping: TracedMapping): ReplayRefusal | null {
  const { kind, direction, pieceBytes } = mapping;
  if (mapping.rules.includes('iommu-api-by-identity')) return 'reserved-region';
  if (direction === 'NONE') return 'bad-direction';
  if (pieceBytes.length === 0) return 'no-memory-known';
  if (pieceBytes.length > MOST_PIECES) return 'too-large';
  if (kind === 'phys' && pieceBytes.length > 1) return 'not-one-range';
  let total = 0;
  for (let piece = 0; piece < pieceBytes.length; piece += 1) {
    const reason = pieceRefusal(mapping, piece);
    if (reason !== null) return reason;
    total += pieceBytes[piece] as number;
  }
  return total > (kind === 'iommu-api' ? MOST_BYTES_OF_USER : MOST_BYTES) ? 'too-large' : null;
}

function pieceRefusal(mapping: TracedMapping, piece: number): ReplayRefusal | null {
  const phys = mapping.piecePhys[piece] ?? -1;
  const bytes = mapping.pieceBytes[piece] ?? 0;
  // Coherent memory comes from the kernel, so that its place does not matter; see AssumedMemory.
  if (phys < 0 && mapping.kind !== 'coherent') return 'no-memory-known';
  if (!(bytes >= 1)) return 'zero-bytes';
  if (phys + bytes > PHYS_END) return 'address-beyond-48-bits';
  return phys === 0 && mapping.kind === 'phys' ? 'physical-zero' : null;
}

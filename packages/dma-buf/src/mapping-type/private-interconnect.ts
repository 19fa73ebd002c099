// Private interconnects: kinds of mapping that two drivers, or one driver at both ends, agree on among themselves, ahead of
// everything that others understand.
// Source followed: the RFC: a driver declares a kind of its own and lists it before tables on both sides; the core knows
// nothing of it, and a driver that is both ends recognises itself by the kind alone.
// Simplified: none.

import type { DmaBufAttachment } from '../buffer/dma-buf-attachment.ts';
import { mapTypeOf } from './mapping-attachment.ts';
import type { DmaBufMappingExpOps, DmaBufMappingMatch, DmaBufMappingType } from './mapping-match.ts';
import { plainMappingType } from './plain-mapping-type.ts';

/**
 * A kind of mapping with exporter operations `ExpOps` that only its owners know.
 * @alpha
 */
export interface PrivateInterconnect<ExpOps extends DmaBufMappingExpOps> {
  readonly type: DmaBufMappingType;
  readonly importerMatch: DmaBufMappingMatch;
  exporterMatch(ops: ExpOps): DmaBufMappingMatch;
  /** The exporter's operations for an attachment that agreed on this kind, else null. */
  opsOf<M>(attach: DmaBufAttachment<M>): ExpOps | null;
}

/**
 * Declares a kind. Two declarations are two kinds, whatever their names.
 * @alpha
 */
export function privateInterconnect<ExpOps extends DmaBufMappingExpOps>(
  name: string,
): PrivateInterconnect<ExpOps> {
  const type = plainMappingType(name);
  return {
    type,
    importerMatch: { type, expOps: null },
    exporterMatch: (ops) => ({ type, expOps: ops }),
    opsOf: (attach) => {
      const matched = mapTypeOf(attach);
      return matched?.type === type ? (matched.expOps as ExpOps) : null;
    },
  };
}

// OfferingDmaBuf: a buffer whose exporter says which kinds of mapping it has.
// Source followed: the RFC (dma_buf_ops.match_mapping, single_exporter_match).
// Importers that know nothing of mapping types attach to it as ones that offer tables.
// Simplified: none.

import { Errno, failure, warnViolation } from '@sgfree/mm';
import { DmaBuf, type DmaBufParts } from '../buffer/dma-buf.ts';
import type { DmaBufAttachment } from '../buffer/dma-buf-attachment.ts';
import type { DmaBufCommonOps, DmaBufOps } from '../buffer/dma-buf-ops.ts';
import { answerTableImporters } from '../buffer/table-attach.ts';
import type { DmaBufPlatform } from '../dma-buf-platform.ts';
import type { DmaBufMappingMatch, DmaBufMatchMapping } from './mapping-match.ts';
import { negotiatedAttach } from './negotiated-attach.ts';
import { tableImporterMatch, tableOpsOf } from './sgt-type.ts';

/**
 * Operations of an exporter with mapping types: exactly one of the two here.
 * @alpha
 */
export interface DmaBufMappingOps extends DmaBufCommonOps<unknown> {
  /** Not held. Answers a negotiation, usually by calling {@link dmaBufMatchMapping} with its offers. */
  matchMapping?: DmaBufMatchMapping;
  /** The one offer of an exporter that has no choice. */
  singleExporterMatch?: DmaBufMappingMatch;
}

/** A buffer with offers. @internal */
export class OfferingDmaBuf extends DmaBuf<unknown> {
  readonly matchMapping: DmaBufMatchMapping;

  constructor(platform: DmaBufPlatform, parts: DmaBufParts<unknown>, matchMapping: DmaBufMatchMapping) {
    super(platform, parts);
    this.matchMapping = matchMapping;
    answerTableImporters<unknown>(this, (dev, ops, priv) => {
      const matches = [tableImporterMatch(dev, ops?.allowPeer2peer ?? false)];
      return negotiatedAttach(this, matchMapping, { matches, ops, priv });
    });
  }
}

/**
 * The exporter's operations with the two that make tables: they lead to the operations that an attachment agreed on, and
 * refuse one that agreed on no tables (-EINVAL, violation `dma-buf-no-tables`).
 * @internal
 */
export function withRoutedTables(ops: DmaBufMappingOps): DmaBufOps<unknown> {
  const routed: Pick<DmaBufOps<unknown>, 'mapDmaBuf' | 'unmapDmaBuf'> = {
    *mapDmaBuf(attach, dir) {
      const tables = tableOpsOf(attach);
      if (tables !== null) return yield* tables.mapDmaBuf(attach, dir);
      refuseTables(attach);
      return failure(Errno.EINVAL);
    },
    *unmapDmaBuf(attach, table, dir) {
      const tables = tableOpsOf(attach);
      if (tables !== null) yield* tables.unmapDmaBuf(attach, table, dir);
      else refuseTables(attach);
    },
  };
  return Object.assign(forwarded(ops), routed);
}

const FORWARDED = [
  'attach',
  'detach',
  'pin',
  'unpin',
  'release',
  'beginCpuAccess',
  'endCpuAccess',
  'mmap',
  'vmap',
  'vunmap',
] as const satisfies readonly (keyof DmaBufMappingOps)[];

/** What the exporter has of the rest, called on the exporter's own object. */
function forwarded(ops: DmaBufMappingOps): DmaBufMappingOps {
  const present = FORWARDED.filter((name) => ops[name] !== undefined);
  return Object.fromEntries(
    present.map((name) => [name, ops[name]?.bind(ops)]),
  ) as object as DmaBufMappingOps;
}

function refuseTables({ dmabuf }: DmaBufAttachment<unknown>): void {
  warnViolation(dmabuf.platform.log, 'dma-buf-no-tables', { buffer: dmabuf.expName });
}

/**
 * True for a buffer whose exporter has mapping types.
 * @alpha
 */
export const dmaBufHasMappingTypes = <M>(dmabuf: DmaBuf<M>): boolean => dmabuf instanceof OfferingDmaBuf;

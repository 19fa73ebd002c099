// Exporting a buffer with mapping types, and what the core demands of its operations.
// Source followed: the RFC's additions to dma_buf_export: with one of the new members the old pair must be absent, both new
// members at once are an error, with neither the old pair is mandatory.
// Simplified: none.

import { Errno, failure, type Outcome, warnViolation } from '@sgfree/mm';
import type { DmaBuf } from '../buffer/dma-buf.ts';
import { type DmaBufIdentity, dmaBufExport, exportAs } from '../buffer/dma-buf-export.ts';
import type { DmaBufOps } from '../buffer/dma-buf-ops.ts';
import type { DmaBufPlatform } from '../dma-buf-platform.ts';
import type { DmaBufMatchMapping } from './mapping-match.ts';
import { offer } from './match-mapping.ts';
import { type DmaBufMappingOps, OfferingDmaBuf, withRoutedTables } from './offering-dma-buf.ts';

/**
 * What an exporter says of a buffer; partial, because the core refuses operations that contradict one another.
 * @alpha
 */
export interface DmaBufMappingExportInfo extends DmaBufIdentity {
  readonly ops: Partial<DmaBufMappingOps & DmaBufOps<unknown>> | null;
}

/**
 * `dmaBufExport` for exporters with mapping types; one that has none is exported as before. -EINVAL (a violation) with both
 * `matchMapping` and `singleExporterMatch`, with one of them beside `mapDmaBuf` or `unmapDmaBuf`, and for everything that
 * {@link dmaBufExport} refuses.
 * @alpha
 */
export function dmaBufMappingExport(
  platform: DmaBufPlatform,
  info: DmaBufMappingExportInfo,
): Outcome<DmaBuf<unknown>> {
  const { ops } = info;
  const matchMapping = ops === null ? null : offersOf(ops);
  if (ops === null || matchMapping === null) return dmaBufExport<unknown>(platform, info);
  if (contradicts(ops)) {
    warnViolation(platform.log, 'dma-buf-export-contradiction', { buffer: info.expName });
    return failure(Errno.EINVAL);
  }
  const routed = { ...info, ops: withRoutedTables(ops as DmaBufMappingOps) };
  return exportAs(platform, routed, (parts) => new OfferingDmaBuf(platform, parts, matchMapping));
}

/** How an exporter answers a negotiation; null for one without mapping types. */
function offersOf(ops: Partial<DmaBufMappingOps>): DmaBufMatchMapping | null {
  const { singleExporterMatch } = ops;
  if (ops.matchMapping !== undefined) return (args) => ops.matchMapping?.(args) ?? offer(args, []);
  return singleExporterMatch === undefined ? null : (args) => offer(args, [singleExporterMatch]);
}

const contradicts = (ops: Partial<DmaBufMappingOps & DmaBufOps<unknown>>): boolean =>
  (ops.matchMapping !== undefined && ops.singleExporterMatch !== undefined) ||
  ops.mapDmaBuf !== undefined ||
  ops.unmapDmaBuf !== undefined;

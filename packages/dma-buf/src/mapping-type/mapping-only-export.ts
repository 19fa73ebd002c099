// Exporting a buffer at the end of the road: mapping types are all that an exporter can have.
// Source followed: the RFC after its last patches, which delete the old pair from struct dma_buf_ops.
// Simplified: none.

import { Errno, failure, type Outcome, warnViolation } from '@sgfree/mm';
import type { DmaBuf } from '../buffer/dma-buf.ts';
import type { DmaBufIdentity } from '../buffer/dma-buf-export.ts';
import type { DmaBufPlatform } from '../dma-buf-platform.ts';
import { dmaBufMappingExport as exportOfStage5 } from './mapping-export.ts';
import type { DmaBufMappingOps } from './offering-dma-buf.ts';

/**
 * What an exporter says of a buffer; partial, because the core refuses operations that lack a duty.
 * @alpha
 */
export interface DmaBufMappingExportInfo extends DmaBufIdentity {
  readonly ops: Partial<DmaBufMappingOps> | null;
}

/**
 * Makes a buffer with one reference, which is mapped by mapping types only. -EINVAL (a violation) without `priv`, without
 * `release`, with only one of `pin` and `unpin`, with neither or both of `matchMapping` and `singleExporterMatch`, and with the
 * old pair beside them; -ENOENT when the module is going; -ENOMEM.
 * @alpha
 */
export function dmaBufMappingExport(
  platform: DmaBufPlatform,
  info: DmaBufMappingExportInfo,
): Outcome<DmaBuf<unknown>> {
  const { ops, expName } = info;
  if (ops?.matchMapping === undefined && ops?.singleExporterMatch === undefined) {
    warnViolation(platform.log, 'dma-buf-export-no-mapping-type', { buffer: expName });
    return failure(Errno.EINVAL);
  }
  return exportOfStage5(platform, info);
}

// The export call of exporters that make tables by the old pair, in the era in which it is on its way out.
// Source followed: the RFC, whose last patches delete map_dma_buf and unmap_dma_buf from struct dma_buf_ops.
// Simplified: none.

import type { Outcome } from '@sgfree/mm';
import type { DmaBuf } from '../buffer/dma-buf.ts';
import { type DmaBufExportInfo, dmaBufExport as exportOfStage3 } from '../buffer/dma-buf-export.ts';
import type { DmaBufPlatform } from '../dma-buf-platform.ts';

/**
 * Makes a buffer whose exporter maps by `mapDmaBuf` and `unmapDmaBuf`. -EINVAL (a violation) when a duty is missing; -ENOENT when
 * the module is going; -ENOMEM.
 * @deprecated since stage 5; absent from stage 8; use {@link dmaBufMappingExport}: the exporter says which kinds of mapping it
 * has, and the pair that makes tables is none of its operations.
 * @kernel dma_buf_export
 * @public
 */
export function dmaBufExport<Mapping>(
  platform: DmaBufPlatform,
  info: DmaBufExportInfo<Mapping>,
): Outcome<DmaBuf<Mapping>> {
  return exportOfStage3(platform, info);
}

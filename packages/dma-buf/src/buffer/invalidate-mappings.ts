// Invalidating: the exporter says that the addresses it handed out are about to lose their meaning.
// Source followed: dma_buf_invalidate_mappings in drivers/dma-buf/dma-buf.c.
// When this returns, importers may still be accessing the memory: until the fences of the reservation retire (wait for
// usage BOOKKEEP), and until each of them has unmapped. An exporter that takes the memory away waits for both.
// Simplified: none.

import type { ModelTask } from '@sgfree/hw-model';
import type { DmaBuf } from './dma-buf.ts';
import { needsLock } from './lock-rules.ts';

/**
 * Tells every importer that asked for it, the newest attachment first; nothing is waited for. With the lock held.
 * @kernel dma_buf_invalidate_mappings
 * @public
 */
export function* dmaBufInvalidateMappings<M>(dmabuf: DmaBuf<M>): ModelTask<void> {
  needsLock(dmabuf, 'dma_buf_invalidate_mappings');
  for (const attach of dmabuf.attachments) {
    const { importerOps } = attach;
    if (importerOps?.invalidateMappings !== undefined) yield* importerOps.invalidateMappings(attach);
  }
}

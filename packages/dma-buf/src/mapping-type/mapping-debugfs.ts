// What debugfs shows of a buffer's attachments: the kind of mapping that each agreed on.
// Source followed: the RFC (dma_buf_mapping_type.debugfs_dump).
// Simplified: lines of text, the newest attachment first.

import type { DmaBuf } from '../buffer/dma-buf.ts';
import { mapTypeOf } from './mapping-attachment.ts';

/**
 * One line for each attachment.
 * @alpha
 */
export function dmaBufMappingShow(dmabuf: DmaBuf<unknown>): string[] {
  return dmabuf.attachments.map((attach) => {
    const matched = mapTypeOf(attach);
    if (matched === null) return 'no mapping type';
    const { type } = matched;
    const more = type.debugfsDump?.(matched);
    return more === undefined ? type.name : `${type.name}: ${more}`;
  });
}

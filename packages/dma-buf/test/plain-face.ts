// PlainFace: importers see the exporter's own mapping, unchanged: what a kernel that does not debug dma-bufs shows.
// Source followed: drivers/dma-buf/dma-buf.c without CONFIG_DMABUF_DEBUG.
// Simplified: none.

import { success } from '@sgfree/mm';
import type { MappingFace } from '../src/buffer/map-attachment.ts';

export const plainFace: MappingFace<unknown> = {
  show: (_, mapping) => success(mapping),
  behind: (_, shown) => shown,
};

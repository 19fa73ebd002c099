// An importer that takes tables, as all do today.
// Simplified: none.

import { dmaBufMapAttachment, dmaBufUnmapAttachment, sgtRanges } from '@sgfree/dma-buf/sgt';
import { dmaBufDynamicAttach } from '@sgfree/dma-buf/stage-6';
import type { Device } from '@sgfree/dma-core';
import type { SgTable } from '@sgfree/dma-sg';
import type { GpuMachine } from './gpu-machine.ts';
import { type ImporterManners, type ImportKind, PeerImporter } from './peer-importer.ts';

const tables: ImportKind<SgTable> = {
  attach: (dmabuf, importer) => dmaBufDynamicAttach(dmabuf, importer.dev, importer.ops, importer),
  map: (attach) => dmaBufMapAttachment(attach, 'bidirectional'),
  unmap: (attach, table) => dmaBufUnmapAttachment(attach, table, 'bidirectional'),
  ranges: (table) => sgtRanges(table),
};

/** One importer of tables. */
export class TableImporter extends PeerImporter<SgTable> {
  constructor(machine: GpuMachine, dev: Device, manners: ImporterManners = {}) {
    super(machine, dev, tables, manners);
  }
}

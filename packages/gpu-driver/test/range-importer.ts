// An importer that takes range lists.
// Simplified: none.

import {
  type DmaBuf,
  type DmaBufAttachment,
  type DmaRangeList,
  dmaBufMappingAttach,
  dmaBufMapRangeList,
  dmaBufUnmapRangeList,
  rangeListImporterMatch,
} from '@sgfree/dma-buf';
import type { Device } from '@sgfree/dma-core';
import type { ModelTask } from '@sgfree/hw-model';
import { success } from '@sgfree/mm';
import type { GpuMachine } from './gpu-machine.ts';
import { type ImporterManners, type ImportKind, PeerImporter } from './peer-importer.ts';

const rangeLists: ImportKind<DmaRangeList> = {
  *attach(dmabuf, importer) {
    const offers = [rangeListImporterMatch(importer.dev, importer.ops?.allowPeer2peer ?? false)];
    const made = yield* dmaBufMappingAttach(dmabuf, offers, importer.ops, importer);
    return made.ok ? success<DmaBufAttachment<DmaRangeList>>(made.value) : made;
  },
  map: (attach) => dmaBufMapRangeList(attach, 'bidirectional'),
  unmap: (attach, list) => dmaBufUnmapRangeList(attach, list, 'bidirectional'),
  ranges: (list) => list.ranges(),
};

/** One importer of range lists. */
export class RangeImporter extends PeerImporter<DmaRangeList> {
  constructor(machine: GpuMachine, dev: Device, manners: ImporterManners = {}) {
    super(machine, dev, rangeLists, manners);
  }

  /** Buffers with mapping types do not say which one they are for. */
  override join(dmabuf: DmaBuf<unknown>): ModelTask<number> {
    return super.join(dmabuf as DmaBuf<DmaRangeList>);
  }
}

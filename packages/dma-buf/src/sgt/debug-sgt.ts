// The copy of an exporter's table that importers get from a kernel that debugs dma-bufs: DMA addresses and lengths, and
// no page to misuse. What an importer rewrites in it never reaches the exporter.
// Source followed: the wrapping of sg_tables in drivers/dma-buf/dma-buf.c (CONFIG_DMABUF_DEBUG), and its look at
// alignments (CONFIG_DMA_API_DEBUG).
// Simplified: none.

import { SgTable, sgAllocTable, sgFreeTable } from '@sgfree/dma-sg';
import { InternalError, offsetWithin, PAGE_SIZE } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success, warnViolation } from '@sgfree/mm';
import type { DmaBufAttachment } from '../buffer/dma-buf-attachment.ts';
import type { MappingFace } from '../buffer/map-attachment.ts';
import type { DmaBufPlatform } from '../dma-buf-platform.ts';

/** A table and the pointer to the one behind it. */
const WRAPPER_BYTES = 24;

class DebugSgt extends SgTable {
  readonly from: SgTable;

  constructor(from: SgTable) {
    super(null, from.allocator);
    this.from = from;
  }
}

/** Shows copies on a platform that debugs tables, else the exporter's own. @internal */
export const sgtFace: MappingFace<SgTable> = {
  show: (attach, mapping) => {
    const { platform } = attach.dmabuf;
    const shown = platform.debugTables ? copyOf(platform, mapping) : success(mapping);
    if (shown.ok && attach.dev.platform.debug !== null) checkAlignment(attach, mapping);
    return shown;
  },
  behind: (attach, shown) => {
    if (!attach.dmabuf.platform.debugTables) return shown;
    if (!(shown instanceof DebugSgt)) throw new InternalError('a table is unmapped that was never mapped');
    sgFreeTable(shown);
    return shown.from;
  },
};

function copyOf({ allocate }: DmaBufPlatform, from: SgTable): Outcome<SgTable> {
  if (!allocate(WRAPPER_BYTES)) return failure(Errno.ENOMEM);
  const copy = new DebugSgt(from);
  const error = sgAllocTable(copy, from.mappedCount);
  if (error !== 0) return failure(-error as Errno);
  copy.list.dmaAddress.set(from.list.dmaAddress.subarray(0, from.mappedCount));
  copy.list.dmaLength.set(from.list.dmaLength.subarray(0, from.mappedCount));
  return success(copy);
}

/** Buffers are made of pages; an address or length that is not is logged and let through. */
function checkAlignment(attach: DmaBufAttachment<SgTable>, { list, mappedCount }: SgTable): void {
  for (let sg = 0; sg < mappedCount; sg += 1) {
    const address = list.dmaAddress[sg] ?? 0;
    const bytes = list.dmaLength[sg] ?? 0;
    if (offsetWithin(address, PAGE_SIZE) === 0 && offsetWithin(bytes, PAGE_SIZE) === 0) continue;
    const { platform, expName } = attach.dmabuf;
    warnViolation(platform.log, 'dma-buf-unaligned-segment', {
      buffer: expName,
      segment: sg,
      address,
      bytes,
    });
  }
}

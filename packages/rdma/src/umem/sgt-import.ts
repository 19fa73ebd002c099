// SgtImport: RDMA's window cut into the exporter's table itself: the first and the last entry are changed in place and put
// back before the table is returned.
// Source followed: drivers/infiniband/core/umem_dmabuf.c (ib_umem_dmabuf_map_pages, ib_umem_dmabuf_unmap_pages).
// A table that is shared among attachments is thereby damaged for the others; a kernel that debugs dma-bufs hands out
// copies. A table that ends early is no error.
// Simplified: none.

import { dmaBufMapAttachment, dmaBufUnmapAttachment, sgtRanges } from '@sgfree/dma-buf/sgt';
import { dmaBufDynamicAttach } from '@sgfree/dma-buf/stage-3';
import type { SgTable } from '@sgfree/dma-sg';
import type { DmabufImport, DmabufView } from './dmabuf-import.ts';

/** The changed entries of a table. */
class TrimmedSgt implements DmabufView {
  readonly #sgt: SgTable;
  #first = -1;
  #firstOffset = 0;
  #last = -1;
  #lastTrim = 0;
  #count = 0;

  constructor(sgt: SgTable, start: number, end: number) {
    this.#sgt = sgt;
    let cur = 0;
    for (let sg = 0; sg < sgt.mappedCount; sg += 1) {
      if (start < cur + this.#lengthOf(sg) && cur < end) this.#count += 1;
      if (cur <= start && start < cur + this.#lengthOf(sg)) {
        this.#first = sg;
        this.#firstOffset = start - cur;
        this.#move(sg, this.#firstOffset);
        cur += this.#firstOffset;
      }
      if (cur < end && end <= cur + this.#lengthOf(sg)) {
        this.#last = sg;
        this.#lastTrim = cur + this.#lengthOf(sg) - end;
        sgt.list.dmaLength[sg] = this.#lengthOf(sg) - this.#lastTrim;
        break;
      }
      cur += this.#lengthOf(sg);
    }
  }

  ranges(): ReturnType<typeof sgtRanges> {
    return sgtRanges(this.#sgt, Math.max(0, this.#first), this.#count);
  }

  close(): void {
    const { list } = this.#sgt;
    if (this.#first >= 0) this.#move(this.#first, -this.#firstOffset);
    if (this.#last >= 0) list.dmaLength[this.#last] = this.#lengthOf(this.#last) + this.#lastTrim;
  }

  #lengthOf(sg: number): number {
    return this.#sgt.list.dmaLength[sg] ?? 0;
  }

  #move(sg: number, bytes: number): void {
    const { list } = this.#sgt;
    list.dmaAddress[sg] = (list.dmaAddress[sg] ?? 0) + bytes;
    list.dmaLength[sg] = this.#lengthOf(sg) - bytes;
  }
}

/**
 * Imports tables and trims them in place.
 * @public
 */
export const sgtImport: DmabufImport<SgTable> = {
  attach: dmaBufDynamicAttach,
  map: dmaBufMapAttachment,
  unmap: dmaBufUnmapAttachment,
  view: (sgt, start, end) => new TrimmedSgt(sgt, start, end),
};

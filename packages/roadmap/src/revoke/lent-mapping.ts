// LentMapping: what an importer gets when it maps the lent memory: a table, as stage 6 of Linux 7.3.4 still hands out, or a range
// list where the operation of stage 5 is used.
// Source followed: drivers/vfio/pci/vfio_pci_dmabuf.c.
// Simplified: none.

import type { IbUmemDmabuf, UmemMr } from '@sgfree/rdma/stage-6';
import type { LentBarMapping } from '../exported-bar/lent-bar-mapping.ts';

/** @internal */
export type LentMapping = LentBarMapping;

/** A region over lent memory. @internal */
export type LentRegion = UmemMr<IbUmemDmabuf<LentMapping>>;

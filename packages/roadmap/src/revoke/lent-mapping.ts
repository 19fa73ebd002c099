// LentMapping: what an importer gets when it maps the lent memory: a table, as stage 6 of Linux 7.3.4 still hands out.
// Source followed: drivers/vfio/pci/vfio_pci_dmabuf.c.
// Simplified: none.

import type { IbUmemDmabuf, UmemMr } from '@sgfree/rdma/stage-6';
import type { VfioSgTable } from '@sgfree/vfio-dmabuf/stage-6';

/** @internal */
export type LentMapping = VfioSgTable;

/** A region over lent memory. @internal */
export type LentRegion = UmemMr<IbUmemDmabuf<LentMapping>>;

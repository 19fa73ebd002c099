// Mappings as scatterlist tables without pages: the way in until importers can do without them. The one module here that
// knows of scatterlists.
// Source followed: the calls of dma_buf_phys_vec_to_sgt and dma_buf_free_sgt in drivers/vfio/pci/vfio_pci_dmabuf.c.
// Simplified: none.

import type { DmaBufAttachment } from '@sgfree/dma-buf';
import { dmaBufFreeSgt, dmaBufPhysVecToSgt, type SgtAttachment } from '@sgfree/dma-buf/sgt';
import type { VfioMapping } from './exporter-mapping.ts';

/**
 * A table as {@link @sgfree/dma-buf#dmaBufPhysVecToSgt} makes it: no pages, an empty CPU view.
 * @public
 */
export type VfioSgTable = Parameters<typeof dmaBufFreeSgt>[1];

/**
 * What tables are made with: quirks of the kernel to keep, and where entry arrays come from.
 * @public
 */
export type VfioSgtOptions = Pick<SgtAttachment, 'linuxQuirks' | 'sgArrays'>;

/**
 * Mappings that are tables. A path that peer-to-peer DMA cannot take is -EINVAL.
 * @public
 */
export function vfioSgtMapping(options: VfioSgtOptions = {}): VfioMapping<VfioSgTable> {
  const side = ({ dev, dmabuf }: DmaBufAttachment<VfioSgTable>): SgtAttachment => {
    const { resv, platform } = dmabuf;
    return { dev, resv, allocate: (bytes) => platform.allocate(bytes), ...options };
  };
  return {
    map: (attach, priv, dir) => dmaBufPhysVecToSgt(side(attach), priv.provider, priv.physVec, priv.size, dir),
    unmap: (attach, table, dir) => dmaBufFreeSgt(side(attach), table, dir),
  };
}

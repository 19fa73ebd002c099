// What still speaks of scatterlists: tables of physical ranges for importers that want an sg_table.

export { dmaBufFreeSgt, dmaBufPhysVecToSgt } from './dma-buf-phys-vec-to-sgt.ts';
export type { SgtAttachment } from './dma-buf-sgt.ts';
export type { LinuxQuirks } from './linux-quirks.ts';
export type { PhysVec } from './phys-vec.ts';
export {
  dmaBufMapAttachment,
  dmaBufMapAttachmentUnlocked,
  dmaBufUnmapAttachment,
  dmaBufUnmapAttachmentUnlocked,
} from './sgt/dma-buf-map-attachment.ts';

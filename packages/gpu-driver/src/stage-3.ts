// What a GPU driver is at stage 3: objects that move, exported as tables in the ways of amdgpu and xe.

export { AbuseWatch } from './abuse/abuse-watch.ts';
export type { GpuAbuse, GpuAbuseName } from './abuse/gpu-abuse.ts';
export { GpuCard, type GpuCardParts } from './card/gpu-card.ts';
export { amdgpuDmaBufOps } from './legacy/amdgpu-exporter.ts';
export { xeDmaBufOps } from './legacy/xe-exporter.ts';
export type { MappingWatch } from './mapping/mapping-watch.ts';
export type {
  GpuMemoryType,
  GpuResource,
  MmioRemapResource,
  SystemResource,
  VramResource,
} from './memory/gpu-resource.ts';
export type { VramBlock } from './memory/vram-block.ts';
export { vramPieces } from './memory/vram-cursor.ts';
export { VramManager, type VramRequest } from './memory/vram-manager.ts';
export { evictAll, evictOne } from './objects/evict-bo.ts';
export { exportBo } from './objects/export-bo.ts';
export { GpuBo, type GpuBoSpec } from './objects/gpu-bo.ts';
export { moveBo } from './objects/move-bo.ts';
export { createBo, destroyBo, pinBo, unpinBo, validateBo } from './objects/place-bo.ts';

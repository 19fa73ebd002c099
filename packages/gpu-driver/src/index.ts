// The newest surface of @sgfree/gpu-driver: that of stage 8.

export { GpuCard, type GpuCardParts } from './card/gpu-card.ts';
export { exportBoMappings } from './mapping/export-mappings.ts';
export { gpuMappingOps } from './mapping/gpu-mapping-ops.ts';
export type { MappingWatch } from './mapping/mapping-watch.ts';
export { watchedMappingOps } from './mapping/watched-mapping-ops.ts';
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
export { GpuBo, type GpuBoSpec } from './objects/gpu-bo.ts';
export { moveBo } from './objects/move-bo.ts';
export { createBo, destroyBo, pinBo, unpinBo, validateBo } from './objects/place-bo.ts';

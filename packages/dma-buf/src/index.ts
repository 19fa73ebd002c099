// The newest surface of dma-buf; nothing here imports the scatterlist.

export type { LinuxQuirks } from './linux-quirks.ts';
export type { PhysVec } from './phys-vec.ts';

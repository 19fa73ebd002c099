// What a VFIO user can call at stage 3: BARs exported as dma-bufs, through tables.

export {};

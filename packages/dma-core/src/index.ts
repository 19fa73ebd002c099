// The newest surface of dma-core.
export {};

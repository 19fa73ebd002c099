// The newest surface of dma-iova.
export {};

// The newest surface of dma-sg.
export {};

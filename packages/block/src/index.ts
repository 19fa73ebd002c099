// The newest surface of block.
export {};

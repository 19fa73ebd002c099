// The newest surface of rdma.

export {};

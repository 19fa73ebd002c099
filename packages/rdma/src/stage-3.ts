// What RDMA offers at stage 3: as stage 0, and registration of dma-bufs.

export {};

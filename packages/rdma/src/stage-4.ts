// What RDMA offers at stage 4: no scatterlist inside.

export {};

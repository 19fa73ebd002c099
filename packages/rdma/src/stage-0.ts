// What RDMA offers at stage 0: registration with scatterlists inside.

export {};

// What RDMA offers at stage 6: as stage 4, and registrations that can be revoked.

export {};

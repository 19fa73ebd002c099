// RDMA_ACCESS: what a memory key lets its holders do. The same bits are the remote rights of a queue pair.
// Source followed: InfiniBand Architecture Specification 1.3, section 10.6.3 (access rights); numbers as in the kernel's
// IB_ACCESS_* flags, which drivers hand to the hardware as they are.
// Simplified: only the bits that an engine looks at; relaxed ordering is accepted and has no effect.

/**
 * Access bits of a key. Reading for one's own work requests needs no bit.
 * @public
 */
export const RDMA_ACCESS = {
  /** The owner's receives, reads and atomics may write here. */
  localWrite: 1,
  /** Peers may write. */
  remoteWrite: 2,
  /** Peers may read. */
  remoteRead: 4,
  /** Peers may compare and swap, or fetch and add. */
  remoteAtomic: 8,
  /** Memory windows may be bound to it. */
  windowBind: 16,
} as const;

/**
 * The bits that make a key one that peers can use.
 * @internal
 */
export const REMOTE_ACCESS = 14;

// RdmaEngineParts: what the three engines of a queue pair (requester, completer, responder) share of their NIC.
// Source followed: the kernel's rxe driver, whose tasks of a queue pair are the same three.
// Simplified: each engine is one task per queue pair that runs while it has work.

import type { TaskMutex } from '../../tasks/task-mutex.ts';
import type { RdmaCounters } from './rdma-counters.ts';
import type { RdmaKeyTable } from './rdma-key-table.ts';
import type { RdmaMemoryPort } from './rdma-memory-port.ts';
import type { RdmaPacket } from './rdma-packet.ts';

/**
 * The parts of a NIC that its engines work with.
 * @internal
 */
export interface RdmaEngineParts {
  readonly keys: RdmaKeyTable;
  readonly memory: RdmaMemoryPort;
  readonly counters: RdmaCounters;
  /** Atomics of all queue pairs exclude each other. */
  readonly atomics: TaskMutex;
  /** Sends a packet to the NIC at `to`. */
  readonly transmit: (packet: RdmaPacket, to: number) => void;
}

// RdmaCompletionQueue: where finished work requests of queue pairs are reported, in the order they finished.
// Source followed: InfiniBand Architecture Specification 1.3, section 10.8; a full queue loses the entry (as in the kernel's rxe
// driver, rxe_cq.c) and takes others once there is room; the queue pair whose entry was lost goes into error.
// Simplified: an object of the model instead of a ring in memory; no interrupts: whoever waits is a task.

import type { ModelTask } from '../../yield-point.ts';
import type { RdmaStatus } from './rdma-status.ts';

/**
 * What a completion says was done.
 * @public
 */
export type RdmaCompletionOpcode =
  | 'rdma-write'
  | 'send'
  | 'rdma-read'
  | 'compare-swap'
  | 'fetch-add'
  | 'local-inv'
  | 'reg-mr'
  | 'bind-mw'
  | 'receive'
  | 'receive-rdma-with-imm';

/**
 * A completion. Only `wrId`, `status` and `qpNumber` mean anything when the status is not success.
 * @public
 */
export interface RdmaCompletion {
  readonly wrId: number;
  readonly status: RdmaStatus;
  readonly opcode: RdmaCompletionOpcode;
  readonly byteLength: number;
  readonly qpNumber: number;
  readonly immediate?: number;
  /** The key that the sender had invalidated here. */
  readonly invalidatedKey?: number;
}

/**
 * A completion queue.
 * @public
 */
export class RdmaCompletionQueue {
  /** Completions it can hold. */
  readonly entries: number;
  readonly #held: RdmaCompletion[] = [];
  #overrun = false;

  constructor(entries: number) {
    this.entries = entries;
  }

  /** Completions that wait to be taken. */
  get count(): number {
    return this.#held.length;
  }

  /** True once a completion was lost. */
  get overrun(): boolean {
    return this.#overrun;
  }

  /** For the NIC: false when the completion found no room and was lost. */
  post(completion: RdmaCompletion): boolean {
    if (this.#held.length >= this.entries) {
      this.#overrun = true;
      return false;
    }
    this.#held.push(completion);
    return true;
  }

  /** Takes up to `limit` completions, the oldest first. */
  poll(limit: number): RdmaCompletion[] {
    return this.#held.splice(0, limit);
  }

  /** Waits for a completion and takes it. */
  *next(): ModelTask<RdmaCompletion> {
    yield { at: 'rdma:completion', until: () => this.#held.length > 0 };
    return this.#held.shift() as RdmaCompletion;
  }
}

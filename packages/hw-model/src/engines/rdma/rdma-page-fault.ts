// RdmaPageFault: a request met a block that its on-demand key does not translate; software is asked to fill it in.
// Source followed: the kernel's mlx5 driver (hw/mlx5/odp.c): the device stops the queue pair, posts a page-fault event and
// goes on when software answers; an answer that the range is no good ends the work with an error.
// Simplified: one event per stopped transfer; events are not merged and never time out.

import type { ModelTask } from '../../yield-point.ts';
import type { RdmaCounters } from './rdma-counters.ts';
import type { RdmaKeyEntry } from './rdma-key-entry.ts';
import type { RdmaKeyUse } from './rdma-key-use.ts';
import type { RdmaAccessor } from './rdma-memory-port.ts';

/**
 * The bytes a stopped transfer wants, of one packet at most.
 * @public
 */
export interface RdmaFaultRange {
  /** First byte wanted, as the key names it. */
  readonly iova: number;
  readonly bytes: number;
  readonly write: boolean;
}

/**
 * A page fault of the NIC. Software answers with {@link RdmaPageFault.resolve}, from any task.
 * @public
 */
export class RdmaPageFault {
  readonly entry: RdmaKeyEntry;
  readonly wanted: RdmaFaultRange;
  #answer: 'resumed' | 'failed' | null = null;

  constructor(entry: RdmaKeyEntry, wanted: RdmaFaultRange) {
    this.entry = entry;
    this.wanted = wanted;
  }

  get answer(): 'resumed' | 'failed' | null {
    return this.#answer;
  }

  /** `resumed`: the blocks are there, try again; `failed`: the transfer ends as if the key did not permit it. */
  resolve(answer: 'resumed' | 'failed'): void {
    this.#answer ??= answer;
  }
}

/**
 * Where the transfers of a NIC raise their faults.
 * @internal
 */
export class RdmaPageFaultSink {
  /** Told of each fault; null = nobody serves faults, and they fail. */
  handler: ((fault: RdmaPageFault) => void) | null = null;
  readonly #counters: RdmaCounters;

  constructor(counters: RdmaCounters) {
    this.#counters = counters;
  }

  /** True when the transfer may try again. */
  *raise(who: RdmaAccessor, use: RdmaKeyUse, wanted: RdmaFaultRange): ModelTask<boolean> {
    if (this.handler === null) return false;
    const { life } = who;
    const fault = new RdmaPageFault(use.region, wanted);
    this.#counters.pageFaults += 1;
    this.handler(fault);
    yield {
      at: 'rdma:page-fault',
      until: () => fault.answer !== null || who.life !== life || !use.good,
    };
    return fault.answer === 'resumed' && who.life === life;
  }
}

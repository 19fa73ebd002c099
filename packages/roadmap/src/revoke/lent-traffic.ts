// LentTraffic: a peer's work requests against one region: writes and reads in turn, several under way at a time.
// Source followed: a storage or GPU peer over RDMA; include/rdma/ib_verbs.h (post, poll, statuses).
// After the first failure nothing more is posted, because the queue pair flushes; what is under way is waited for.
// Simplified: every work request asks for a completion.

import { type ModelTask, type RdmaStatusName, rdmaStatusName } from '@sgfree/hw-model';
import { type IbSendWr, IbWcStatus, ibPostSend, nextCompletion } from '@sgfree/rdma/stage-6';
import type { LentConnection } from './lent-connection.ts';
import type { LentSlots } from './lent-slots.ts';

/** Work requests under way at a time. */
const DEPTH = 4;

/** One work request. @internal */
export interface LentJob {
  readonly write: boolean;
  readonly slot: number;
  /** Null until it completes. */
  status: IbWcStatus | null;
}

/** What the traffic of one region runs over. @internal */
export interface LentTrafficParts {
  readonly connection: LentConnection;
  /** Key of the peer's own buffer, which has the same slots. */
  readonly lkey: number;
  readonly slots: LentSlots;
  /** Which region of the run. */
  readonly region: number;
  readonly rkey: () => number;
  /** A completion that is taken and not looked at, for a planted fault. */
  readonly loses?: number;
}

/** The work of one peer. @internal */
export class LentTraffic {
  readonly jobs: LentJob[] = [];
  readonly #parts: LentTrafficParts;
  #completed = 0;
  #ended = false;

  constructor(parts: LentTrafficParts) {
    this.#parts = parts;
  }

  get outstanding(): number {
    return this.jobs.length - this.#completed;
  }

  get completed(): number {
    return this.#completed;
  }

  /** True when nothing more comes. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Statuses in the order in which the work was posted; null = no completion came. */
  get statuses(): (RdmaStatusName | null)[] {
    return this.jobs.map(({ status }) => (status === null ? null : rdmaStatusName(status)));
  }

  /**
   * Posts work requests `first` to `last` of the region, all over again while `again` says so, and waits for all that were
   * posted.
   */
  *run(first: number, last: number, again: () => boolean = () => false): ModelTask<void> {
    this.#ended = false;
    let broken = false;
    let next = first;
    while (this.outstanding > 0 || (!broken && next <= last)) {
      for (; !broken && next <= last && this.outstanding < DEPTH; next += 1) this.#post(next);
      broken = !(yield* this.#complete()) || broken;
      if (next > last && again()) next = first;
    }
    this.#ended = true;
  }

  /** False for a completion that tells of a failure. */
  *#complete(): ModelTask<boolean> {
    const { status, wrId } = yield* nextCompletion(this.#parts.connection.cq);
    this.#completed += 1;
    const job = this.jobs[wrId];
    if (job !== undefined && wrId !== this.#parts.loses) job.status = status;
    return status === IbWcStatus.SUCCESS;
  }

  #post(job: number): void {
    const { slots, region, connection } = this.#parts;
    const slot = slots.slot(region, job);
    const write = job % 2 === 0;
    const wrId = this.jobs.length;
    this.jobs.push({ write, slot, status: null });
    ibPostSend(connection.qp, [this.#request(wrId, slot, write)]);
  }

  #request(wrId: number, slot: number, write: boolean): IbSendWr {
    const { slots, lkey, rkey } = this.#parts;
    const offset = slots.offset(slot);
    return {
      wrId,
      opcode: write ? 'rdma-write' : 'rdma-read',
      sgList: [{ addr: offset, length: slots.slotBytes, lkey }],
      sendFlags: { signaled: true },
      remoteAddr: offset,
      rkey: rkey(),
    };
  }
}

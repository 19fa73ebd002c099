// LentConnection: the queue pairs between the adapter beside the lent memory and the peer, one pair per region.
// Source followed: what a user of verbs sets up before the first transfer, and again after a queue pair has failed.
// Simplified: as the scene: no connection manager.

import { InternalError, type ModelTask } from '@sgfree/hw-model';
import type { Outcome } from '@sgfree/mm';
import { type IbCq, type IbQp, ibCreateCq, ibCreateQp, ibDestroyQp } from '@sgfree/rdma/stage-6';
import type { ExportedBarScene } from '../exported-bar/exported-bar-scene.ts';
import { connectEnds, type RdmaEnd } from '../exported-bar/rdma-end.ts';

const MOST_IN_FLIGHT = 16;
const CAPACITY = {
  maxSendWr: MOST_IN_FLIGHT,
  maxRecvWr: 1,
  maxSendSge: 1,
  maxRecvSge: 1,
  maxInlineData: 0,
} as const;

/** @internal */
export class LentConnection {
  readonly #near: RdmaEnd;
  readonly #far: RdmaEnd;

  constructor({ near, far }: ExportedBarScene) {
    this.#near = anotherEnd(near);
    this.#far = anotherEnd(far.end);
    this.reconnect();
  }

  /** Takes both queue pairs, in any state, to ready-to-send. */
  reconnect(): void {
    connectEnds(this.#near, this.#far);
  }

  /** Where the peer posts. */
  get qp(): IbQp {
    return this.#far.qp;
  }

  /** Where the peer's completions come. */
  get cq(): IbCq {
    return this.#far.cq;
  }

  /** The queue pair that serves the peer. */
  get serving(): IbQp {
    return this.#near.qp;
  }

  *close(): ModelTask<void> {
    yield* ibDestroyQp(this.#near.qp);
    yield* ibDestroyQp(this.#far.qp);
  }
}

/** A further queue pair of the same device and protection domain. */
function anotherEnd({ device, pd }: RdmaEnd): RdmaEnd {
  const cq = made(ibCreateCq(device, 2 * MOST_IN_FLIGHT));
  const qp = made(ibCreateQp(pd, { qpType: 'rc', sendCq: cq, recvCq: cq, cap: CAPACITY }));
  return { device, pd, cq, qp };
}

function made<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new InternalError(`an adapter has no room for a queue pair: ${outcome.errno}`);
  return outcome.value;
}

// LentConnection: the queue pairs between the adapter beside the lent memory and the peer, one pair per region.
// Source followed: what a user of verbs sets up before the first transfer, and again after a queue pair has failed.
// Simplified: as the scene: no connection manager.

import type { ModelTask } from '@sgfree/hw-model';
import { type IbCq, type IbQp, ibDestroyQp } from '@sgfree/rdma/stage-6';
import type { ExportedBarScene } from '../exported-bar/exported-bar-scene.ts';
import { anotherEnd, connectEnds, type RdmaEnd } from '../exported-bar/rdma-end.ts';

const MOST_IN_FLIGHT = 16;

/** @internal */
export class LentConnection {
  readonly #near: RdmaEnd;
  readonly #far: RdmaEnd;

  constructor({ near, far }: ExportedBarScene) {
    this.#near = anotherEnd(near, MOST_IN_FLIGHT);
    this.#far = anotherEnd(far.end, MOST_IN_FLIGHT);
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

// ObjectMover: the card's driver at its own work: it moves objects to system memory, back, and about in VRAM, and takes all of VRAM back,
// while peers work on them.
// Source followed: what TTM does under memory pressure and before a card sleeps.
// Simplified: it acts when so many requests of peers have been counted, on an object on which the disk or the peer is at work.

import {
  DmaResvUsage,
  dmaFenceGetStub,
  dmaFencePut,
  dmaResvLock,
  dmaResvReplaceFences,
  dmaResvUnlock,
} from '@sgfree/dma-buf';
import { evictAll, moveBo } from '@sgfree/gpu-driver';
import type { ModelTask } from '@sgfree/hw-model';
import type { ExchangeScene } from './exchange-scene.ts';
import type { ObjectTraffic } from './object-traffic.ts';

/** In turn, before all of VRAM is taken back in the end; the second move to VRAM often finds the object there. */
const ACTIONS: readonly ('tt' | 'vram')[] = ['tt', 'vram', 'vram'];
/** Each byte of an object crosses the bus so often in one round. */
const CROSSINGS = 4;
/** No request is longer: so many at least are made. */
const REQUEST_BYTES = 512;
/** The last part of the traffic that is left alone, so that the last action finds some: as many gaps. */
const REST = 3;

/** @internal */
export class ObjectMover<Mapping extends object> {
  /** Actions that were taken, and those that failed. */
  acted = 0;
  failed = 0;
  readonly #scene: ExchangeScene<Mapping>;
  readonly #traffic: readonly ObjectTraffic<Mapping>[];

  constructor(scene: ExchangeScene<Mapping>, traffic: readonly ObjectTraffic<Mapping>[]) {
    this.#scene = scene;
    this.#traffic = traffic;
  }

  *run(): ModelTask<void> {
    const { moves, rounds, plant } = this.#scene.settings;
    const bytes = this.#traffic.reduce((sum, { object }) => sum + object.bo.bytes, 0);
    const gap = (bytes * rounds * CROSSINGS) / REQUEST_BYTES / (moves + REST);
    for (let turn = 0; turn < moves && plant !== 'still'; turn += 1) {
      const due = (turn + 1) * gap;
      const ready = (): boolean =>
        this.#traffic.every(({ ended }) => ended) ||
        (this.#scene.book.accesses >= due && this.#busy(turn) !== undefined);
      yield { at: 'mover:waits', until: ready };
      const traffic = this.#busy(turn);
      if (traffic === undefined) return;
      const action = turn === moves - 1 ? 'evict' : (ACTIONS[turn % ACTIONS.length] ?? 'tt');
      const error =
        action === 'evict' ? yield* evictAll(this.#scene.kernel.card) : yield* this.#move(traffic, action);
      this.acted += 1;
      if (error !== 0 && action !== 'evict') this.failed += 1;
    }
  }

  /** An object on which the disk is at work, in every second turn rather the peer; undefined while there is none. */
  #busy(turn: number): ObjectTraffic<Mapping> | undefined {
    const byDisk = this.#traffic.find(({ object }) => object.disk.working);
    if (turn === 0) return byDisk;
    const byPeer = this.#traffic.find(({ object }) => object.link.outstanding > 0);
    return turn % 2 === 0 ? (byDisk ?? byPeer) : (byPeer ?? byDisk);
  }

  *#move({ object }: ObjectTraffic<Mapping>, to: 'tt' | 'vram'): ModelTask<number> {
    const { bo } = object;
    yield* dmaResvLock(bo.resv);
    if (this.#scene.settings.plant === 'no-wait') this.#overlook(object.disk.fenceContext, object);
    const error = yield* moveBo(bo, to);
    dmaResvUnlock(bo.resv);
    return error;
  }

  /** Forgets what an importer said of its work. */
  #overlook(context: number, { bo }: ObjectTraffic<Mapping>['object']): void {
    const stub = dmaFenceGetStub(this.#scene.kernel.dmaBufs);
    dmaResvReplaceFences(bo.resv, context, stub, DmaResvUsage.BOOKKEEP);
    dmaFencePut(stub);
  }
}

// RdmaPairEngine: one queue pair with its requester, completer and responder, each a task that runs while it has work.
// Source followed: the kernel's rxe driver (rxe_task.c): a task that is woken while it runs is not started twice.
// Simplified: tasks are daemons; a NIC that waits for work is idle, not deadlocked.

import type { Clock } from '../../clock.ts';
import type { Scheduler } from '../../scheduler.ts';
import type { ModelTask } from '../../yield-point.ts';
import { RdmaCompleter } from './rdma-completer.ts';
import type { RdmaEngineParts } from './rdma-engine-parts.ts';
import type { RdmaPacket } from './rdma-packet.ts';
import { type RdmaAsyncEvent, type RdmaQpSpec, RdmaQueuePair } from './rdma-queue-pair.ts';
import { RdmaRequester } from './rdma-requester.ts';
import { RdmaResponder } from './rdma-responder.ts';
import { RdmaRetry } from './rdma-retry.ts';

/**
 * What an engine is made with.
 * @internal
 */
export interface RdmaPairEngineParts {
  readonly number: number;
  readonly spec: RdmaQpSpec;
  readonly nicName: string;
  readonly scheduler: Scheduler;
  readonly clock: Clock;
  readonly parts: RdmaEngineParts;
  readonly report: (event: RdmaAsyncEvent, pair: RdmaQueuePair) => void;
}

/**
 * A queue pair at work.
 * @internal
 */
export class RdmaPairEngine {
  readonly pair: RdmaQueuePair;
  readonly #retry: RdmaRetry;
  readonly #requester: RdmaRequester;
  readonly #completer: RdmaCompleter;
  readonly #responder: RdmaResponder;
  readonly #spawn: (what: string, body: ModelTask<void>) => void;
  readonly #running = new Set<string>();

  constructor({ number, spec, nicName, scheduler, clock, parts, report }: RdmaPairEngineParts) {
    this.#spawn = (what, body) => {
      scheduler.spawn(`${nicName}:qp${number}:${what}`, body, { daemon: true });
    };
    this.pair = new RdmaQueuePair(number, spec, {
      wakeRequester: () => this.#wakeRequester(),
      stopTimers: () => this.#stop(),
      spawn: this.#spawn,
      report,
    });
    this.#retry = new RdmaRetry(this.pair, clock, parts.counters, () => this.#wakeRequester());
    this.#requester = new RdmaRequester(parts, this.pair, this.#retry);
    this.#completer = new RdmaCompleter(parts, this.pair, this.#retry);
    this.#responder = new RdmaResponder(parts, this.pair);
  }

  /** False when the pair does not take packets of this kind now. */
  deliver(packet: RdmaPacket): boolean {
    const { state, requests, responses } = this.pair;
    if (state === 'reset' || state === 'init' || state === 'err') return false;
    if (packet.kind === 'request') {
      requests.push(packet);
      this.#wake('serve', () => this.#responder.run());
      return true;
    }
    if (state === 'rtr') return false;
    responses.push(packet);
    this.#wake('answers', () => this.#completer.run());
    return true;
  }

  #wakeRequester(): void {
    if (this.#requester.nextEntry() !== undefined) this.#wake('send', () => this.#requester.run());
  }

  #stop(): void {
    this.#retry.stop();
    if (this.pair.state === 'reset') this.#responder.reset();
  }

  #wake(what: string, body: () => ModelTask<void>): void {
    if (this.#running.has(what)) return;
    this.#running.add(what);
    this.#spawn(what, this.#run(what, body()));
  }

  *#run(what: string, body: ModelTask<void>): ModelTask<void> {
    yield* body;
    this.#running.delete(what);
  }
}

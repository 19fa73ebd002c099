// RdmaQueuePair: a send queue and a receive queue, their state, and what has arrived from the peer.
// Source followed: InfiniBand Architecture Specification 1.3, section 10.3.1 (states) and 10.7 (queues, flushing);
// sequence numbers and retry counters as in the kernel's rxe driver (struct rxe_qp).
// An error stops the pair at its next bus request; the completions of what it still held come, in post order, only when
// none of its requests is on the bus any more.
// Simplified: two service types; no shared receive queues; a failing send of an unreliable pair is fatal, too.

import type { ModelTask } from '../../yield-point.ts';
import type { RdmaCompletion, RdmaCompletionQueue } from './rdma-completion-queue.ts';
import type { RdmaAccessor } from './rdma-memory-port.ts';
import type { RdmaRequestPacket, RdmaResponsePacket } from './rdma-packet.ts';
import { RdmaSendEntry } from './rdma-send-entry.ts';
import { RDMA_STATUS, type RdmaStatus } from './rdma-status.ts';
import type { RdmaReceiveRequest, RdmaSendRequest } from './rdma-work-request.ts';

/**
 * Reliable or unreliable connection.
 * @public
 */
export type RdmaQpType = 'rc' | 'uc';

/**
 * States of a queue pair: reset, initialised, ready to receive, ready to send, send queue drained, send queue error, error.
 * @public
 */
export type RdmaQpState = 'reset' | 'init' | 'rtr' | 'rts' | 'sqd' | 'sqe' | 'err';

/**
 * What software sets with a change of state.
 * @public
 */
export interface RdmaQpAttributes {
  /** What peers may do at all through this pair: a sum of {@link RDMA_ACCESS} bits. Default 0. */
  readonly remoteAccess: number;
  /** Address of the peer's NIC on the wire, and its queue pair. */
  readonly destination: number;
  readonly destinationQp: number;
  /** Payload bytes of a packet. Default 1024. */
  readonly mtu: number;
  /** First sequence number of each direction. Default 0. */
  readonly sendPsn: number;
  readonly receivePsn: number;
  /** Reads and atomics that may be outstanding here, and that the peer may have outstanding. Default 1. */
  readonly maxRdAtomic: number;
  readonly maxDestRdAtomic: number;
  /** Time without an acknowledgement after which packets are sent again; 0 = for ever. Default 67. */
  readonly timeoutMs: number;
  /** Times that packets are sent again without progress, 0 to 7. Default 7. */
  readonly retryCount: number;
  /** Times that a peer may not be ready to receive, 0 to 6; 7 = any number. Default 7. */
  readonly rnrRetry: number;
  /** How long the peer is to wait when there is nothing to receive into. Default 1. */
  readonly rnrTimerMs: number;
}

/** What a pair is set to after a reset. */
const RESET_ATTRIBUTES: RdmaQpAttributes = {
  remoteAccess: 0,
  destination: -1,
  destinationQp: -1,
  mtu: 1024,
  sendPsn: 0,
  receivePsn: 0,
  maxRdAtomic: 1,
  maxDestRdAtomic: 1,
  timeoutMs: 67,
  retryCount: 7,
  rnrRetry: 7,
  rnrTimerMs: 1,
};

/**
 * How a queue pair is made.
 * @public
 */
export interface RdmaQpSpec {
  readonly type: RdmaQpType;
  /** Protection domain, a number that software chooses. */
  readonly pd: number;
  readonly sendCompletions: RdmaCompletionQueue;
  readonly receiveCompletions: RdmaCompletionQueue;
}

/**
 * What a NIC tells software without being asked: the peer did what a key does not permit, or asked for what this pair does
 * not do; the pair broke; a completion was lost; a send queue has drained.
 * @public
 */
export type RdmaAsyncEvent =
  | 'qp-access-error'
  | 'qp-request-error'
  | 'qp-fatal'
  | 'cq-error'
  | 'send-queue-drained';

/**
 * What a pair asks of its NIC.
 * @internal
 */
export interface RdmaQpHost {
  /** Has the sender look at the send queue. */
  readonly wakeRequester: (pair: RdmaQueuePair) => void;
  /** Has the timers of the pair stopped. */
  readonly stopTimers: (pair: RdmaQueuePair) => void;
  /** Runs a task of the pair. */
  readonly spawn: (name: string, body: ModelTask<void>) => void;
  readonly report: (event: RdmaAsyncEvent, pair: RdmaQueuePair) => void;
}

/**
 * A queue pair of a NIC.
 * @public
 */
export class RdmaQueuePair implements RdmaAccessor {
  readonly number: number;
  readonly type: RdmaQpType;
  readonly pd: number;
  readonly sendCompletions: RdmaCompletionQueue;
  readonly receiveCompletions: RdmaCompletionQueue;
  /** Bus requests of this pair that have not finished. */
  requestsInFlight = 0;
  /** Next sequence number to send. @internal */
  sendPsn = 0;
  /** Next sequence number expected. @internal */
  receivePsn = 0;
  /** @internal */
  readonly sends: RdmaSendEntry[] = [];
  /** @internal */
  readonly receives: RdmaReceiveRequest[] = [];
  /** Requests of the peer that wait. @internal */
  readonly requests: RdmaRequestPacket[] = [];
  /** Answers of the peer that wait. @internal */
  readonly responses: RdmaResponsePacket[] = [];
  readonly #host: RdmaQpHost;
  #state: RdmaQpState = 'reset';
  #attributes: RdmaQpAttributes = RESET_ATTRIBUTES;
  #cause: RdmaSendEntry | null = null;
  #flushing = false;
  #drainReported = false;
  #life = 0;

  /** @internal */
  constructor(number: number, spec: RdmaQpSpec, host: RdmaQpHost) {
    this.number = number;
    this.type = spec.type;
    this.pd = spec.pd;
    this.sendCompletions = spec.sendCompletions;
    this.receiveCompletions = spec.receiveCompletions;
    this.#host = host;
  }

  get state(): RdmaQpState {
    return this.#state;
  }

  get attributes(): RdmaQpAttributes {
    return this.#attributes;
  }

  /** True when no request may be issued for this pair. */
  get stopped(): boolean {
    return this.#state === 'err' || this.#state === 'reset';
  }

  /** Changes whenever the pair is stopped: what began in an earlier life is abandoned. @internal */
  get life(): number {
    return this.#life;
  }

  /** Work requests that have no completion yet. */
  get outstanding(): { readonly sends: number; readonly receives: number } {
    return { sends: this.sends.length, receives: this.receives.length };
  }

  /** Changes state and attributes. Which changes make sense is software's business. */
  modify(state: RdmaQpState, attributes: Partial<RdmaQpAttributes> = {}): void {
    this.#attributes = { ...(state === 'reset' ? RESET_ATTRIBUTES : this.#attributes), ...attributes };
    if (attributes.sendPsn !== undefined) this.sendPsn = attributes.sendPsn;
    if (attributes.receivePsn !== undefined) this.receivePsn = attributes.receivePsn;
    if (state === 'err') {
      if (this.#state !== 'err') this.#enterError(null);
      return;
    }
    this.#state = state;
    this.#drainReported = false;
    if (state === 'reset') this.#forget();
    else this.#host.wakeRequester(this);
    this.#reportIfDrained();
  }

  /** Puts a request at the end of the send queue. */
  postSend(request: RdmaSendRequest): void {
    this.sends.push(new RdmaSendEntry(request));
    if (this.#state === 'err') this.#flushSoon();
    else this.#host.wakeRequester(this);
  }

  /** Puts a request at the end of the receive queue. */
  postReceive(request: RdmaReceiveRequest): void {
    this.receives.push(request);
    if (this.#state === 'err') this.#flushSoon();
  }

  /** The pair is in error from now on. `event` is reported unless null. @internal */
  fail(event: RdmaAsyncEvent | null): void {
    if (!this.stopped) this.#enterError(event);
  }

  #enterError(event: RdmaAsyncEvent | null): void {
    const [head] = this.sends;
    this.#cause = head?.failed === true ? head : null;
    this.#state = 'err';
    this.#life += 1;
    this.#host.stopTimers(this);
    this.requests.length = 0;
    this.responses.length = 0;
    if (event !== null) this.#host.report(event, this);
    this.#flushSoon();
  }

  /** Reports finished sends in post order, up to the first that is not finished, and sends what can go now. @internal */
  drain(): void {
    for (let head = this.sends[0]; head?.done === true && !head.busy; head = this.sends[0]) {
      if (this.stopped) return;
      if (head.failed) {
        this.fail(null);
        return;
      }
      this.sends.shift();
      if (head.request.signaled) this.#completeSend(head, RDMA_STATUS.SUCCESS);
    }
    this.#reportIfDrained();
    this.#host.wakeRequester(this);
  }

  /** Reports a finished receive. @internal */
  completeReceive(completion: Omit<RdmaCompletion, 'qpNumber'>): void {
    this.#post(this.receiveCompletions, { ...completion, qpNumber: this.number });
  }

  /** Waits until no request of this pair is on the bus. */
  *quiesce(): ModelTask<void> {
    yield { at: 'rdma:qp-quiesce', until: () => this.requestsInFlight === 0 };
  }

  /** Tells software when everything that had begun is done. */
  #reportIfDrained(): void {
    if (this.#state !== 'sqd' || this.#drainReported || this.sends.some((entry) => entry.begun)) return;
    this.#drainReported = true;
    this.#host.report('send-queue-drained', this);
  }

  #completeSend(entry: RdmaSendEntry, status: RdmaStatus): void {
    const { wrId, opcode } = entry.request;
    this.#post(this.sendCompletions, {
      wrId,
      status,
      opcode: COMPLETION_OPCODES[opcode],
      byteLength: entry.bytes,
      qpNumber: this.number,
    });
  }

  #post(queue: RdmaCompletionQueue, completion: RdmaCompletion): void {
    if (queue.post(completion)) return;
    this.#host.report('cq-error', this);
    this.fail(null);
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    this.#host.spawn('flush', this.#flush());
  }

  *#flush(): ModelTask<void> {
    yield* this.quiesce();
    this.#flushing = false;
    if (this.#state !== 'err') return;
    for (const entry of this.sends.splice(0)) {
      this.#completeSend(entry, entry === this.#cause ? entry.status : RDMA_STATUS.WR_FLUSH_ERR);
    }
    const status = RDMA_STATUS.WR_FLUSH_ERR;
    for (const { wrId } of this.receives.splice(0)) {
      this.completeReceive({ wrId, status, opcode: 'receive', byteLength: 0 });
    }
  }

  #forget(): void {
    this.#life += 1;
    this.#host.stopTimers(this);
    this.#cause = null;
    this.sendPsn = this.#attributes.sendPsn;
    this.receivePsn = this.#attributes.receivePsn;
    for (const queue of [this.sends, this.receives, this.requests, this.responses]) queue.length = 0;
  }
}

const COMPLETION_OPCODES: Readonly<Record<RdmaSendRequest['opcode'], RdmaCompletion['opcode']>> = {
  'rdma-write': 'rdma-write',
  'rdma-write-with-imm': 'rdma-write',
  send: 'send',
  'send-with-imm': 'send',
  'send-with-inv': 'send',
  'rdma-read': 'rdma-read',
  'compare-swap': 'compare-swap',
  'fetch-add': 'fetch-add',
  'local-inv': 'local-inv',
  'reg-mr': 'reg-mr',
  'bind-mw': 'bind-mw',
};

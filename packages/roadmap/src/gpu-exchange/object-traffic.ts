// ObjectTraffic: the way of an object's bytes, round after round: from the disk into the object, over the wire to the peer, other bytes
// back from the peer, and from the object to the disk. Every byte is compared at each end.
// Source followed: the project's stage 8.
// Simplified: one step at a time for each object; objects are under way together.

import type { ModelTask } from '@sgfree/hw-model';
import type { ExchangeScene } from './exchange-scene.ts';
import type { SharedObject } from './shared-object.ts';

/** Bytes of a batch for the disk: what one fence covers. */
const BATCH_BYTES = 65536;

/** @internal */
export class ObjectTraffic<Mapping extends object> {
  /** Bytes that importers put into objects, and took out of them. */
  bytesIn = 0;
  bytesOut = 0;
  /** The first failure; null: none. */
  failure: string | null = null;
  /** Nothing more comes. */
  ended = false;
  readonly object: SharedObject<Mapping>;
  readonly #scene: ExchangeScene<Mapping>;

  constructor(scene: ExchangeScene<Mapping>, object: SharedObject<Mapping>) {
    this.#scene = scene;
    this.object = object;
  }

  *run(): ModelTask<void> {
    const { rounds } = this.#scene.settings;
    for (let round = 0; round < rounds && this.failure === null; round += 1) {
      yield* this.#toPeer(round);
      if (this.failure === null) yield* this.#back(round);
    }
    this.ended = true;
  }

  *#toPeer(round: number): ModelTask<void> {
    const { data } = this.#scene;
    const { index, bo, link } = this.object;
    const wanted = data.held(index, round, bo.bytes);
    link.store(wanted.map((byte) => byte ^ 0xff));
    if (!(yield* this.#disk('read', data.position(index, round, 'read')))) return;
    yield* this.object.compare(wanted);
    if (yield* this.#peer('rdma-read')) data.compare(link.load(), wanted);
  }

  *#back(round: number): ModelTask<void> {
    const { data } = this.#scene;
    const { index, bo, link } = this.object;
    const wanted = data.sent(index, round, bo.bytes);
    link.store(wanted);
    if (!(yield* this.#peer('rdma-write'))) return;
    yield* this.object.compare(wanted);
    if (yield* this.#disk('write', data.position(index, round, 'written')))
      data.compare(data.written(index, round, bo.bytes), wanted);
  }

  *#disk(operation: 'read' | 'write', position: number): ModelTask<boolean> {
    const { bo, disk } = this.object;
    for (let offset = 0; offset < bo.bytes; offset += BATCH_BYTES) {
      const bytes = Math.min(BATCH_BYTES, bo.bytes - offset);
      const error = yield* disk.transfer({ operation, position: position + offset, offset, bytes });
      if (error !== 0) return this.#fails(`the disk's ${operation} ended with ${error}`);
      if (operation === 'read') this.bytesIn += bytes;
      else this.bytesOut += bytes;
    }
    return true;
  }

  *#peer(opcode: 'rdma-read' | 'rdma-write'): ModelTask<boolean> {
    const { bo, link } = this.object;
    if (!(yield* link.transfer(opcode))) return this.#fails(`${opcode} ended with ${link.failures[0]}`);
    if (opcode === 'rdma-write') this.bytesIn += bo.bytes;
    else this.bytesOut += bo.bytes;
    return true;
  }

  #fails(what: string): false {
    this.failure = `${this.object.bo.spec.name}: ${what}`;
    return false;
  }
}

// GpuCopyEngine: the part of a GPU that moves bytes between its memory and the bus, one order after the other.
// Source followed: the copy engines of today's GPUs: one ring, in-order execution, completion by an interrupt.
// A copy can be caught between any two pieces: each piece is one bus request, or one page of VRAM, in a clock step of its own.
// Simplified: one ring; orders are taken from a queue of the model and not fetched from memory; a failed order does not stop the ring.

import { addOffset } from '../../addresses.ts';
import type { Clock } from '../../clock.ts';
import type { BarMemory } from '../../fabric/bar-memory.ts';
import type { Scheduler } from '../../scheduler.ts';
import type { ModelTask, YieldPoint } from '../../yield-point.ts';
import type { DmaEngine, TransferStatus } from '../dma-engine.ts';
import type { GpuCopy, GpuPlace } from './gpu-copy.ts';

const STEP_BYTES = 4096;
const COPY_POINT: YieldPoint = { at: 'gpu:copy' };

/**
 * Executes copies in the order in which they were submitted.
 * @public
 */
export class GpuCopyEngine {
  /** Orders done, those that failed, and bytes moved. */
  readonly counters: { copies: number; failed: number; bytes: number } = { copies: 0, failed: 0, bytes: 0 };
  readonly #name: string;
  readonly #scheduler: Scheduler;
  readonly #clock: Clock;
  readonly #dma: DmaEngine;
  readonly #vram: BarMemory;
  readonly #ring: { readonly copy: GpuCopy; readonly epoch: number }[] = [];
  #running = false;
  #epoch = 0;

  /** @internal */
  constructor(parts: {
    readonly name: string;
    readonly scheduler: Scheduler;
    readonly clock: Clock;
    readonly dma: DmaEngine;
    readonly vram: BarMemory;
  }) {
    this.#name = `${parts.name} copy engine`;
    this.#scheduler = parts.scheduler;
    this.#clock = parts.clock;
    this.#dma = parts.dma;
    this.#vram = parts.vram;
  }

  /** Orders that are not done. */
  get pending(): number {
    return this.#ring.length;
  }

  /** Puts an order into the ring. */
  submit(copy: GpuCopy): void {
    this.#ring.push({ copy, epoch: this.#epoch });
    if (this.#running) return;
    this.#running = true;
    this.#scheduler.spawn(this.#name, this.#run());
  }

  /** A reset: what is in flight stops before its next piece, and everything in the ring ends as `halted`; later orders run. */
  halt(): void {
    this.#epoch += 1;
    this.#dma.halt();
  }

  *#run(): ModelTask<void> {
    for (let order = this.#ring[0]; order !== undefined; order = this.#ring[0]) {
      const { copy, epoch } = order;
      const status = yield* this.#execute(copy, epoch);
      this.#ring.shift();
      this.counters.copies += 1;
      if (status !== 'success') this.counters.failed += 1;
      copy.done(status);
    }
    this.#running = false;
  }

  *#execute(copy: GpuCopy, epoch: number): ModelTask<TransferStatus> {
    const buffer = new Uint8Array(Math.min(copy.bytes, STEP_BYTES));
    for (let at = 0; at < copy.bytes; at += STEP_BYTES) {
      yield COPY_POINT;
      if (epoch !== this.#epoch) return 'halted';
      const bytes = Math.min(STEP_BYTES, copy.bytes - at);
      const read = yield* this.#read(copy.from, at, buffer, bytes);
      if (read !== 'success') return read;
      const written = yield* this.#write(copy.to, at, buffer, bytes);
      if (written !== 'success') return written;
      this.counters.bytes += bytes;
    }
    return 'success';
  }

  *#read(from: GpuPlace, at: number, into: Uint8Array, bytes: number): ModelTask<TransferStatus> {
    if ('bus' in from) return yield* this.#dma.read(addOffset(from.bus, at), into, 0, bytes);
    this.#clock.tick();
    return this.#vram.mmioRead(from.vram + at, into.subarray(0, bytes)) ? 'success' : 'unsupported-request';
  }

  *#write(to: GpuPlace, at: number, from: Uint8Array, bytes: number): ModelTask<TransferStatus> {
    if ('bus' in to) return yield* this.#dma.write(addOffset(to.bus, at), from, 0, bytes);
    this.#clock.tick();
    return this.#vram.mmioWrite(to.vram + at, from.subarray(0, bytes)) ? 'success' : 'unsupported-request';
  }
}

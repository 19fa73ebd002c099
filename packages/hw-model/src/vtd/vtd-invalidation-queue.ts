// VtdInvalidationQueue: the ring of descriptors that software fills and the unit works off when IQT is written.
// Source followed: VT-d specification 6.5.2 (queued invalidation interface), 11.4.21 to 11.4.24 (IQH, IQT, IQA, IQER).
// A bad descriptor stops the queue: the head stays on it and FSTS.IQE is set until software clears it.
// Simplified: a batch is done before the write to IQT returns; stores of wait descriptors to no memory vanish.

import { physOfFrame } from '../addresses.ts';
import { pairOf, type RegisterPair } from '../iommu-unit/register-pair.ts';
import type { PhysicalMemory } from '../physical-memory.ts';
import { VtdQueueError } from './vtd-registers.ts';

/**
 * Who carries out decoded descriptors: returns 0, or a {@link VtdQueueError} code.
 * @internal
 */
export interface VtdDescriptorExecutor {
  execute(words: Uint32Array): number;
}

const DESCRIPTOR_WIDTH_256 = 0x800;
const PAGE = 4096;

/**
 * Queue registers and fetch engine of one unit.
 * @public
 */
export class VtdInvalidationQueue {
  readonly #memory: PhysicalMemory;
  readonly #executor: VtdDescriptorExecutor;
  readonly #onError: () => void;
  readonly #descriptor = new Uint32Array(8);
  /** The ring's page that was read last, live, and its frame. */
  #pageFrame = -1;
  #page: Uint32Array = new Uint32Array(0);
  #baseFrame = 0;
  #baseLow = 0;
  #head = 0;
  #tail = 0;
  #enabled = false;
  #error: number = VtdQueueError.none;
  #stopped = false;

  constructor(memory: PhysicalMemory, executor: VtdDescriptorExecutor, onError: () => void) {
    this.#memory = memory;
    this.#executor = executor;
    this.#onError = onError;
  }

  /** IQH: byte offset of the next descriptor to fetch. */
  get head(): number {
    return this.#head;
  }

  /** IQT: byte offset behind the last descriptor. */
  get tail(): number {
    return this.#tail;
  }

  /** IQER bits 3:0. */
  get error(): number {
    return this.#error;
  }

  get enabled(): boolean {
    return this.#enabled;
  }

  get base(): RegisterPair {
    const [low, high] = pairOf(this.#baseFrame * PAGE);
    return [low + this.#baseLow, high];
  }

  set base(value: RegisterPair) {
    this.#baseFrame = (value[1] & 0xfffff) * 0x100000 + (value[0] >>> 12);
    this.#baseLow = value[0] & (DESCRIPTOR_WIDTH_256 | 7);
    this.#descriptor.fill(0);
  }

  /** GCMD.QIE: while the queue is off the head is 0, so that switching on starts there. */
  set enabled(on: boolean) {
    if (!on) this.#head = 0;
    this.#enabled = on;
    this.drain();
  }

  /** A write to IQT. */
  set tail(value: number) {
    this.#tail = value;
    this.drain();
  }

  /** Software cleared FSTS.IQE: fetching goes on at the head. */
  resume(): void {
    this.#stopped = false;
    this.#error = VtdQueueError.none;
    this.drain();
  }

  /** Fetches and executes until the queue is empty or stops on an error. */
  drain(): void {
    const width = (this.#baseLow & DESCRIPTOR_WIDTH_256) === 0 ? 16 : 32;
    const ringBytes = PAGE * 2 ** (this.#baseLow & 7);
    while (this.#enabled && !this.#stopped && this.#head !== this.#tail) {
      const code = this.#step(width, ringBytes);
      if (code === VtdQueueError.none) this.#head = (this.#head + width) & (ringBytes - 1);
      else this.#stop(code);
    }
  }

  #step(width: number, ringBytes: number): number {
    if (this.#tail >= ringBytes || (this.#tail & (width - 1)) !== 0) return VtdQueueError.invalidTail;
    if (!this.#fetch(width)) return VtdQueueError.fetchError;
    return this.#executor.execute(this.#descriptor);
  }

  #fetch(width: number): boolean {
    const frame = this.#baseFrame + Math.floor(this.#head / PAGE);
    if (frame !== this.#pageFrame && !this.#openPage(frame)) return false;
    const page = this.#page;
    const descriptor = this.#descriptor;
    const start = (this.#head & (PAGE - 1)) >>> 2;
    const words = width >>> 2;
    for (let word = 0; word < words; word += 1) descriptor[word] = page[start + word] as number;
    return true;
  }

  #openPage(frame: number): boolean {
    if (!this.#memory.isRam(physOfFrame(frame), PAGE)) return false;
    this.#page = this.#memory.frameWords(frame);
    this.#pageFrame = frame;
    return true;
  }

  #stop(code: number): void {
    this.#stopped = true;
    this.#error = code;
    this.#onError();
  }
}

/**
 * Carries out the status write of a wait descriptor: `value` to the 4-byte aligned address in two words.
 * @internal
 */
export function writeWaitStatus(memory: PhysicalMemory, low: number, high: number, value: number): void {
  const frame = (high & 0xfffff) * 0x100000 + (low >>> 12);
  if (memory.isRam(physOfFrame(frame), PAGE)) memory.frameWords(frame)[(low & 0xfff) >>> 2] = value;
}

// QiQueue: the driver's side of the invalidation queue: 256 descriptors, a status word each, one wait per submission.
// Source followed: drivers/iommu/intel/dmar.c dmar_enable_qi(), qi_submit_sync(), qi_check_fault().
// Descriptors are 16 bytes, or 32 whenever the hardware knows scalable mode, even if it is not switched on.
// Simplified: the unit works the queue off during the tail write, so that waiting is one look at the status word.

import {
  type EventLog,
  InternalError,
  type PhysicalMemory,
  pairOf,
  VtdCommand,
  VtdFaultStatus,
  VtdRegister,
  type VtdUnit,
} from '@sgfree/hw-model';
import { Errno, type FrameAllocator } from '@sgfree/mm';
import { issueCommand } from './global-command.ts';
import { DESCRIPTOR_WORDS, descriptorTypeName, encodeWait, WAIT_DONE } from './qi-descriptor.ts';

/**
 * What the driver's submissions amounted to.
 * @public
 */
export interface QiCounters {
  /** Payload descriptors: every command but the waits. */
  commands: number;
  /** Wait descriptors, one per submission. */
  waits: number;
  /** Writes to the tail register. */
  tailWrites: number;
  /** Submissions the unit refused. */
  errors: number;
}

/** Descriptors in the ring (QI_LENGTH). */
const QUEUE_LENGTH = 256;
const LAST_INDEX = QUEUE_LENGTH - 1;
const IN_USE = 1;
const FREE = 0;
const WIDE_DESCRIPTORS = 0x800;

/**
 * Invalidation queue of one unit.
 * @internal
 */
export class QiQueue {
  readonly counters: QiCounters = { commands: 0, waits: 0, tailWrites: 0, errors: 0 };
  readonly #unit: VtdUnit;
  readonly #log: EventLog;
  readonly #ringFrame: number;
  readonly #statusFrame: number;
  /** The same pages, live. */
  readonly #ring: readonly Uint32Array[];
  readonly #status: Uint32Array;
  /** 32-bit words per descriptor: 4 or 8. */
  readonly #words: number;
  readonly #wait = new Uint32Array(DESCRIPTOR_WORDS);
  #freeHead = 0;

  constructor(unit: VtdUnit, memory: PhysicalMemory, frames: FrameAllocator, log: EventLog) {
    this.#unit = unit;
    this.#log = log;
    this.#words = unit.capabilities.scalableMode ? 8 : 4;
    this.#ringFrame = this.#words === 4 ? frames.alloc() : allocPairOfFrames(frames);
    this.#statusFrame = frames.alloc();
    if (this.#ringFrame < 0 || this.#statusFrame < 0) throw new InternalError('no memory for the queue');
    const pages = this.#words === 4 ? [this.#ringFrame] : [this.#ringFrame, this.#ringFrame + 1];
    this.#ring = pages.map((frame) => memory.frameWords(frame));
    this.#status = memory.frameWords(this.#statusFrame);
  }

  /** Programs IQT and IQA and switches the queue on. */
  enable(): void {
    const [low, high] = pairOf(this.#ringFrame * 4096);
    this.#freeHead = 0;
    this.#unit.writeRegister32(VtdRegister.IQT, 0);
    this.#unit.writeRegister64(
      VtdRegister.IQA,
      this.#words === 4 ? [low, high] : [low + WIDE_DESCRIPTORS + 1, high],
    );
    issueCommand(this.#unit, VtdCommand.queueEnable);
  }

  /**
   * Submits `count` descriptors of {@link DESCRIPTOR_WORDS} words each and waits for them.
   * Returns 0, or -EINVAL when the unit refused one.
   */
  submit(words: Uint32Array, count: number): number {
    const first = this.#freeHead;
    for (let at = 0; at < count; at += 1) this.#put((first + at) & LAST_INDEX, words, at * DESCRIPTOR_WORDS);
    const waitIndex = (first + count) & LAST_INDEX;
    encodeWait(this.#wait, 0, this.#statusFrame * 4096 + waitIndex * 4);
    this.#put(waitIndex, this.#wait, 0);
    this.#freeHead = (first + count + 1) & LAST_INDEX;
    this.counters.commands += count;
    this.counters.waits += 1;
    if (this.#log.enabled) this.#trace(words, count);
    this.#kick();
    const result = this.#checkFault(waitIndex);
    if (this.#statusOf(waitIndex) !== WAIT_DONE) throw new InternalError('a wait descriptor never completed');
    for (let at = 0; at <= count; at += 1) this.#setStatus((first + at) & LAST_INDEX, FREE);
    return result;
  }

  #kick(): void {
    this.counters.tailWrites += 1;
    this.#unit.writeRegister32(VtdRegister.IQT, this.#freeHead * this.#words * 4);
  }

  /** A refused descriptor is overwritten by a copy of the wait, so that the queue can go on past it. */
  #checkFault(waitIndex: number): number {
    let result = 0;
    let refused = 0;
    while ((this.#unit.readRegister32(VtdRegister.FSTS) & VtdFaultStatus.queueError) !== 0) {
      const head = this.#unit.readRegister32(VtdRegister.IQH) / (this.#words * 4);
      if (head === waitIndex) throw new InternalError('the unit refused a wait descriptor');
      refused += 1;
      if (refused > QUEUE_LENGTH) throw new InternalError('the unit refuses every descriptor of the ring');
      this.counters.errors += 1;
      this.#put(head, this.#wait, 0);
      this.#unit.writeRegister32(VtdRegister.FSTS, VtdFaultStatus.queueError);
      result = -Errno.EINVAL;
    }
    return result;
  }

  #put(index: number, words: Uint32Array, at: number): void {
    const start = index * this.#words;
    const ring = this.#ring[start >>> 10] as Uint32Array;
    const slot = start & 1023;
    for (let word = 0; word < this.#words; word += 1) ring[slot + word] = words[at + word] as number;
    this.#setStatus(index, IN_USE);
  }

  #setStatus(index: number, value: number): void {
    this.#status[index] = value;
  }

  #statusOf(index: number): number {
    return this.#status[index] as number;
  }

  #trace(words: Uint32Array, count: number): void {
    for (let at = 0; at < count; at += 1) {
      const start = at * DESCRIPTOR_WORDS;
      this.#log.post({
        kind: 'intel_iommu:qi_submit',
        type: descriptorTypeName(words[start] as number),
        unit: this.#unit.name,
        words: Array.from(words.subarray(start, start + DESCRIPTOR_WORDS)),
      });
    }
  }
}

/** Two adjacent frames (an order-1 page): the lower one, or -1. */
function allocPairOfFrames(frames: FrameAllocator): number {
  const spare: number[] = [];
  let upper = frames.alloc();
  let lower = frames.alloc();
  while (lower >= 0 && upper !== lower + 1) {
    spare.push(upper);
    upper = lower;
    lower = frames.alloc();
  }
  for (const frame of spare) if (frame >= 0) frames.free(frame);
  return lower;
}

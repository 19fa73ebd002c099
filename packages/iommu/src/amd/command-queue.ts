// CommandQueue: the driver's side of the command buffer: 512 commands, and a counter that completed waits have reached.
// Source followed: drivers/iommu/amd/iommu.c (__iommu_queue_command_sync, copy_cmd_to_buffer, iommu_completion_wait,
// wait_on_sem) and init.c (alloc_command_buffer, iommu_enable_command_buffer).
// Every command writes the tail register. The head register is read only when the ring looks full.
// Simplified: the unit works commands off during the tail write, so that waiting is one look at the counter.

import type { PhysicalMemory } from '@sgfree/hw-model';
import { AMD_COMMAND_BYTES, type AmdIommuUnit, AmdRegister, InternalError, pairOf } from '@sgfree/hw-model';
import { Errno, type FrameAllocator } from '@sgfree/mm';
import { buildCompletionWait, COMMAND_WORDS } from './command-words.ts';
import { allocContiguousFrames } from './contiguous-frames.ts';

/**
 * What the driver's commands to one unit amounted to.
 * @public
 */
export interface AmdCommandCounters {
  /** Commands but for the waits. */
  commands: number;
  /** COMPLETION_WAIT commands. */
  waits: number;
  /** Writes to the tail register: one a command. */
  tailWrites: number;
  /** Reads of the head register, because the ring looked full. */
  headReads: number;
  /** Commands that found the ring full and waits that never completed (-EIO). */
  errors: number;
}

/** Bytes of the ring (CMD_BUFFER_SIZE): 512 commands in two pages. */
const RING_BYTES = 8192;
const RING_PAGES = 2;
/** Length field of the base register for 512 commands (bits 59:56, in the high word). */
const LENGTH_512 = 0x09000000;
/** The ring counts as full with so many bytes left. */
const SPARE_BYTES = 0x20;

/**
 * Command buffer of one unit.
 * @internal
 */
export class CommandQueue {
  readonly counters: AmdCommandCounters = { commands: 0, waits: 0, tailWrites: 0, headReads: 0, errors: 0 };
  readonly #unit: AmdIommuUnit;
  readonly #ringFrame: number;
  readonly #semaphoreFrame: number;
  /** The same pages, live. */
  readonly #ring: readonly Uint32Array[];
  readonly #semaphore: Uint32Array;
  readonly #wait = new Uint32Array(COMMAND_WORDS);
  #head = 0;
  #tail = 0;
  #lastWait = 0;
  /** A command has been queued that no wait follows yet. */
  #needSync = false;

  /** Throws {@link @sgfree/hw-model#InternalError} when there is no memory for the ring. */
  constructor(unit: AmdIommuUnit, memory: PhysicalMemory, frames: FrameAllocator) {
    this.#unit = unit;
    this.#ringFrame = allocContiguousFrames(frames, RING_PAGES);
    this.#semaphoreFrame = frames.alloc();
    if (this.#ringFrame < 0 || this.#semaphoreFrame < 0) throw new InternalError('no memory for commands');
    this.#ring = [0, 1].map((page) => memory.frameWords(this.#ringFrame + page));
    this.#semaphore = memory.frameWords(this.#semaphoreFrame);
  }

  /** Programs the base register and empties the ring; the enable bit is the caller's. */
  program(): void {
    const [low, high] = pairOf(this.#ringFrame * 4096);
    this.#unit.writeRegister64(AmdRegister.COMMAND_BASE, [low, high + LENGTH_512]);
    this.#unit.writeRegister32(AmdRegister.COMMAND_HEAD, 0);
    this.#unit.writeRegister32(AmdRegister.COMMAND_TAIL, 0);
    this.#head = 0;
    this.#tail = 0;
  }

  /** Queues a command that a later {@link CommandQueue.completionWait} has to follow. Returns 0, or -EIO: the ring stays full. */
  queue(words: Uint32Array): number {
    const errno = this.#put(words);
    if (errno !== 0) return errno;
    this.#needSync = true;
    this.counters.commands += 1;
    return 0;
  }

  /** Waits for every command queued so far; nothing to do when a wait has followed the last one. Returns 0 or -EIO. */
  completionWait(): number {
    if (!this.#needSync) return 0;
    this.#lastWait += 1;
    buildCompletionWait(this.#wait, pairOf(this.#semaphoreFrame * 4096), pairOf(this.#lastWait));
    const errno = this.#put(this.#wait);
    if (errno !== 0) return errno;
    this.#needSync = false;
    this.counters.waits += 1;
    const reached = (this.#semaphore[1] as number) * 2 ** 32 + (this.#semaphore[0] as number);
    if (reached >= this.#lastWait) return 0;
    this.counters.errors += 1;
    return -Errno.EIO;
  }

  #put(words: Uint32Array): number {
    if (!this.#hasRoom()) {
      this.counters.headReads += 1;
      this.#head = this.#unit.readRegister32(AmdRegister.COMMAND_HEAD);
      if (!this.#hasRoom()) {
        this.counters.errors += 1;
        return -Errno.EIO;
      }
    }
    const ring = this.#ring[this.#tail >>> 12] as Uint32Array;
    const slot = (this.#tail & 0xfff) >>> 2;
    for (let word = 0; word < COMMAND_WORDS; word += 1) ring[slot + word] = words[word] as number;
    this.#tail = (this.#tail + AMD_COMMAND_BYTES) & (RING_BYTES - 1);
    this.counters.tailWrites += 1;
    this.#unit.writeRegister32(AmdRegister.COMMAND_TAIL, this.#tail);
    return 0;
  }

  #hasRoom(): boolean {
    const next = this.#tail + AMD_COMMAND_BYTES;
    return ((this.#head - next) & (RING_BYTES - 1)) > SPARE_BYTES;
  }
}

// AmdCommandBuffer: the ring of commands that software fills and the unit works off when the tail register is written.
// Source followed: AMD I/O Virtualization Technology specification 2.4 (command buffer), 2.5.6 and 2.5.7 (errors).
// An illegal command stops the buffer with the head on it; switching the buffer off and on starts it again.
// Simplified: a batch is done before the write to the tail returns.

import { physOfFrame } from '../addresses.ts';
import { pairOf, type RegisterPair } from '../iommu-unit/register-pair.ts';
import type { PhysicalMemory } from '../physical-memory.ts';
import { AMD_COMMAND_BYTES } from './amd-command.ts';
import { AmdEventFlag, AmdEventType } from './amd-event.ts';
import type { AmdEventLog } from './amd-event-log.ts';
import { AmdControl } from './amd-registers.ts';
import { baseFrameOf, POINTER_MASK, ringBytesOf } from './amd-ring.ts';

/**
 * Who carries out commands; false = illegal.
 * @internal
 */
export interface AmdCommandExecutor {
  execute(words: Uint32Array): boolean;
}

const PAGE = 4096;

/**
 * Command buffer registers and fetch engine of one unit.
 * @public
 */
export class AmdCommandBuffer {
  readonly #memory: PhysicalMemory;
  readonly #executor: AmdCommandExecutor;
  readonly #events: AmdEventLog;
  readonly #command = new Uint32Array(AMD_COMMAND_BYTES / 4);
  #base: RegisterPair = [0, 0];
  #head = 0;
  #tail = 0;
  #enabled = false;
  #running = false;

  constructor(memory: PhysicalMemory, executor: AmdCommandExecutor, events: AmdEventLog) {
    this.#memory = memory;
    this.#executor = executor;
    this.#events = events;
  }

  /** CmdBufRun: commands are fetched. */
  get running(): boolean {
    return this.#running;
  }

  /** Command buffer base register; a write empties the ring. */
  get base(): RegisterPair {
    return this.#base;
  }

  set base(value: RegisterPair) {
    this.#base = value;
    this.#head = 0;
    this.#tail = 0;
  }

  /** Byte offset of the next command to fetch. */
  get head(): number {
    return this.#head;
  }

  set head(value: number) {
    this.#head = value & POINTER_MASK;
  }

  /** Byte offset behind the last command. */
  get tail(): number {
    return this.#tail;
  }

  set tail(value: number) {
    this.#tail = value & POINTER_MASK;
    this.#drain();
  }

  /** The control register has changed: the buffer starts when both enables have come on, and stops when one goes. */
  set control(value: number) {
    const enabled = (value & AmdControl.iommuEnable) !== 0 && (value & AmdControl.commandBufferEnable) !== 0;
    if (enabled !== this.#enabled) this.#running = enabled;
    this.#enabled = enabled;
    this.#drain();
  }

  #drain(): void {
    const bytes = ringBytesOf(this.#base);
    while (this.#running && this.#head !== this.#tail) {
      if (!this.#fetch()) this.#stop(AmdEventType.commandHardwareError, AmdEventFlag.masterAbort);
      else if (!this.#executor.execute(this.#command)) this.#stop(AmdEventType.illegalCommand, 0);
      else this.#head = (this.#head + AMD_COMMAND_BYTES) & (bytes - 1);
    }
  }

  #fetch(): boolean {
    const frame = baseFrameOf(this.#base) + Math.floor(this.#head / PAGE);
    if (!this.#memory.isRam(physOfFrame(frame), PAGE)) return false;
    const page = this.#memory.frameWords(frame);
    const start = (this.#head & (PAGE - 1)) >>> 2;
    for (let word = 0; word < 4; word += 1) this.#command[word] = page[start + word] as number;
    return true;
  }

  /** The event names the command by its physical address. */
  #stop(type: number, flags: number): void {
    this.#running = false;
    this.#events.record(type, 0, 0, flags, pairOf(baseFrameOf(this.#base) * PAGE + this.#head));
  }
}

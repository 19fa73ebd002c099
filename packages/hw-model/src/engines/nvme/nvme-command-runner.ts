// NvmeCommandRunner: takes entries out of submission queues, has them executed, and posts their completions.
// Source followed: NVM Express Base Specification 2.0, sections 3.3.1 (queues), 3.3.3.2 (completion entry, phase tag),
// 3.4.1 (commands execute in any order); a failing access to a queue is a fatal controller status (section 9.5).
// All tasks are daemons: a controller that waits for the host is idle, not deadlocked.
// Simplified: entries are fetched one by one until the ring is empty; no abort, no fused commands.

import { addOffset } from '../../addresses.ts';
import type { Scheduler } from '../../scheduler.ts';
import type { ModelTask } from '../../yield-point.ts';
import type { DmaEngine } from '../dma-engine.ts';
import type { NvmeAdminCommands } from './nvme-admin-commands.ts';
import { NVME_SUBMISSION_ENTRY_BYTES, NvmeCommand } from './nvme-command.ts';
import type { NvmeCounters } from './nvme-counters.ts';
import type { NvmeIoCommands } from './nvme-io-commands.ts';
import { NVME_COMPLETION_ENTRY_BYTES, type NvmeSubmissionQueue } from './nvme-queue.ts';
import { NVME_STATUS, NVME_STATUS_DNR, type NvmeOutcome } from './nvme-status.ts';

/**
 * What a runner is wired to.
 * @internal
 */
export interface NvmeRunnerParts {
  /** Prefix of task names. */
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly dma: DmaEngine;
  readonly counters: NvmeCounters;
  readonly admin: NvmeAdminCommands;
  readonly io: NvmeIoCommands;
  /** Reports that a queue in host memory could not be reached. */
  readonly fail: () => void;
  readonly interrupt: (vector: number) => void;
}

/**
 * Fetches, executes and completes the commands of a controller.
 * @internal
 */
export class NvmeCommandRunner {
  readonly #parts: NvmeRunnerParts;

  constructor(parts: NvmeRunnerParts) {
    this.#parts = parts;
  }

  /** Starts fetching from a queue whose tail has moved, unless a task does that already. */
  wake(queue: NvmeSubmissionQueue): void {
    if (queue.fetching || queue.head === queue.tail) return;
    queue.fetching = true;
    const { name, scheduler } = this.#parts;
    scheduler.spawn(`${name}:fetch:${queue.id}`, this.#fetch(queue), { daemon: true });
  }

  *#fetch(queue: NvmeSubmissionQueue): ModelTask<void> {
    const { name, scheduler, dma, counters } = this.#parts;
    while (queue.live && queue.head !== queue.tail) {
      const entry = new Uint8Array(NVME_SUBMISSION_ENTRY_BYTES);
      const status = yield* dma.read(queue.nextEntry, entry);
      if (status !== 'success') {
        if (status !== 'halted') this.#parts.fail();
        break;
      }
      if (!queue.live) break;
      queue.head = (queue.head + 1) % queue.entries;
      queue.inFlight += 1;
      counters.commands += 1;
      const command = new NvmeCommand(entry);
      const task = `${name}:command:${queue.id}:${command.commandId}`;
      scheduler.spawn(task, this.#run(queue, command), { daemon: true });
    }
    queue.fetching = false;
  }

  *#run(queue: NvmeSubmissionQueue, command: NvmeCommand): ModelTask<void> {
    // A reset may come between fetching and the first step of this task.
    if (queue.completions.live) {
      const executor = queue.id === 0 ? this.#parts.admin : this.#parts.io;
      const outcome = yield* executor.execute(command);
      yield* this.#post(queue, command, outcome);
    }
    queue.inFlight -= 1;
  }

  /** Entries reach a completion queue one at a time, and only where the host has freed a slot. */
  *#post(queue: NvmeSubmissionQueue, command: NvmeCommand, outcome: NvmeOutcome): ModelTask<void> {
    const { completions } = queue;
    yield {
      at: 'nvme:completion-queue',
      until: () => !completions.live || !(completions.posting || completions.full),
    };
    if (!completions.live) return;
    completions.posting = true;
    const { dma, counters, fail, interrupt } = this.#parts;
    const entry = new Uint8Array(NVME_COMPLETION_ENTRY_BYTES);
    encodeCompletion(entry, queue, command.commandId, outcome, completions.phase);
    // The last dword carries the phase tag; a host that sees it must find the rest in place.
    const body = yield* dma.write(completions.nextSlot, entry.subarray(0, 8));
    const closing =
      body === 'success' ? yield* dma.write(addOffset(completions.nextSlot, 8), entry.subarray(8)) : body;
    completions.posting = false;
    if (closing === 'halted') return;
    if (closing !== 'success') {
      fail();
      return;
    }
    completions.advance();
    counters.completions += 1;
    if (outcome.status !== NVME_STATUS.success) counters.errors += 1;
    if (completions.vector >= 0) interrupt(completions.vector);
  }
}

function encodeCompletion(
  entry: Uint8Array,
  queue: NvmeSubmissionQueue,
  commandId: number,
  outcome: NvmeOutcome,
  phase: number,
): void {
  const view = new DataView(entry.buffer);
  view.setUint32(0, outcome.result, true);
  view.setUint16(8, queue.head, true);
  view.setUint16(10, queue.id, true);
  view.setUint16(12, commandId, true);
  const final = outcome.status === NVME_STATUS.success || outcome.status === NVME_STATUS.dataTransferError;
  const status = outcome.status + (final ? 0 : NVME_STATUS_DNR);
  view.setUint16(14, status * 2 + phase, true);
}

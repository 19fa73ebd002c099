// IoRun: one list of I/Os through one driver, from probe to remove, with every byte compared.
// Source followed: the project's design: data is compared after each I/O; an I/O that must be refused must change nothing.
// Simplified: one thread of synchronous calls; the requests of one call are in flight together, as recorded.

import type { ModelTask } from '@sgfree/hw-model';
import { IoData } from './io-data.ts';
import { type IoRecord, ioBytes, type PageBacking } from './io-record.ts';
import type { NvmeMachine } from './nvme-machine.ts';
import type { StageFailure } from './stage-report.ts';
import type { StackResult, StorageStack } from './storage-stack.ts';

/**
 * What is run.
 * @internal
 */
export interface IoRunInput {
  readonly ios: readonly IoRecord[];
  readonly backing: PageBacking;
  /** Seed of the data. */
  readonly seed: number;
  /** True: the kernel refuses every request, and no byte may move. */
  readonly expectsRefusal?: boolean;
  readonly onIo?: (done: number) => void;
}

/**
 * What the run itself saw: outcomes and comparisons, no work.
 * @internal
 */
export interface RunTally {
  requests: number;
  bytesRead: number;
  bytesWritten: number;
  bytesVerified: number;
  bytesWrong: number;
  bytesContested: number;
  /** Expected refusals by block status, and the bytes compared after them. */
  refusals: Record<string, number>;
  bytesUntouched: number;
  failures: StageFailure[];
  failureCount: number;
}

const MOST_FAILURES_KEPT = 20;

/**
 * A run on a machine whose driver is `stack`.
 * @internal
 */
export class IoRun {
  readonly tally: RunTally = {
    requests: 0,
    bytesRead: 0,
    bytesWritten: 0,
    bytesVerified: 0,
    bytesWrong: 0,
    bytesContested: 0,
    refusals: {},
    bytesUntouched: 0,
    failures: [],
    failureCount: 0,
  };
  readonly #input: IoRunInput;
  readonly #stack: StorageStack;
  readonly #data: IoData;

  constructor(input: IoRunInput, machine: NvmeMachine, stack: StorageStack) {
    this.#input = input;
    this.#stack = stack;
    this.#data = new IoData(machine.memory, machine.medium, input.seed);
  }

  note(kind: StageFailure['kind'], io: number, detail: string): void {
    const { tally } = this;
    tally.failureCount += 1;
    if (tally.failures.length < MOST_FAILURES_KEPT) tally.failures.push({ kind, io, detail });
  }

  /** Probe, every I/O, remove. */
  *all(): ModelTask<void> {
    const errno = yield* this.#stack.probe();
    if (errno !== 0) {
      this.note('probe', -1, `the driver's probe returned ${errno}`);
      return;
    }
    for (const [index, io] of this.#input.ios.entries()) {
      yield* this.#one(io, index);
      this.#input.onIo?.(index + 1);
    }
    yield* this.#stack.remove();
  }

  *#one(io: IoRecord, index: number): ModelTask<void> {
    this.#data.prepare(io, index);
    const results = yield* this.#stack.execute(io, this.#input.backing);
    this.tally.requests += results.length;
    if (this.#input.expectsRefusal === true) this.#refused(io, index, results);
    else this.#moved(io, index, results);
  }

  #moved(io: IoRecord, index: number, results: readonly StackResult[]): void {
    const { tally } = this;
    for (const result of results) if (result.status !== 'ok') this.#noteResult(index, result);
    const verdict = this.#data.verify(io);
    if (io.operation === 'read') tally.bytesRead += ioBytes(io);
    else tally.bytesWritten += ioBytes(io);
    tally.bytesVerified += verdict.verified;
    tally.bytesWrong += verdict.wrong;
    tally.bytesContested += verdict.contested;
    if (verdict.firstWrong !== null) {
      this.note('data', index, `${verdict.wrong} bytes wrong, the first: ${verdict.firstWrong}`);
    }
  }

  #refused(io: IoRecord, index: number, results: readonly StackResult[]): void {
    const { tally } = this;
    for (const result of results) {
      if (result.status === 'ok' || result.nvmeStatus !== 0) this.#noteResult(index, result);
      else tally.refusals[result.status] = (tally.refusals[result.status] ?? 0) + 1;
    }
    const verdict = this.#data.verifyUntouched(io);
    tally.bytesUntouched += Math.max(0, verdict.verified - verdict.wrong);
    tally.bytesWrong += verdict.wrong;
    if (verdict.firstWrong !== null) {
      this.note(
        'data',
        index,
        `a refused I/O changed ${verdict.wrong} bytes, the first: ${verdict.firstWrong}`,
      );
    }
  }

  #noteResult(index: number, { request, status, nvmeStatus }: StackResult): void {
    const { position, bytes, operation } = request;
    const ended =
      status === 'ok'
        ? 'was not refused'
        : `failed: block status ${status}, NVMe status 0x${nvmeStatus.toString(16)}`;
    this.note('request', index, `${operation} of ${bytes} bytes at ${position} ${ended}`);
  }
}

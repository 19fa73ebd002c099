// The scenario: one list of I/Os, run by one stage's driver on a fresh machine, with every byte compared.
// Source followed: the project's design: a stage run returns one report; counters come from hardware and IOMMU software.
// Simplified: one thread of synchronous calls; the requests of one call are in flight together, as recorded.

import { type DmaDebug, dmaDebugDeviceChange } from '@sgfree/dma-core';
import { type EventLog, type ModelTask, Scheduler } from '@sgfree/hw-model';
import { IoData, mediumFor } from './io-data.ts';
import { type IoRecord, ioBytes, type PageBacking } from './io-record.ts';
import { type PlantedFault, plantFault } from './planted-fault.ts';
import { RecordedMachine } from './recorded-machine.ts';
import { buildReport, type RunTally } from './report-builder.ts';
import type { StageFailure, StageReport } from './stage-report.ts';
import type { StackHooks, StorageStack } from './storage-stack.ts';
import { WorkLedger } from './work-ledger.ts';

/**
 * What a stage is run on.
 * @public
 */
export interface StageInput {
  readonly ios: readonly IoRecord[];
  readonly backing: PageBacking;
  /** Seed of the data and of the order of events. */
  readonly seed: number;
  /** RAM of the machine in bytes; see {@link machineShape}. */
  readonly memoryBytes: number;
  /** Gets the kernel's events (map, unmap, flush) while it is enabled. */
  readonly log?: EventLog;
  /** Watches every DMA API call, and every access of the disk. */
  readonly debug?: DmaDebug;
  /** Breaks one thing on purpose. */
  readonly plant?: PlantedFault;
  /** Called after each I/O with the number done. */
  readonly onIo?: (done: number) => void;
}

/**
 * A stage that can be run.
 * @public
 */
export interface RunnableStage {
  readonly stage: number;
  /** The way it maps, for a table's head. */
  readonly title: string;
  run(input: StageInput): StageReport;
}

/**
 * Builds the driver of a stage for a machine.
 * @internal
 */
export type StackBuilder = (machine: RecordedMachine, hooks: StackHooks) => StorageStack;

const MOST_FAILURES_KEPT = 20;

/** Runs `input` on a fresh machine with the driver that `build` makes. @internal */
export function runScenario(
  identity: { readonly stage: number; readonly title: string },
  input: StageInput,
  build: StackBuilder,
): StageReport {
  const scheduler = new Scheduler({ seed: input.seed });
  const machine = new RecordedMachine({
    memoryBytes: input.memoryBytes,
    scheduler,
    medium: (blockCount) => mediumFor(input.seed, blockCount),
    ...(input.log === undefined ? {} : { log: input.log }),
    ...(input.debug === undefined ? {} : { debug: input.debug }),
  });
  const ledger = new WorkLedger(() => machine.sampleWork());
  const stack = build(machine, ledger);
  ledger.stack = stack;
  const plant = input.plant === undefined ? null : plantFault(input.plant, machine, ledger);
  const tally = newTally();
  const started = machine.sampleWork();
  scheduler.runTask('run', runAll(input, machine, stack, tally));
  if (plant?.planted === false) note(tally, 'plant', -1, `no request fits the fault ${input.plant}`);
  return buildReport({ identity, input, machine, stack, ledger, tally, started });
}

function newTally(): RunTally {
  return {
    requests: 0,
    bytesRead: 0,
    bytesWritten: 0,
    bytesVerified: 0,
    bytesWrong: 0,
    bytesContested: 0,
    failures: [],
    failureCount: 0,
  };
}

function note(tally: RunTally, kind: StageFailure['kind'], io: number, detail: string): void {
  tally.failureCount += 1;
  if (tally.failures.length < MOST_FAILURES_KEPT) tally.failures.push({ kind, io, detail });
}

function* runAll(
  input: StageInput,
  machine: RecordedMachine,
  stack: StorageStack,
  tally: RunTally,
): ModelTask<void> {
  const errno = yield* stack.probe();
  if (errno !== 0) {
    note(tally, 'probe', -1, `the driver's probe returned ${errno}`);
    return;
  }
  const data = new IoData(machine.memory, machine.medium, input.seed);
  for (const [index, io] of input.ios.entries()) {
    yield* runOne(io, index, input.backing, stack, data, tally);
    input.onIo?.(index + 1);
  }
  yield* stack.remove();
  if (input.debug !== undefined) dmaDebugDeviceChange(machine.dev);
}

function* runOne(
  io: IoRecord,
  index: number,
  backing: PageBacking,
  stack: StorageStack,
  data: IoData,
  tally: RunTally,
): ModelTask<void> {
  data.prepare(io, index);
  for (const result of yield* stack.execute(io, backing)) {
    tally.requests += 1;
    if (result.status === 'ok') continue;
    const { position, bytes, operation } = result.request;
    const status = `block status ${result.status}, NVMe status 0x${result.nvmeStatus.toString(16)}`;
    note(tally, 'request', index, `${operation} of ${bytes} bytes at ${position} failed: ${status}`);
  }
  const verdict = data.verify(io);
  if (io.operation === 'read') tally.bytesRead += ioBytes(io);
  else tally.bytesWritten += ioBytes(io);
  tally.bytesVerified += verdict.verified;
  tally.bytesWrong += verdict.wrong;
  tally.bytesContested += verdict.contested;
  if (verdict.firstWrong !== null) {
    note(tally, 'data', index, `${verdict.wrong} bytes wrong, the first: ${verdict.firstWrong}`);
  }
}

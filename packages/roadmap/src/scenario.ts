// The scenario: one list of I/Os with its data in RAM, run by one stage's driver on a fresh recorded machine.
// Source followed: the project's design: a stage run returns one report; counters come from hardware and IOMMU software.
// Simplified: see IoRun.

import { type DmaDebug, dmaDebugDeviceChange } from '@sgfree/dma-core';
import { type EventLog, Scheduler } from '@sgfree/hw-model';
import type { ExportedBarInput } from './exported-bar/exported-bar-input.ts';
import { mediumFor } from './io-data.ts';
import type { IoRecord, PageBacking } from './io-record.ts';
import { IoRun } from './io-run.ts';
import type { NvmeMachine } from './nvme-machine.ts';
import type { PeerInput } from './peer-scenario.ts';
import { type PlantedFault, plantFault } from './planted-fault.ts';
import { RecordedMachine } from './recorded-machine.ts';
import { buildReport } from './report-builder.ts';
import type { StageReport } from './stage-report.ts';
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
  /** With the data in RAM. */
  run(input: StageInput): StageReport;
  /** With the data in a peer's BAR. Throws {@link PeerSiteError} for a site on which nothing can be run. */
  runPeer(input: PeerInput): StageReport;
}

/**
 * A stage that is about a BAR exported as a dma-buf: it takes part in the comparison of data in a peer's BAR.
 * @public
 */
export interface ExportingStage {
  readonly stage: number;
  /** The way it exports and imports, for a table's head. */
  readonly title: string;
  /** Throws {@link PeerSiteError} when no I/O fits the BAR. */
  runExported(input: ExportedBarInput): StageReport;
}

/**
 * A stage's number and the way it maps.
 * @internal
 */
export interface StageIdentity {
  readonly stage: number;
  readonly title: string;
}

/**
 * Builds the driver of a stage for a machine.
 * @internal
 */
export type StackBuilder = (machine: NvmeMachine, hooks: StackHooks) => StorageStack;

/** Runs `input` on a fresh machine with the driver that `build` makes. @internal */
export function runScenario(identity: StageIdentity, input: StageInput, build: StackBuilder): StageReport {
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
  const run = new IoRun(input, machine, stack);
  const started = machine.sampleWork();
  scheduler.runTask('run', run.all());
  if (input.debug !== undefined) dmaDebugDeviceChange(machine.dev);
  if (plant?.planted === false) run.note('plant', -1, `no request fits the fault ${input.plant}`);
  return buildReport({ identity, input, machine, stack, ledger, tally: run.tally, started });
}

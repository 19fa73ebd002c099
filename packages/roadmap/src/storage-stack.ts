// StorageStack: what a stage brings to the run: a driver that maps in the stage's own way, behind one shape.
// Source followed: the project's rule that a scenario is wired by its stage entry: this file names no block package,
// so that a stage reaches only what it maps with.
// Simplified: one controller, one namespace.

import type { ModelTask } from '@sgfree/hw-model';
import type { IoRecord, MemoryPiece, PageBacking } from './io-record.ts';
import type { ReportClass } from './stage-report.ts';

/**
 * A block request as far as a run looks at it.
 * @public
 */
export interface StackRequest {
  readonly operation: 'read' | 'write';
  readonly position: number;
  readonly bytes: number;
  readonly vecs: readonly MemoryPiece[];
}

/**
 * A command between mapping and unmapping.
 * @public
 */
export interface StackCommand {
  readonly request: StackRequest;
  readonly dmaRangesOut: number;
  /** The submission entry: its data pointer starts with an address in either form. */
  readonly entry: { readonly prp1: number; readonly dataPointer: DataView };
}

/**
 * How a request ended; `status` is 'ok' or a block layer status.
 * @public
 */
export interface StackResult {
  readonly request: StackRequest;
  readonly status: string;
  /** Status field of the controller's completion, 0 = success. */
  readonly nvmeStatus: number;
}

/**
 * Bytes a driver keeps to track its mappings.
 * @public
 */
export interface StackTracking {
  readonly taken: Readonly<Record<string, number>>;
  readonly takenBytes: number;
  readonly held: number;
  readonly peak: number;
}

/**
 * A driver under test.
 * @public
 */
export interface StorageStack {
  readonly tracking: StackTracking;
  /** Descriptor blocks handed out now. */
  readonly liveDescriptorBlocks: number;
  /** Brings the controller up; 0 or a negative errno. */
  probe(): ModelTask<number>;
  /** Turns an I/O into requests and runs them to their ends. */
  execute(io: IoRecord, backing: PageBacking): ModelTask<readonly StackResult[]>;
  /** Takes the controller down and gives everything back. */
  remove(): ModelTask<void>;
}

/**
 * How a run watches a stack at work; a stack calls these around what it does.
 * @public
 */
export interface StackHooks {
  /** Runs the mapping of a request and books what it costs. */
  map<T>(kind: ReportClass, stretch: () => T): T;
  /** Runs the unmapping of a request and books what it costs. */
  unmap<T>(kind: ReportClass, stretch: () => T): T;
  /** Runs an allocation that no single request pays for. */
  setup<T>(stretch: () => T): T;
  /** A descriptor pool took a page. */
  poolGrew(): void;
  /** A request is mapped and about to be submitted. */
  mapped(kind: ReportClass, command: StackCommand): void;
  /** A command has completed and is about to be unmapped. */
  completed(kind: ReportClass, command: StackCommand): void;
}

// The newest surface of trace: kernel trace text of the DMA layer, read and printed.

export { amdFlagBits, amdFlagsReading } from './blame/amd-fault-flags.ts';
export { Blame, type BlameOptions, type BlameReport } from './blame/blame.ts';
export type { BlameCode, BlameConfidence, BlameEvidence, BlameReason } from './blame/blame-reason.ts';
export type { BlameNote, BlameStory } from './blame/blame-story.ts';
export { dmarReading } from './blame/dmar-fault-reason.ts';
export type { FaultTelling } from './blame/fault-group.ts';
export {
  type FaultAccess,
  type FaultClass,
  type FaultReading,
  ioPageFaultReading,
} from './blame/fault-reading.ts';
export type { FlushMode } from './blame/flush-watch.ts';
export type { MappingSighting, SightingOwner, SightingState } from './blame/mapping-sighting.ts';
export { mappingText } from './blame/mapping-words.ts';
export type { FaultSource, RecordedFault } from './blame/recorded-fault.ts';
export type { Surroundings } from './blame/surroundings.ts';
export type { TracePoint } from './blame/trace-position.ts';
export { bytesText, hexText, spanText, timeText } from './blame/wording.ts';
export { traceLine } from './printer/trace-line.ts';
export { type TraceTextOptions, traceText } from './printer/trace-text.ts';
export { readTrace } from './reader/read-trace.ts';
export type { KernelFinding } from './reader/trace-kernel.ts';
export { TraceReader, type TraceReaderOptions } from './reader/trace-reader.ts';
export {
  type TraceClock,
  type TraceLayout,
  type TraceProblem,
  type TraceProblemClass,
  type TraceProblemKind,
  type TraceTally,
  traceProblems,
} from './reader/trace-tally.ts';
export { IoReconstruction, type ReconstructionOptions } from './reconstruct/io-reconstruction.ts';
export { type ReconstructionRule, reconstructionRules } from './reconstruct/reconstruction-rules.ts';
export type { MappingSink, TraceFinding, TraceFindingCode } from './reconstruct/trace-finding.ts';
export { type TraceDirection, TraceEvent, type TraceSystem } from './trace-event.ts';
export type { Provenance, TracedMapping, TracedMappingKind, TracedUnmapping } from './traced-mapping.ts';

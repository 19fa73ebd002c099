// The newest surface of roadmap: the stages as runs on one machine, their reports, and the verdict over them.

export type { ExportedBarFault, ExportedBarInput } from './exported-bar/exported-bar-input.ts';
export type { ExportedBarReport } from './exported-bar/exported-bar-report.ts';
export type { NegotiatedReport } from './exported-bar/negotiated-report.ts';
export { exportingStages } from './exporting-stages.ts';
export {
  GPU_EXCHANGE_PLACES,
  GPU_EXCHANGE_PLANTS,
  GPU_EXCHANGE_WAYS,
  type GpuExchangeInput,
  type GpuExchangePlace,
  type GpuExchangePlant,
  type GpuExchangeWayName,
} from './gpu-exchange/gpu-exchange-input.ts';
export type { GpuExchangeMove, GpuExchangeReport } from './gpu-exchange/gpu-exchange-report.ts';
export {
  type GpuExchangeFault,
  gpuExchangeFaults,
  gpuExchangeVerdict,
} from './gpu-exchange/gpu-exchange-verdict.ts';
export { runGpuExchange } from './gpu-exchange/run-gpu-exchange.ts';
export {
  GUEST_SPACE_DOORS,
  GUEST_SPACE_PLANTS,
  type GuestSpaceDoor,
  type GuestSpaceInput,
  type GuestSpacePlant,
} from './guest-space/guest-space-input.ts';
export type {
  GuestArea,
  GuestDoorReport,
  GuestFault,
  GuestMoveReport,
  GuestRevokeTimings,
  GuestSight,
  GuestSpaceReport,
} from './guest-space/guest-space-report.ts';
export {
  type GuestSpaceFault,
  guestSpaceFaults,
  guestSpaceVerdict,
} from './guest-space/guest-space-verdict.ts';
export { runGuestSpace } from './guest-space/run-guest-space.ts';
export { type IoRecord, ioBytes, type MemoryPiece, type PageBacking } from './io-record.ts';
export { KeyedData } from './keyed-data.ts';
export type { MachineObserver } from './machine-observer.ts';
export {
  DEFAULT_MEMORY_BYTES,
  DISK_BYTES,
  KERNEL_RAM_BYTES,
  type MachineShape,
  MEMORY_LIMITS,
  machineShape,
} from './machine-shape.ts';
export { type BackingGuess, guessBacking } from './page-backing.ts';
export type { PeerReport } from './peer-report.ts';
export type { PeerInput } from './peer-scenario.ts';
export { type PeerGround, type PeerSite, type PeerSiteBuilder, PeerSiteError } from './peer-site.ts';
export { PEER_BAR_BYTES, type PeerPlace, type PeerTreeOptions, peerTreeSite } from './peer-tree-site.ts';
export { PLANTED_FAULTS, type PlantedFault } from './planted-fault.ts';
export { isRefused, RECORDED_QUEUE_LIMITS } from './refused-io.ts';
export { ReplayEngine } from './replay/replay-engine.ts';
export {
  REPLAY_MODES,
  REPLAY_STAGES,
  type ReplayMode,
  type ReplayPlan,
  type ReplayStage,
} from './replay/replay-plan.ts';
export type { ReplayRefusal } from './replay/replay-refusal.ts';
export type {
  AddressSpaceReport,
  FindingSummary,
  FlushQueueReport,
  ReplayReport,
  ReplayRunReport,
  RunChecks,
  RunCost,
  RunDeviceReport,
  TracedDeviceReport,
  TracedLeak,
  TracedSide,
} from './replay/replay-report.ts';
export type { ReplayUser } from './replay/run-device.ts';
export type { RunSizeClass } from './replay/run-size-histogram.ts';
export type { Fragmentation, SpaceSample } from './replay/space-survey.ts';
export { TraceReplay } from './replay/trace-replay.ts';
export type { WrongTranslation } from './replay/translation-check.ts';
export {
  REVOKE_IMPORTER_KINDS,
  REVOKE_PLANTS,
  REVOKE_TRIGGERS,
  type RevokeImporterKind,
  type RevokeInput,
  type RevokeOperation,
  type RevokePlant,
  type RevokeTrigger,
} from './revoke/revoke-input.ts';
export type { RevokeCrossing } from './revoke/revoke-operation.ts';
export type {
  RevokeHang,
  RevokeHolder,
  RevokeImporterReport,
  RevokeLeftovers,
  RevokeProbe,
  RevokeReport,
  RevokeStatusCounts,
  RevokeTimings,
} from './revoke/revoke-report.ts';
export { type RevokeFault, revokeFaults, revokeVerdict } from './revoke/revoke-verdict.ts';
export { runRevoke } from './revoke/run-revoke.ts';
export { type MergeState, type RoadStage, type RoadStep, type StepState, theRoad } from './road.ts';
export { runnableStages } from './runnable-stages.ts';
export type { ExportingStage, RunnableStage, StageInput } from './scenario.ts';
export { stage0 } from './stage-0.ts';
export { stage1 } from './stage-1.ts';
export { stage2 } from './stage-2.ts';
export { stage3 } from './stage-3.ts';
export { stage4 } from './stage-4.ts';
export { stage5 } from './stage-5.ts';
export {
  type ClassReport,
  type Leftovers,
  leftoverCount,
  REPORT_CLASSES,
  type ReportClass,
  type RouteReport,
  type StageFailure,
  type StageReport,
} from './stage-report.ts';
export type { UntranslatedWay } from './untranslated-way.ts';
export { comparePeerVerdict, compareVerdict, overallVerdict, type Verdict, verdictOf } from './verdict.ts';
export { addWork, NO_WORK, type WorkCounts, workSince } from './work-counts.ts';

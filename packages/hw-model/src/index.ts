// The newest surface of hw-model: the hardware, with no kernel policy at all.

export {
  ADDRESS_LIMIT,
  type AddressIn,
  addOffset,
  alignDown,
  alignUp,
  byteDistance,
  type DmaAddr,
  dmaAddr,
  dmaOfFrame,
  frameOf,
  hex,
  highWord,
  liesWithin,
  lowWord,
  offsetWithin,
  PAGE_SHIFT,
  PAGE_SIZE,
  type PciBusAddr,
  type PhysAddr,
  pciBusAddr,
  physAddr,
  physOfFrame,
  rawOffset,
} from './addresses.ts';
export { AMD_COMMAND_BYTES, AmdCommand, AmdPagesFlag, AmdWaitFlag } from './amd/amd-command.ts';
export { AmdDeviceCache } from './amd/amd-device-cache.ts';
export { AMD_DEVICE_ENTRY_BYTES } from './amd/amd-device-lookup.ts';
export type { AmdDeviceTranslation, AmdTranslationKind } from './amd/amd-device-translation.ts';
export { AMD_EVENT_BYTES, AmdEventFlag, AmdEventType } from './amd/amd-event.ts';
export { AmdEventLog } from './amd/amd-event-log.ts';
export {
  type AmdFeatureRegisters,
  type AmdFeatures,
  amdHostLevels,
  bareMetalAmdFeatures,
  decodeAmdFeatures,
  dirtyTrackingAmdFeatures,
  recordedAmdFeatures,
} from './amd/amd-features.ts';
export { AmdIommuUnit, type AmdIommuUnitOptions } from './amd/amd-iommu-unit.ts';
export { AmdControl, AmdRegister, AmdStatus } from './amd/amd-registers.ts';
export { type AmdUnitCounters, newAmdUnitCounters } from './amd/amd-unit-counters.ts';
export {
  type ChoicePolicy,
  firstChoice,
  replayedChoices,
  seededChoices,
  seededNumbers,
} from './choice-policy.ts';
export { Clock, type ClockTimer } from './clock.ts';
export { CACHE_LINE_BYTES } from './cpu-cache/cache-line.ts';
export { CpuCache, type CpuCacheOptions, type PartialLines } from './cpu-cache/cpu-cache.ts';
export { CpuFrames } from './cpu-cache/cpu-frames.ts';
export type { CpuView } from './cpu-cache/cpu-view.ts';
export { DmaEngine, type TransferStatus } from './engines/dma-engine.ts';
export type { GpuCopy, GpuPlace } from './engines/gpu/gpu-copy.ts';
export { GpuCopyEngine } from './engines/gpu/gpu-copy-engine.ts';
export { GpuDevice, type GpuDeviceSpec } from './engines/gpu/gpu-device.ts';
export { BlockMedium, type BlockPattern } from './engines/nvme/block-medium.ts';
export { NVME_ADMIN } from './engines/nvme/nvme-admin-commands.ts';
export { NVME_DATA_POINTER_OFFSET, NVME_SUBMISSION_ENTRY_BYTES } from './engines/nvme/nvme-command.ts';
export { NvmeController, type NvmeControllerSpec } from './engines/nvme/nvme-controller.ts';
export type { NvmeCounters } from './engines/nvme/nvme-counters.ts';
export type { NvmeSglSupport } from './engines/nvme/nvme-data-path.ts';
export { NVME_IO } from './engines/nvme/nvme-io-commands.ts';
export { NVME_COMPLETION_ENTRY_BYTES } from './engines/nvme/nvme-queue.ts';
export { NVME_REGISTER } from './engines/nvme/nvme-registers.ts';
export { NVME_STATUS, NVME_STATUS_DNR } from './engines/nvme/nvme-status.ts';
export { NVME_SGL } from './engines/nvme/sgl-walk.ts';
export { RDMA_ACCESS } from './engines/rdma/rdma-access.ts';
export {
  type RdmaCompletion,
  type RdmaCompletionOpcode,
  RdmaCompletionQueue,
} from './engines/rdma/rdma-completion-queue.ts';
export type { RdmaCounters } from './engines/rdma/rdma-counters.ts';
export {
  type RdmaKeyContents,
  RdmaKeyEntry,
  type RdmaKeyKind,
  type RdmaKeyState,
} from './engines/rdma/rdma-key-entry.ts';
export { RDMA_EVERY_PD, RdmaKeyTable } from './engines/rdma/rdma-key-table.ts';
export type { RdmaKeyUse } from './engines/rdma/rdma-key-use.ts';
export type { RdmaLocalBuffer } from './engines/rdma/rdma-local-buffer.ts';
export type {
  RdmaAccessor,
  RdmaAccessResult,
  RdmaMemoryPort,
  RdmaPiece,
} from './engines/rdma/rdma-memory-port.ts';
export { RdmaNic, type RdmaNicSpec } from './engines/rdma/rdma-nic.ts';
export {
  RDMA_NAK,
  type RdmaNak,
  type RdmaPacket,
  type RdmaRequestPacket,
  type RdmaResponsePacket,
} from './engines/rdma/rdma-packet.ts';
export {
  type RdmaFaultRange,
  RdmaPageFault,
  type RdmaPageFaultSink,
} from './engines/rdma/rdma-page-fault.ts';
export {
  type RdmaAsyncEvent,
  type RdmaQpAttributes,
  type RdmaQpHost,
  type RdmaQpSpec,
  type RdmaQpState,
  type RdmaQpType,
  RdmaQueuePair,
} from './engines/rdma/rdma-queue-pair.ts';
export type { RdmaSendEntry } from './engines/rdma/rdma-send-entry.ts';
export {
  RDMA_STATUS,
  type RdmaStatus,
  type RdmaStatusName,
  rdmaStatusName,
} from './engines/rdma/rdma-status.ts';
export { RDMA_ENTRY_BYTES, RdmaTranslation } from './engines/rdma/rdma-translation.ts';
export { RdmaWire, type RdmaWireCounters, type RdmaWirePort } from './engines/rdma/rdma-wire.ts';
export type {
  RdmaBinding,
  RdmaOpcode,
  RdmaReceiveRequest,
  RdmaRegistration,
  RdmaSendRequest,
  RdmaSge,
} from './engines/rdma/rdma-work-request.ts';
export { EventLog, type ModelEvent } from './event-log.ts';
export {
  type ExplorationOptions,
  type ExplorationReduction,
  type ExplorationReport,
  explore,
} from './explorer/explore.ts';
export { exploreSeeds, type SeededReport } from './explorer/explore-seeds.ts';
export type { ExploredRun, ExploredScenario, ScheduleFault } from './explorer/explored-run.ts';
export { replaySchedule } from './explorer/replay-schedule.ts';
export {
  type Schedule,
  type ScheduleStep,
  type ScheduleViolation,
  showSchedule,
  showViolation,
} from './explorer/schedule.ts';
export { ACS, type AddressType, acsOffset } from './fabric/access-control-services.ts';
export { BarMemory } from './fabric/bar-memory.ts';
export { findCapability, findExtendedCapability } from './fabric/capability-list.ts';
export type { CompletionStatus } from './fabric/completion-status.ts';
export type { FunctionIdentity } from './fabric/config-header.ts';
export { CONFIG_SPACE_BYTES, ConfigSpace, type ConfigWidth } from './fabric/config-space.ts';
export type {
  ConfiguredBar,
  ConfiguredBridgeSpec,
  ConfiguredFunctionSpec,
} from './fabric/configured-function.ts';
export { HostBridge, type HostBridgeSpec, type HostPeerRule } from './fabric/host-bridge.ts';
export { type BarSpec, PciBar } from './fabric/pci-bar.ts';
export { PciBridge, type PortKind } from './fabric/pci-bridge.ts';
export { PciBus } from './fabric/pci-bus.ts';
export { PCI_EXP_TYPE, pciExpressType, type TlpSizes, tlpSizes } from './fabric/pci-express-capability.ts';
export {
  type EndpointSpec,
  PciFabric,
  type PciFabricParts,
  type PciSwitch,
  type PlugPoint,
  type PortSpec,
  type SwitchSpec,
} from './fabric/pci-fabric.ts';
export { type FunctionPlace, PciFunction } from './fabric/pci-function.ts';
export { pciRebarGetPossibleSizes } from './fabric/resizable-bar.ts';
export { type Route, type RouteCount, RouteCounters } from './fabric/route-counters.ts';
export { InternalError } from './internal-error.ts';
export { AmdV1Walk } from './iommu-unit/amd-v1-walk.ts';
export { Iotlb, type IotlbShape } from './iommu-unit/iotlb.ts';
export { PagingStructureCache } from './iommu-unit/paging-structure-cache.ts';
export { bitField, pairOf, type RegisterPair } from './iommu-unit/register-pair.ts';
export { type VtdSecondStageFeatures, VtdSecondStageWalk } from './iommu-unit/vtd-second-stage-walk.ts';
export {
  ACCESS_READ,
  ACCESS_WRITE,
  PageWalk,
  type WalkFormat,
  WalkOutcome,
} from './iommu-unit/walk-format.ts';
export { X8664Walk, type X8664WalkFeatures } from './iommu-unit/x86-64-walk.ts';
export { type MmioTarget, PhysicalMemory, type PhysRange } from './physical-memory.ts';
export { ScheduledTask } from './scheduled-task.ts';
export { type RunOutcome, Scheduler, type SchedulerOptions } from './scheduler.ts';
export {
  type LockFault,
  type LockFaultReport,
  LockOrder,
  type OrderedLock,
} from './tasks/lock-order.ts';
export { TaskCompletion } from './tasks/task-completion.ts';
export { type TaskLockOptions, TaskMutex } from './tasks/task-mutex.ts';
export { TaskRwLock } from './tasks/task-rw-lock.ts';
export type { TranslationAgent } from './translation-agent.ts';
export {
  decodeVtdCapabilities,
  recordedVtdCapabilities,
  recordedVtdCapabilitiesCachingMode,
  recordedVtdCapabilitiesScalable,
  type VtdCapabilities,
  type VtdCapabilityRegisters,
} from './vtd/vtd-capabilities.ts';
export { VtdContextCache } from './vtd/vtd-context-cache.ts';
export type { VtdDeviceTranslation, VtdTranslationKind } from './vtd/vtd-device-translation.ts';
export { VtdFaultLog } from './vtd/vtd-fault-log.ts';
export { VtdFaultReason } from './vtd/vtd-fault-reason.ts';
export { VtdDescriptorType, VtdGranularity, VtdWaitFlag } from './vtd/vtd-invalidation-descriptor.ts';
export { VtdCommand, VtdFaultStatus, VtdQueueError, VtdRegister, VtdRootMode } from './vtd/vtd-registers.ts';
export { VtdUnit, type VtdUnitOptions } from './vtd/vtd-unit.ts';
export { newVtdUnitCounters, type VtdUnitCounters } from './vtd/vtd-unit-counters.ts';
export type { ModelTask, YieldPoint } from './yield-point.ts';

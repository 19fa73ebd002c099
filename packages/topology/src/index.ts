// The newest surface of topology: readers of real machines, and what they answer.

export { type AcsControl, redirects } from './acs/acs-control.ts';
export type { AcsKernel } from './acs/acs-kernel.ts';
export type { AcsMistake, AcsMistakeCode } from './acs/acs-mistake.ts';
export { type AcsEntry, type AcsParameters, parseAcsParameters } from './acs/acs-parameters.ts';
export { type DeviceMatch, deviceMatches } from './acs/device-match.ts';
export { explainAcsParameters } from './acs/explain-parameters.ts';
export {
  type AcsBoot,
  type AcsChange,
  acsWithParameters,
  clearedRedirect,
  defaultAcsControl,
} from './acs/program-acs.ts';
export type { LeftOutFunction } from './fabric/chosen-functions.ts';
export { DumpedFabric, type FabricOutcome } from './fabric/dumped-fabric.ts';
export { fabricOfDump } from './fabric/fabric-of-dump.ts';
export type {
  FabricAssumptions,
  FabricOptions,
  FabricPart,
  UsedAssumption,
} from './fabric/fabric-options.ts';
export type {
  FabricFact,
  FabricObstacle,
  FabricObstacleCode,
  MissingFabricFact,
} from './fabric/fabric-problem.ts';
export {
  type DerivedGroup,
  type DerivedGroups,
  deriveIommuGroups,
  type GroupOptions,
} from './groups/derive-iommu-groups.ts';
export { isolationQuirk, type QuirkAnswer } from './groups/isolation-quirks.ts';
export { type DumpedRootDevice, DumpRoutes } from './model/dump-routes.ts';
export type {
  BridgeBuses,
  DumpedAcs,
  DumpedFunction,
  DumpedResource,
  Knowledge,
  PciBusPlace,
  RegisterFact,
} from './model/dumped-function.ts';
export {
  acsControlOf,
  type DumpedCpu,
  type DumpedHostBridge,
  firstDeviceOfRootBus,
  functionAt,
  hostBridgeOf,
  type IomemRange,
  type MachineDump,
  rootBusOf,
  type TopologyFormat,
  upstreamOf,
} from './model/machine-dump.ts';
export { formatPciAddress, type PciAddress, parsePciAddress } from './model/pci-address.ts';
export { type TopologyInputCode, TopologyInputError } from './model/topology-input-error.ts';
export type { TopologyRemark, TopologyRemarkCode } from './model/topology-remark.ts';
export { classNameOf } from './names/class-names.ts';
export type { NameLookup, TitleLookup } from './names/vendor-names.ts';
export { readTopologyText, readTopologyTree, type TopologyOptions } from './read-topology.ts';
export type { FileTree } from './readers/file-tree.ts';

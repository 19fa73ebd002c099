// The newest surface of p2p: both layers, and the route algorithm for machines known in part.

export { ACS_REDIRECT_MASK, pciBridgeHasAcsRedir } from './acs-redirect.ts';
export { acsKernelOf } from './advice/acs-kernel-of.ts';
export type { AcsLoss } from './advice/acs-loss.ts';
export { type AcsTarget, configAcsArgument, disableRedirectArgument } from './advice/acs-target.ts';
export type {
  Advice,
  AdvisedChange,
  BusAddressChance,
  ClearRedirectChange,
  ClearWay,
  CpuChange,
  FreePort,
  HiddenFact,
  KernelVersionChange,
  MoveDeviceChange,
  RevealChange,
} from './advice/advice.ts';
export { type AdviceOptions, adviceFor } from './advice/advice-for.ts';
export {
  compareGroups,
  type GroupMerge,
  type GroupSplit,
  type GroupsComparison,
} from './advice/groups-comparison.ts';
export {
  compareStates,
  groupsOf,
  type MachineState,
  type StateComparison,
  type VerdictChange,
} from './advice/machine-state.ts';
export { type WhatIf, type WhatIfOptions, whatIf } from './advice/what-if.ts';
export type {
  WhatIfMistake,
  WhatIfMistakeCode,
  WhatIfRemark,
  WhatIfRemarkCode,
} from './advice/what-if-mistake.ts';
export {
  calcMapTypeAndDist,
  type MissingFact,
  type P2pdmaMapType,
  type P2pdmaRoute,
  type RouteRule,
} from './calc-map-type.ts';
export { dumpRouteView } from './dump-route-view.ts';
export { fabricRouteView, pciName } from './fabric-route-view.ts';
export { type HostBridgeRow, hostBridgeListOf, hostBridgeRowOf } from './host-bridge-list.ts';
export { cpuSupportsP2pdma, HostRules, type P2pCpu } from './host-rules.ts';
export { type KnownKernel, knownKernel, knownKernels } from './kernel-version.ts';
export type { P2pClient } from './p2p-client.ts';
export { P2pPlatform, type P2pPlatformOptions } from './p2p-platform.ts';
export {
  pciAllocP2pmem,
  pciFreeP2pmem,
  pciHasP2pmem,
  pciP2pmemPublish,
  pciP2pmemVirtToBus,
} from './p2pmem.ts';
export { type P2pmemAttribute, p2pmemShow } from './p2pmem-attributes.ts';
export {
  type P2pdmaEnable,
  pciP2pdmaEnableShow,
  pciP2pdmaEnableStore,
  pciP2pmemFindMany,
} from './p2pmem-find.ts';
export { P2pmemMapping, p2pmemAllocMmap } from './p2pmem-mmap.ts';
export { P2pmemChunk, P2pmemPool } from './p2pmem-pool.ts';
export { PageRoutes, pciP2pdmaBusAddrMap } from './page-routes.ts';
export { PciDev, pciResourceLen, pciResourceStart } from './pci-dev.ts';
export { type P2pdmaProvider, PciP2pdma } from './pci-p2pdma.ts';
export { pciP2pdmaAddResource, STRUCT_PAGE_BYTES, structPageBytes } from './pci-p2pdma-add-resource.ts';
export { pciP2pdmaDistance, pciP2pdmaDistanceMany } from './pci-p2pdma-distance.ts';
export { pciP2pdmaMapType } from './pci-p2pdma-map-type.ts';
export { pcimP2pdmaInit, pcimP2pdmaProvider } from './pcim-p2pdma.ts';
export { releaseP2pdma } from './release-p2pdma.ts';
export { type RouteHop, routeHops } from './route-hops.ts';
export type { RootDevice, RouteView } from './route-view.ts';
export { disableAcsRedirParameter } from './route-warnings.ts';
export type { Truth } from './truth.ts';
export { type UpstreamChain, upstreamChain } from './upstream-chain.ts';

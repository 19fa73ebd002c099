// What a driver can call at stage 2: peers' memory by provider and physical range, with no struct page anywhere.
// It makes registering pages needless (pciP2pdmaAddResource, 64 bytes of RAM a page, and the pool behind it), and the
// classifier of pages (PageRoutes): the caller asks pciP2pdmaMapType once per provider. Pages stay as an extra on top.

export type { P2pdmaMapType } from './calc-map-type.ts';
export type { HostBridgeRow } from './host-bridge-list.ts';
export { HostRules, type P2pCpu } from './host-rules.ts';
export { type KnownKernel, knownKernels } from './kernel-version.ts';
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
export { PciDev } from './pci-dev.ts';
export { type P2pdmaProvider, PciP2pdma } from './pci-p2pdma.ts';
export { pciP2pdmaAddResource, STRUCT_PAGE_BYTES, structPageBytes } from './pci-p2pdma-add-resource.ts';
export { pciP2pdmaDistance, pciP2pdmaDistanceMany } from './pci-p2pdma-distance.ts';
export { pciP2pdmaMapType } from './pci-p2pdma-map-type.ts';
export { pcimP2pdmaInit, pcimP2pdmaProvider } from './pcim-p2pdma.ts';
export { releaseP2pdma } from './release-p2pdma.ts';
export type { Truth } from './truth.ts';

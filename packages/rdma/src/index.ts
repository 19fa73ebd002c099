// The newest surface of rdma, that of stage 8.

export type { DmaRange } from './dma-range.ts';
export { rangeListImport } from './mapping-type/range-list-only-import.ts';
export {
  ibUmemFindBestPgoff,
  ibUmemFindBestPgsz,
  ibUmemIsContiguous,
  type UmemLayout,
} from './umem/best-pgsz.ts';
export { rdmaForEachBlock, rdmaUmemForEachDmaBlock } from './umem/block-iter.ts';
export {
  type DmabufImport,
  type DmabufView,
  windowOf,
} from './umem/dmabuf-import.ts';
export {
  type DmabufRequest,
  IbUmemDmabuf,
  ibUmemDmabufGet,
  ibUmemDmabufMapPages,
  ibUmemDmabufRevoke,
  ibUmemDmabufRevokeLocked,
  ibUmemDmabufUnmapPages,
} from './umem/dmabuf-umem.ts';
export {
  ibUmemDmabufGetPinned,
  ibUmemDmabufGetPinnedRevocableAndLock,
  ibUmemDmabufSetRevokeLocked,
} from './umem/dmabuf-umem-pinned.ts';
export {
  HmmDmaMap,
  hmmDmaMapAlloc,
  hmmDmaMapFree,
  hmmDmaMapPfn,
  hmmDmaUnmapPfn,
} from './umem/hmm-dma-map.ts';
export {
  IbUmem,
  ibUmemCheckRereg,
  ibUmemCopyFrom,
  ibUmemNumDmaBlocks,
  ibUmemNumPages,
  ibUmemOffset,
  ibUmemRelease,
  ibUmemStartDmaAddr,
} from './umem/ib-umem.ts';
export { ibUmemGet } from './umem/list-pinned-pages.ts';
export { ibRegUserMr } from './umem/list-reg-user-mr.ts';
export { type PageFaultServer, PageFaultService } from './umem/page-fault-service.ts';
export { type PinnedPages, PinnedUmem } from './umem/pinned-umem.ts';
export { ibDeregDmabufMr, ibRegDmabufMr, ibRegDmabufMrPinned } from './umem/reg-dmabuf-mr.ts';
export { ibRegDmabufMrRevocable } from './umem/reg-dmabuf-mr-revocable.ts';
export { ibDeregOdpMr, ibRegOdpMr } from './umem/reg-odp-mr.ts';
export { ALL_PAGE_SIZES, pageSizeBitmap, type U64 } from './umem/u64.ts';
export { ibDeregUserMr, NIC_PAGE_SIZES, type UmemMr } from './umem/umem-mr.ts';
export {
  IbUmemOdp,
  ibUmemOdpGet,
  ibUmemOdpMapDmaAndLock,
  ibUmemOdpUnmapDmaPages,
  type OdpParts,
  type UmemOdpQuirks,
} from './umem/umem-odp.ts';
export { IbAccess, ibAccessWritable, ibCheckMrAccess } from './verbs/ib-access.ts';
export { IbCq, ibCreateCq, ibDestroyCq, ibPollCq, nextCompletion } from './verbs/ib-cq.ts';
export { IbDevice, type IbDeviceAttr, type IbDeviceOptions } from './verbs/ib-device.ts';
export { ibAllocMr, ibIncRkey, ibMapMrSg, ibUpdateFastRegKey } from './verbs/ib-fast-reg-mr.ts';
export { IbMr, type IbMrType, ibDeregMr } from './verbs/ib-mr.ts';
export { allocMw, deallocMw, IbMw } from './verbs/ib-mw.ts';
export { IbPd, type IbPdFlags, ibAllocPd, ibDeallocPd } from './verbs/ib-pd.ts';
export { ibPostRecv, ibPostSend } from './verbs/ib-post.ts';
export {
  IbQp,
  type IbQpCap,
  type IbQpInitAttr,
  ibCreateQp,
  ibDestroyQp,
  ibDrainQp,
  ibModifyQp,
} from './verbs/ib-qp.ts';
export { type IbQpAttr, type IbQpAttrName, ibModifyQpIsOk } from './verbs/ib-qp-state.ts';
export {
  blocksNeeded,
  fillMrBlocks,
  type MrBlocks,
  type RegionSpec,
  registerRegion,
  replaceMrBlocks,
  revokeMr,
  zapMrBlocks,
} from './verbs/ib-region-mr.ts';
export type {
  BadWr,
  IbRecvWr,
  IbSendFlags,
  IbSendWr,
  IbSge,
  IbWrOpcode,
} from './verbs/ib-send-wr.ts';
export { ibSgToPages, type PagedRegion, type SetPage, type SgOffset } from './verbs/ib-sg-to-pages.ts';
export { type IbWc, IbWcStatus } from './verbs/ib-wc.ts';

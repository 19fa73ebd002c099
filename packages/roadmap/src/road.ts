// The road: nine stages from scatterlist DMA to none, and how far Linux 7.3.4 has come.
// Source followed: the published roadmap and the source of Linux 7.3.4.
// Simplified: a step counts as merged where the tree has it and a user of it; what a driver can call at each stage stands in the API ledger.

/**
 * How much of a stage Linux 7.3.4 has merged.
 * @public
 */
export type MergeState = 'starting point' | 'merged' | 'partial' | 'not merged' | 'not started';

/**
 * How far a single step of a stage has come: in Linux 7.3.4, on a mailing list, or nowhere.
 * @public
 */
export type StepState = 'merged' | 'RFC' | 'not begun';

/**
 * A step of a stage.
 * @public
 */
export interface RoadStep {
  readonly what: string;
  readonly state: StepState;
  /** The kernel's source (file: symbol) that shows it, or where it is proposed. */
  readonly because: string;
}

/**
 * A stage of the road.
 * @public
 */
export interface RoadStage {
  readonly stage: number;
  /** What becomes true at this stage. */
  readonly becomesTrue: string;
  /** Packages of this project that own it. */
  readonly packages: readonly string[];
  readonly linux: MergeState;
  /** What the stage is made of, step by step. */
  readonly steps: readonly RoadStep[];
  /** True when this project can run the stage today. */
  readonly runnable: boolean;
}

/**
 * All stages, in order.
 * @public
 */
export const theRoad: readonly RoadStage[] = [
  {
    stage: 0,
    becomesTrue: 'scatterlist is the only efficient way to map complex memory',
    packages: ['dma-sg'],
    linux: 'starting point',
    steps: [
      {
        what: 'dma_map_sg for every driver',
        state: 'merged',
        because: 'kernel/dma/mapping.c: dma_map_sg_attrs',
      },
    ],
    runnable: true,
  },
  {
    stage: 1,
    becomesTrue:
      'two-step API: allocate IOVA, then link, sync, unlink; callers bring their own data structure',
    packages: ['dma-iova', 'block'],
    linux: 'merged',
    steps: [
      {
        what: 'allocate, link, sync, unlink',
        state: 'merged',
        because: 'drivers/iommu/dma-iommu.c: dma_iova_try_alloc, dma_iova_link',
      },
      {
        what: 'block layer and NVMe without a scatterlist',
        state: 'merged',
        because: 'block/blk-mq-dma.c: blk_rq_dma_map_iter_start; drivers/nvme/host/pci.c',
      },
      {
        what: 'RDMA on demand by page frame numbers',
        state: 'merged',
        because: 'mm/hmm.c: hmm_dma_map_pfn; drivers/infiniband/core/umem_odp.c',
      },
    ],
    runnable: true,
  },
  {
    stage: 2,
    becomesTrue: 'the DMA API needs no struct page, peer-to-peer included',
    packages: ['p2p', 'block'],
    linux: 'merged',
    steps: [
      { what: 'map by physical address', state: 'merged', because: 'kernel/dma/mapping.c: dma_map_phys' },
      {
        what: 'peer-to-peer by provider, without pages',
        state: 'merged',
        because: 'drivers/pci/p2pdma.c: pcim_p2pdma_provider, pci_p2pdma_map_type',
      },
      {
        what: 'no page on the way from a bio to the device',
        state: 'not begun',
        because: 'block/blk-mq-dma.c: still calls pci_p2pdma_state with a page',
      },
    ],
    runnable: true,
  },
  {
    stage: 3,
    becomesTrue: 'VFIO exports a BAR as a dma-buf, still through a scatterlist; RDMA imports it',
    packages: ['vfio-dmabuf'],
    linux: 'merged',
    steps: [
      {
        what: 'VFIO exports a BAR',
        state: 'merged',
        because: 'drivers/vfio/pci/vfio_pci_dmabuf.c: vfio_pci_core_feature_dma_buf',
      },
      {
        what: 'a table without pages from physical ranges',
        state: 'merged',
        because: 'drivers/dma-buf/dma-buf-mapping.c: dma_buf_phys_vec_to_sgt',
      },
      {
        what: 'RDMA imports it',
        state: 'merged',
        because: 'drivers/infiniband/hw/mlx5: mlx5_ib_dmabuf_invalidate_cb; drivers/infiniband/hw/irdma',
      },
    ],
    runnable: true,
  },
  {
    stage: 4,
    becomesTrue: 'RDMA has no scatterlist inside',
    packages: ['rdma'],
    linux: 'partial',
    steps: [
      {
        what: 'on-demand paging and rw.c by bio_vec',
        state: 'merged',
        because: 'drivers/infiniband/core/rw.c: rdma_rw_init_map_wrs_bvec',
      },
      {
        what: 'a pinned region without a table',
        state: 'not begun',
        because: 'include/rdma/ib_umem.h: struct ib_umem still holds sgt_append',
      },
      {
        what: 'an imported table is left as it came',
        state: 'not begun',
        because: 'drivers/infiniband/core/umem_dmabuf.c: trims first_sg and last_sg in place',
      },
    ],
    runnable: true,
  },
  {
    stage: 5,
    becomesTrue: 'a dma-buf operation without scatterlist exists; the scatterlist one is deprecated',
    packages: ['dma-buf', 'vfio-dmabuf', 'rdma'],
    linux: 'not merged',
    steps: [
      {
        what: 'mapping types, agreed on at attach',
        state: 'RFC',
        because: 'RFC v1 of 2026-02-17, DMA-buf mapping types',
      },
      {
        what: 'scatterlist as one type among several',
        state: 'RFC',
        because: 'RFC v1 of 2026-02-17, DMA-buf mapping types',
      },
      {
        what: 'VFIO and RDMA on range lists',
        state: 'not begun',
        because: 'no such type in the tree nor in the RFC; its list of physical addresses is for iommufd',
      },
    ],
    runnable: true,
  },
  {
    stage: 6,
    becomesTrue: 'revoke: an exporter takes memory back, importers stop in bounded time',
    packages: ['dma-buf', 'vfio-dmabuf', 'rdma'],
    linux: 'merged',
    steps: [
      {
        what: 'the exporter takes memory back and waits',
        state: 'merged',
        because: 'drivers/dma-buf/dma-buf.c: dma_buf_invalidate_mappings; vfio_pci_dma_buf_move',
      },
      {
        what: 'importers that can be revoked',
        state: 'merged',
        because:
          'drivers/dma-buf/dma-buf.c: dma_buf_attach_revocable; ib_umem_dmabuf_get_pinned_revocable_and_lock',
      },
      {
        what: 'every RDMA driver with pinned regions',
        state: 'not begun',
        because: 'efa, mana, ionic, bnxt_re and mlx5 pin without a revoke callback',
      },
    ],
    runnable: true,
  },
  {
    stage: 7,
    becomesTrue: 'iommufd imports a pinnable, revocable dma-buf by CPU PFN through the new operation',
    packages: ['iommufd'],
    linux: 'partial',
    steps: [
      {
        what: 'iommufd maps a dma-buf of one range',
        state: 'merged',
        because: 'drivers/iommu/iommufd/pages.c: iopt_map_dmabuf',
      },
      {
        what: 'revoke of a mapped area',
        state: 'merged',
        because: 'drivers/iommu/iommufd/pages.c: iopt_revoke_notify',
      },
      {
        what: 'the same through the new operation',
        state: 'RFC',
        because:
          'RFC v1 of 2026-02-17, DMA-buf mapping types; today by symbol_get of vfio_pci_dma_buf_iommufd_map',
      },
    ],
    runnable: true,
  },
  {
    stage: 8,
    becomesTrue: 'GPU drivers use the new operation; nothing reachable from here imports a scatterlist',
    packages: ['gpu-driver'],
    linux: 'not started',
    steps: [
      {
        what: 'amdgpu and xe on the new operation',
        state: 'not begun',
        because: 'drivers/gpu/drm/amd/amdgpu/amdgpu_dma_buf.c, drivers/gpu/drm/xe/xe_dma_buf.c: tables',
      },
      { what: 'the deprecated operation removed', state: 'not begun', because: 'depends on stage 5' },
    ],
    runnable: true,
  },
];

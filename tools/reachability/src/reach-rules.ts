// Which packages a stage must never reach: the road's proof that a stage lives without what it leaves behind.
// Source followed: the design's table of stages; stages 1 and 2 have no scatterlist, stage 0 has no two-step API.
// Simplified: a rule speaks of whole packages and of workspace paths below them.

/** From `start`, no module whose path begins with one of `forbidden` may be reached; `required` shows that the walk is alive. */
export interface ReachRule {
  readonly start: string;
  readonly forbidden: readonly string[];
  readonly required: readonly string[];
  readonly why: string;
}

/** The rules of single stages; those of stage 8 are made for every entry that there is. */
export const reachRules: readonly ReachRule[] = [
  {
    start: 'packages/roadmap/src/stage-1.ts',
    forbidden: ['packages/dma-sg/'],
    required: ['packages/dma-iova/', 'packages/block/'],
    why: 'stage 1 maps without a scatterlist',
  },
  {
    start: 'packages/roadmap/src/stage-2.ts',
    forbidden: ['packages/dma-sg/'],
    required: ['packages/dma-iova/', 'packages/block/', 'packages/p2p/'],
    why: 'stage 2 maps physical ranges without a scatterlist',
  },
  {
    start: 'packages/roadmap/src/stage-0.ts',
    forbidden: ['packages/dma-iova/'],
    required: ['packages/dma-sg/', 'packages/block/'],
    why: 'stage 0 knows no two-step API',
  },
  {
    start: 'packages/roadmap/src/stage-4.ts',
    forbidden: ['packages/rdma/src/umem/sg', 'packages/rdma/src/stage-0', 'packages/rdma/src/stage-3'],
    required: ['packages/rdma/src/umem/dmabuf-import', 'packages/dma-buf/src/sgt', 'packages/vfio-dmabuf/'],
    why: 'stage 4 takes the table apart outside of RDMA',
  },
  {
    start: 'packages/roadmap/src/stage-5.ts',
    forbidden: ['packages/rdma/src/umem/sg', 'packages/rdma/src/stage-0', 'packages/rdma/src/stage-3'],
    required: [
      'packages/rdma/src/mapping-type/range-list-import',
      'packages/dma-buf/src/mapping-type/',
      'packages/vfio-dmabuf/src/mapping-type/',
    ],
    why: 'stage 5 wires tables for the deprecated operation outside of RDMA',
  },
  {
    start: 'packages/rdma/src/stage-4.ts',
    forbidden: ['packages/dma-sg/', 'packages/dma-buf/src/sgt'],
    required: ['packages/dma-iova/', 'packages/dma-buf/', 'packages/rdma/src/umem/'],
    why: 'RDMA has no scatterlist inside from stage 4 on',
  },
  {
    start: 'packages/rdma/src/stage-5.ts',
    forbidden: ['packages/dma-sg/', 'packages/dma-buf/src/sgt'],
    required: ['packages/dma-buf/src/mapping-type/', 'packages/rdma/src/mapping-type/'],
    why: 'RDMA imports range lists without knowing tables',
  },
  {
    start: 'packages/dma-buf/src/stage-5.ts',
    forbidden: [
      'packages/dma-sg/',
      'packages/dma-buf/src/sgt',
      'packages/dma-buf/src/mapping-type/phys-list-import',
    ],
    required: ['packages/dma-iova/', 'packages/p2p/'],
    why: 'mapping types are agreed on without a scatterlist, and physical lists are mapped by iommufd alone',
  },
  {
    start: 'packages/iommufd/src/index.ts',
    forbidden: ['packages/dma-sg/', 'packages/dma-buf/src/sgt'],
    required: ['packages/dma-buf/src/iommufd', 'packages/dma-buf/src/mapping-type/phys-list-import'],
    why: 'iommufd imports by page frame, and has no table by any door',
  },
  {
    start: 'packages/roadmap/src/stage-8.ts',
    forbidden: ['packages/dma-sg/', 'packages/dma-buf/src/sgt'],
    required: ['packages/gpu-driver/src/mapping/', 'packages/rdma/src/mapping-type/', 'packages/block/'],
    why: 'the exchange with a GPU needs no scatterlist on its new way; tables are wired beside it',
  },
];

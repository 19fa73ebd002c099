// The road: nine stages from scatterlist DMA to none, and how far Linux 7.3.4 has come.
// Source followed: the published roadmap and the source of Linux 7.3.4.
// Simplified: one line per stage; what a driver can call at each stage stands in the API ledger.

/**
 * How much of a stage Linux 7.3.4 has merged.
 * @public
 */
export type MergeState = 'starting point' | 'merged' | 'partial' | 'not merged' | 'not started';

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
    runnable: true,
  },
  {
    stage: 1,
    becomesTrue:
      'two-step API: allocate IOVA, then link, sync, unlink; callers bring their own data structure',
    packages: ['dma-iova', 'block'],
    linux: 'merged',
    runnable: true,
  },
  {
    stage: 2,
    becomesTrue: 'the DMA API needs no struct page, peer-to-peer included',
    packages: ['p2p', 'block'],
    linux: 'merged',
    runnable: true,
  },
  {
    stage: 3,
    becomesTrue: 'VFIO exports a BAR as a dma-buf, still through a scatterlist; RDMA imports it',
    packages: ['vfio-dmabuf'],
    linux: 'merged',
    runnable: true,
  },
  {
    stage: 4,
    becomesTrue: 'RDMA has no scatterlist inside',
    packages: ['rdma'],
    linux: 'partial',
    runnable: true,
  },
  {
    stage: 5,
    becomesTrue: 'a dma-buf operation without scatterlist exists; the scatterlist one is deprecated',
    packages: ['dma-buf', 'vfio-dmabuf', 'rdma'],
    linux: 'not merged',
    runnable: true,
  },
  {
    stage: 6,
    becomesTrue: 'revoke: an exporter takes memory back, importers stop in bounded time',
    packages: ['dma-buf', 'vfio-dmabuf', 'rdma'],
    linux: 'merged',
    runnable: true,
  },
  {
    stage: 7,
    becomesTrue: 'iommufd imports a pinnable, revocable dma-buf by CPU PFN through the new operation',
    packages: ['iommufd'],
    linux: 'partial',
    runnable: true,
  },
  {
    stage: 8,
    becomesTrue: 'GPU drivers use the new operation; nothing reachable from here imports a scatterlist',
    packages: ['gpu-driver'],
    linux: 'not started',
    runnable: false,
  },
];

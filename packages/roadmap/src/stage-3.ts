// Stage 3 as a run: VFIO exports a BAR as a dma-buf, through a table without pages; RDMA takes the table as it is.

export { stage3 } from './table-import-stage.ts';

// NvmeDataMapper: how the data of a command is mapped for DMA. Each stage of the road brings its own.
// Source followed: nvme_map_data and nvme_unmap_data of drivers/nvme/host/pci.c, before and after the two-step API.
// Simplified: none; it is an interface.

import type { Device } from '@sgfree/dma-core';
import type { BlkStatus } from '../blk-status.ts';
import type { BlockRequest } from '../block-request.ts';
import type { DescriptorPools } from './descriptor-pools.ts';
import type { NvmeIod } from './nvme-iod.ts';
import type { SglPolicy } from './sgl-choice.ts';
import type { TrackingMemory } from './tracking-memory.ts';

/**
 * What every mapper works with.
 * @public
 */
export interface NvmeMappingContext {
  readonly dev: Device;
  readonly pools: DescriptorPools;
  readonly tracking: TrackingMemory;
  readonly policy: SglPolicy;
}

/**
 * Maps and unmaps the data of commands.
 * @public
 */
export interface NvmeDataMapper<Iod extends NvmeIod = NvmeIod, Request extends BlockRequest = BlockRequest> {
  /** Fresh state for a request. */
  newIod(request: Request): Iod;
  /** Maps the data and writes the command's data pointer; on any status but 'ok' nothing stays mapped. */
  mapData(iod: Iod): BlkStatus;
  /** Undoes {@link NvmeDataMapper.mapData}. */
  unmapData(iod: Iod): void;
}

// The constants of the NVMe PCI driver and the queue limits it derives from controller and DMA layer.
// Source followed: drivers/nvme/host/pci.c, drivers/nvme/host/core.c (nvme_set_ctrl_limits, nvme_max_drv_segments).
// Simplified: no quirks; metadata is not transferred.

import { type Device, dmaMaxMappingSize, dmaOptMappingSize } from '@sgfree/dma-core';
import { PAGE_SIZE } from '@sgfree/hw-model';
import type { QueueLimits } from '../queue-limits.ts';

/**
 * `NVME_CTRL_PAGE_SIZE`: the memory page size the driver sets in the controller.
 * @public
 */
export const NVME_CTRL_PAGE_SIZE = 4096;

/**
 * `NVME_MAX_BYTES`: most bytes of a command, 8 MiB.
 * @public
 */
export const NVME_MAX_BYTES: number = 8 * 1024 * 1024;

/**
 * `NVME_MAX_SEGS`: descriptors in one 4 KiB SGL segment.
 * @public
 */
export const NVME_MAX_SEGS = 256;

/**
 * `NVME_MAX_NR_DESCRIPTORS`: descriptor blocks of the largest command.
 * @public
 */
export const NVME_MAX_NR_DESCRIPTORS = 5;

/**
 * `NVME_SMALL_POOL_SIZE`: bytes of a small descriptor block: 32 PRP entries or 16 SGL descriptors.
 * @public
 */
export const NVME_SMALL_POOL_SIZE = 256;

/**
 * Default of the module parameter `sgl_threshold`, in bytes; 0 = size never chooses SGLs.
 * @public
 */
export const NVME_SGL_THRESHOLD = 32768;

/**
 * What Identify told the driver.
 * @public
 */
export interface NvmeIdentity {
  /** MDTS in bytes; 0 = no limit. */
  readonly maxTransferBytes: number;
  /** Bits 1:0 of SGLS: 0 none, 1 byte granular, 2 dword granular. */
  readonly sglSupport: number;
  readonly blockBytes: number;
  readonly blockCount: number;
}

/**
 * Queue limits of a namespace on `dev`: behind an IOMMU 128 KiB and 33 segments, because larger IOVA ranges are not
 * cached (`dma_opt_mapping_size`).
 * @public
 */
export function nvmeQueueLimits(dev: Device, identity: NvmeIdentity): QueueLimits {
  const driver = Math.min(NVME_MAX_BYTES, dmaOptMappingSize(dev), dmaMaxMappingSize(dev));
  const maxBytes = identity.maxTransferBytes === 0 ? driver : Math.min(driver, identity.maxTransferBytes);
  return {
    logicalBlockBytes: identity.blockBytes,
    maxBytes,
    maxSegments: Math.min(NVME_MAX_SEGS, Math.floor(maxBytes / PAGE_SIZE) + 1),
    maxSegmentBytes: 0xffffffff,
    segmentBoundaryMask: 0xffffffff,
    virtBoundaryMask: identity.sglSupport === 0 ? NVME_CTRL_PAGE_SIZE - 1 : 0,
    dmaAlignmentMask: 3,
  };
}

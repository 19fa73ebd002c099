// SGL construction: one data block in the command, or a last-segment descriptor that points to a list of them.
// Source followed: drivers/nvme/host/pci.c (nvme_pci_sgl_set_data, nvme_pci_sgl_set_seg, nvme_pci_setup_data_sgl);
// NVM Express Base Specification 2.0, section 4.1.2.
// Simplified: at most one list; 256 descriptors fit its page and a request never has more.

import { type DmaAddr, dmaAddr } from '@sgfree/hw-model';
import type { BlkStatus } from '../blk-status.ts';
import type { DescriptorPools } from './descriptor-pools.ts';
import type { DmaRangeSource } from './dma-range-source.ts';
import type { DmaRange, NvmeIod } from './nvme-iod.ts';
import { NVME_SMALL_POOL_SIZE } from './nvme-pci-limits.ts';
import { le64At, NVME_CMD_SGL_METABUF, putLe64 } from './submission-entry.ts';

/**
 * Bytes of an SGL descriptor.
 * @public
 */
export const NVME_SGL_DESCRIPTOR_BYTES = 16;

const DATA_BLOCK = 0x00;
const LAST_SEGMENT = 0x30;
const SMALL_ENTRIES: number = NVME_SMALL_POOL_SIZE / NVME_SGL_DESCRIPTOR_BYTES;

/**
 * Writes a data block descriptor.
 * @public
 */
export function putSglDataBlock(view: DataView, at: number, addr: DmaAddr, bytes: number): void {
  putDescriptor(view, at, addr, bytes, DATA_BLOCK);
}

/**
 * Writes a last-segment descriptor for a list of `entries` data blocks.
 * @public
 */
export function putSglLastSegment(view: DataView, at: number, list: DmaAddr, entries: number): void {
  putDescriptor(view, at, list, entries * NVME_SGL_DESCRIPTOR_BYTES, LAST_SEGMENT);
}

function putDescriptor(view: DataView, at: number, addr: DmaAddr, bytes: number, type: number): void {
  putLe64(view, at, addr);
  view.setUint32(at + 8, bytes, true);
  view.setUint32(at + 12, 0, true);
  view.setUint8(at + 15, type);
}

/**
 * Writes the data pointer of `iod` and, for more than one range, its list. The source stands on its first range.
 * `entries`: ranges to make room for; `inline`: there is exactly one range.
 * @public
 */
export function setupSgls(
  iod: NvmeIod,
  source: DmaRangeSource,
  pools: DescriptorPools,
  entries: number,
  inline: boolean,
): BlkStatus {
  iod.entry.flags = NVME_CMD_SGL_METABUF;
  if (inline || entries === 1) {
    putSglDataBlock(iod.entry.dataPointer, 0, source.addr, source.bytes);
    iod.totalBytes += source.bytes;
    iod.dmaRangesOut += 1;
    return 'ok';
  }
  iod.smallDescriptor = entries <= SMALL_ENTRIES;
  const block = pools.add(iod);
  if (block === null) {
    // Unmapping reads the descriptors back: the one range mapped so far must stand there.
    putSglDataBlock(iod.entry.dataPointer, 0, source.addr, source.bytes);
    return 'resource';
  }
  const list = pools.viewOf(block);
  let mapped = 0;
  let status: BlkStatus = 'ok';
  do {
    if (mapped === entries) {
      status = 'io-error';
      break;
    }
    putSglDataBlock(list, mapped * NVME_SGL_DESCRIPTOR_BYTES, source.addr, source.bytes);
    mapped += 1;
    iod.totalBytes += source.bytes;
    iod.dmaRangesOut += 1;
  } while (source.next());
  putSglLastSegment(iod.entry.dataPointer, 0, block.dma, mapped);
  return status === 'ok' ? source.status : status;
}

/**
 * The data ranges a command's SGL names, read back from the descriptors: the driver keeps no list of its own.
 * @internal
 */
export function* sglRanges(iod: NvmeIod, pools: DescriptorPools): Generator<DmaRange> {
  const pointer = iod.entry.dataPointer;
  const block = iod.descriptors[0];
  const bytes = pointer.getUint32(8, true);
  if (pointer.getUint8(15) !== LAST_SEGMENT || block === undefined) {
    yield { addr: dmaAddr(le64At(pointer, 0)), bytes };
    return;
  }
  const list = pools.viewOf(block);
  for (let at = 0; at < bytes; at += NVME_SGL_DESCRIPTOR_BYTES) {
    yield { addr: dmaAddr(le64At(list, at)), bytes: list.getUint32(at + 8, true) };
  }
}

// PRP construction: two pointers in the command, or one and a list of page addresses, chained where it is long.
// Source followed: drivers/nvme/host/pci.c (nvme_pci_setup_data_prp); NVM Express Base Specification 2.0, section 4.1.1.
// Simplified: none known.

import { addOffset, type DmaAddr, offsetWithin } from '@sgfree/hw-model';
import type { BlkStatus } from '../blk-status.ts';
import type { DescriptorPools } from './descriptor-pools.ts';
import type { DmaRangeSource } from './dma-range-source.ts';
import type { NvmeIod } from './nvme-iod.ts';
import { NVME_CTRL_PAGE_SIZE, NVME_SMALL_POOL_SIZE } from './nvme-pci-limits.ts';
import { putLe64 } from './submission-entry.ts';

const ENTRY_BYTES = 8;
const LIST_ENTRIES: number = NVME_CTRL_PAGE_SIZE / ENTRY_BYTES;
const SMALL_ENTRIES: number = NVME_SMALL_POOL_SIZE / ENTRY_BYTES;

/** What is left of the range the source stands on, moved forward page by page. */
class PrpCursor {
  readonly #source: DmaRangeSource;
  readonly #iod: NvmeIod;
  addr: DmaAddr;
  bytes: number;

  constructor(source: DmaRangeSource, iod: NvmeIod) {
    this.#source = source;
    this.#iod = iod;
    iod.dmaRangesOut += 1;
    this.addr = source.addr;
    this.bytes = source.bytes;
  }

  take(bytes: number): void {
    this.addr = addOffset(this.addr, bytes);
    this.bytes -= bytes;
  }

  /** Makes the cursor stand on a byte; false when the source ended or failed. */
  refill(): boolean {
    if (this.bytes > 0) return true;
    if (!this.#source.next()) return false;
    this.#iod.dmaRangesOut += 1;
    this.addr = this.#source.addr;
    this.bytes = this.#source.bytes;
    return true;
  }
}

/**
 * Writes the data pointer of `iod` (on failure too, because unmapping reads it) and the lists it leads to.
 * The source stands on its first range. 'resource': no descriptor block; 'io-error': ranges that no PRP can express.
 * @public
 */
export function setupPrps(iod: NvmeIod, source: DmaRangeSource, pools: DescriptorPools): BlkStatus {
  const cursor = new PrpCursor(source, iod);
  const first = source.addr;
  let left = iod.request.bytes;
  const inFirst = Math.min(left, NVME_CTRL_PAGE_SIZE - offsetWithin(first, NVME_CTRL_PAGE_SIZE));
  iod.entry.setPrps(first, 0);
  if (cursor.bytes < inFirst) return 'io-error';
  cursor.take(inFirst);
  left -= inFirst;
  iod.totalBytes += inFirst;
  if (left === 0) return 'ok';
  if (!cursor.refill()) return endedEarly(source);
  if (left <= NVME_CTRL_PAGE_SIZE) {
    if (cursor.bytes < left) return 'io-error';
    iod.totalBytes += left;
    iod.entry.setPrps(first, cursor.addr);
    return 'ok';
  }
  iod.smallDescriptor = Math.ceil(left / NVME_CTRL_PAGE_SIZE) <= SMALL_ENTRIES;
  return fillLists(iod, first, left, cursor, source, pools);
}

function fillLists(
  iod: NvmeIod,
  first: DmaAddr,
  bytes: number,
  cursor: PrpCursor,
  source: DmaRangeSource,
  pools: DescriptorPools,
): BlkStatus {
  let block = pools.add(iod);
  if (block === null) return 'resource';
  iod.entry.setPrps(first, block.dma);
  let list = pools.viewOf(block);
  let used = 0;
  for (let left = bytes; ; ) {
    putLe64(list, used * ENTRY_BYTES, cursor.addr);
    used += 1;
    const step = Math.min(left, NVME_CTRL_PAGE_SIZE);
    if (cursor.bytes < step) return 'io-error';
    iod.totalBytes += step;
    cursor.take(step);
    left -= step;
    if (left === 0) return 'ok';
    if (!cursor.refill()) return endedEarly(source);
    if (used < LIST_ENTRIES) continue;
    // The list is full with data to come: its last entry moves to a new list and makes room for the pointer.
    block = pools.add(iod);
    if (block === null) return 'resource';
    const next = pools.viewOf(block);
    const last = (LIST_ENTRIES - 1) * ENTRY_BYTES;
    for (let at = 0; at < ENTRY_BYTES; at += 1) next.setUint8(at, list.getUint8(last + at));
    putLe64(list, last, block.dma);
    list = next;
    used = 1;
  }
}

/** The ranges ended before the request did: their failure, or a request whose ranges do not add up. */
function endedEarly(source: DmaRangeSource): BlkStatus {
  return source.status === 'ok' ? 'io-error' : source.status;
}

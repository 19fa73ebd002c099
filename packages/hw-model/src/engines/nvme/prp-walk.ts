// PRP walk: from PRP1, PRP2 and the PRP lists in host memory to the pages of a transfer.
// Source followed: NVM Express Base Specification 2.0, section 4.1.1, figures 88 to 91.
// Simplified: lists are fetched before any data moves; a list is fetched up to its page's end in one transfer.

import { dmaAddr, offsetWithin } from '../../addresses.ts';
import type { ModelTask } from '../../yield-point.ts';
import type { DmaEngine } from '../dma-engine.ts';
import { readUint64 } from './nvme-command.ts';
import type { NvmeCounters } from './nvme-counters.ts';
import { NVME_STATUS } from './nvme-status.ts';
import { onBus, type TransferRanges } from './transfer-ranges.ts';

const ENTRY_BYTES = 8;

/**
 * Adds the ranges of `bytes` data bytes; returns a status code (0 = success).
 * @internal
 */
export function* walkPrp(
  dma: DmaEngine,
  counters: NvmeCounters,
  pageBytes: number,
  pointer: { readonly prp1: number; readonly prp2: number },
  bytes: number,
  ranges: TransferRanges,
): ModelTask<number> {
  const { prp1, prp2 } = pointer;
  // Only PRP1 may have an offset, and it is dword aligned.
  if (prp1 % 4 !== 0) return NVME_STATUS.invalidPrpOffset;
  const first = Math.min(bytes, pageBytes - offsetWithin(prp1, pageBytes));
  ranges.add(prp1, first);
  const left = bytes - first;
  if (left === 0) return NVME_STATUS.success;
  if (left > pageBytes) return yield* walkPrpLists(dma, counters, pageBytes, prp2, left, ranges);
  if (offsetWithin(prp2, pageBytes) !== 0) return NVME_STATUS.invalidPrpOffset;
  ranges.add(prp2, left);
  return NVME_STATUS.success;
}

function* walkPrpLists(
  dma: DmaEngine,
  counters: NvmeCounters,
  pageBytes: number,
  firstList: number,
  bytes: number,
  ranges: TransferRanges,
): ModelTask<number> {
  // The first list may start anywhere in a page, on a qword; the following ones start a page.
  if (firstList % ENTRY_BYTES !== 0) return NVME_STATUS.invalidPrpOffset;
  let list = firstList;
  let left = bytes;
  while (left > 0) {
    const room = (pageBytes - offsetWithin(list, pageBytes)) / ENTRY_BYTES;
    const pages = Math.ceil(left / pageBytes);
    const chained = pages > room;
    const entries = new Uint8Array(Math.min(pages, room) * ENTRY_BYTES);
    if (!onBus(list, entries.length)) return NVME_STATUS.dataTransferError;
    if ((yield* dma.read(dmaAddr(list), entries)) !== 'success') return NVME_STATUS.dataTransferError;
    counters.prpEntriesFetched += entries.length / ENTRY_BYTES;
    const view = new DataView(entries.buffer);
    const dataBytes = entries.length - (chained ? ENTRY_BYTES : 0);
    for (let at = 0; at < dataBytes; at += ENTRY_BYTES) {
      const page = readUint64(view, at);
      if (offsetWithin(page, pageBytes) !== 0) return NVME_STATUS.invalidPrpOffset;
      const count = Math.min(left, pageBytes);
      ranges.add(page, count);
      left -= count;
    }
    if (!chained) break;
    // More pages than entries: the last entry of the page points to the next list.
    list = readUint64(view, dataBytes);
    if (offsetWithin(list, pageBytes) !== 0) return NVME_STATUS.invalidPrpOffset;
  }
  return NVME_STATUS.success;
}

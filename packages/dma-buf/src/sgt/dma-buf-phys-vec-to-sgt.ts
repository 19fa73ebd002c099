// A peer's memory as a scatterlist without pages: what VFIO and RDMA export while importers still want a table.
// Source followed: drivers/dma-buf/dma-buf-mapping.c (dma_buf_phys_vec_to_sgt, dma_buf_free_sgt).
// Kept from Linux: no entry has a page, and the CPU view is empty though segments are there (phys-vec-no-cpu-view).
// Mended unless asked for: phys-vec-offset-zero, phys-vec-leaks.
// Simplified: none.

import { type DmaAttrs, type DmaDataDirection, dmaMapPhys, dmaUnmapPhys } from '@sgfree/dma-core';
import {
  DmaIovaState,
  dmaIovaDestroy,
  dmaIovaFree,
  dmaIovaLink,
  dmaIovaSync,
  dmaIovaTryAlloc,
} from '@sgfree/dma-iova';
import { type SgTable, sgAllocTable, sgFreeTable } from '@sgfree/dma-sg';
import { addOffset, type DmaAddr, dmaAddr, PAGE_SIZE, physAddr } from '@sgfree/hw-model';
import { DmaApiViolation, Errno, failure, type Outcome, success, warnViolation } from '@sgfree/mm';
import { type P2pdmaProvider, pciP2pdmaBusAddrMap, pciP2pdmaMapType } from '@sgfree/p2p';
import type { PhysVec } from '../phys-vec.ts';
import { dmaResvAssertHeld } from '../resv/dma-resv.ts';
import { DmaBufSgt, type SgtAttachment, type SgtRoute } from './dma-buf-sgt.ts';

/** Whole pages that fit the length of an entry, an unsigned int. */
const MOST_ENTRY_BYTES: number = 2 ** 32 - PAGE_SIZE;
/** Sizes of the record behind a table, and of its IOVA state. */
const DMA_BYTES = 40;
const STATE_BYTES = 16;
const MMIO: DmaAttrs = { mmio: true };
type Errnum = (typeof Errno)[keyof typeof Errno];

/**
 * Makes the memory of `provider` reachable for the importer's device: bus addresses inside a switch, one IOVA range or a
 * mapping per range through the host bridge. `size` is the sum of the ranges in bytes. Errors: EINVAL (no route, no
 * entries), ENOMEM, and those of {@link @sgfree/dma-iova#dmaIovaLink}.
 * @public
 * @kernel dma_buf_phys_vec_to_sgt
 */
export function dmaBufPhysVecToSgt(
  attach: SgtAttachment,
  provider: P2pdmaProvider,
  physVec: readonly PhysVec[],
  size: number,
  dir: DmaDataDirection,
): Outcome<SgTable> {
  assertLock(attach);
  if (!hasMemory(attach, DMA_BYTES)) return failure(Errno.ENOMEM);
  const mapType = pciP2pdmaMapType(provider, attach.dev);
  if (mapType === 'not-supported') return failure(Errno.EINVAL);
  const state = new DmaIovaState();
  let route: SgtRoute = 'bus-address';
  if (mapType === 'thru-host-bridge') {
    if (!hasMemory(attach, STATE_BYTES)) return failure(Errno.ENOMEM);
    route = dmaIovaTryAlloc(attach.dev, state, physAddr(0), size) ? 'iova' : 'mapped';
  }
  const table = new DmaBufSgt(attach, route, state);
  const error = fill(attach, table, provider, physVec, size, dir);
  if (error !== 0) return failure(-error as Errnum);
  // The CPU view is empty: nobody may look for pages.
  table.segmentCount = 0;
  return success(table);
}

const hasMemory = ({ allocate }: SgtAttachment, bytes: number): boolean => allocate?.(bytes) !== false;

function assertLock({ resv }: SgtAttachment): void {
  if (resv !== undefined) dmaResvAssertHeld(resv, 'phys-vec-lock-needed');
}

function fill(
  attach: SgtAttachment,
  table: DmaBufSgt,
  provider: P2pdmaProvider,
  physVec: readonly PhysVec[],
  size: number,
  dir: DmaDataDirection,
): number {
  const error = sgAllocTable(table, entryCount(table.route, physVec, size));
  if (error !== 0) {
    if (table.route === 'iova' && !leaks(attach)) dmaIovaFree(attach.dev, table.state);
    return error;
  }
  const writer = new EntryWriter(table);
  if (table.route === 'bus-address') {
    for (const { paddr, len } of physVec) writer.add(pciP2pdmaBusAddrMap(provider, paddr), len);
  }
  const failed =
    table.route === 'iova'
      ? linkRanges(attach, table, writer, physVec, size, dir)
      : table.route === 'mapped'
        ? mapRanges(attach, table, writer, physVec, dir)
        : 0;
  if (failed !== 0) {
    sgFreeTable(table);
    return failed;
  }
  if (writer.written !== table.mappedCount) {
    warnViolation(attach.dev.log, 'phys-vec-entries', { device: attach.dev.name, entries: writer.written });
  }
  return 0;
}

const leaks = ({ linuxQuirks }: SgtAttachment): boolean => linuxQuirks?.physVecLeaks === true;

/** Entries of the table; a count that does not fit an unsigned int becomes 0. */
function entryCount(route: SgtRoute, physVec: readonly PhysVec[], size: number): number {
  const lengths = route === 'iova' ? [size] : physVec.map(({ len }) => len);
  const entries = lengths.reduce((sum, bytes) => sum + Math.ceil(bytes / MOST_ENTRY_BYTES), 0);
  return entries < 2 ** 32 ? entries : 0;
}

function linkRanges(
  attach: SgtAttachment,
  table: DmaBufSgt,
  writer: EntryWriter,
  physVec: readonly PhysVec[],
  size: number,
  dir: DmaDataDirection,
): number {
  const { dev, linuxQuirks } = attach;
  const { state } = table;
  let linked = 0;
  for (const [range, { paddr, len }] of physVec.entries()) {
    const offset = linuxQuirks?.physVecOffsetZero === true ? 0 : linked;
    const error = dmaIovaLink(dev, state, paddr, offset, len, dir, MMIO);
    if (error !== 0) {
      if (range > 0 || !leaks(attach)) dmaIovaDestroy(dev, state, linked, dir, MMIO);
      return error;
    }
    linked += len;
  }
  if (linked !== size) warnViolation(dev.log, 'phys-vec-size', { device: dev.name, size, linked });
  const error = dmaIovaSync(dev, state, 0, linked);
  if (error !== 0) {
    dmaIovaDestroy(dev, state, linked, dir, MMIO);
    return error;
  }
  table.linked = linked;
  writer.add(state.addr, linked);
  return 0;
}

function mapRanges(
  attach: SgtAttachment,
  table: DmaBufSgt,
  writer: EntryWriter,
  physVec: readonly PhysVec[],
  dir: DmaDataDirection,
): number {
  for (const [range, { paddr, len }] of physVec.entries()) {
    const address = dmaMapPhys(attach.dev, paddr, len, dir, MMIO);
    if (address === -1) {
      const entries = leaks(attach) && range > 0 ? table.mappedCount : writer.written;
      unmapEntries(attach, table, entries, dir);
      return -Errno.ENOMEM;
    }
    writer.add(address, len);
  }
  return 0;
}

function unmapEntries(
  attach: SgtAttachment,
  { list }: SgTable,
  entries: number,
  dir: DmaDataDirection,
): void {
  for (let sg = 0; sg < entries; sg += 1) {
    const address = dmaAddr(list.dmaAddress[sg] ?? -1);
    dmaUnmapPhys(attach.dev, address, list.dmaLength[sg] ?? 0, dir, MMIO);
  }
}

/** Writes runs of addresses into a table, cut where an entry is full. */
class EntryWriter {
  written = 0;
  readonly #table: SgTable;

  constructor(table: SgTable) {
    this.#table = table;
  }

  add(address: DmaAddr, bytes: number): void {
    const { dmaAddress, dmaLength } = this.#table.list;
    for (let done = 0; done < bytes; done += MOST_ENTRY_BYTES) {
      dmaAddress[this.written] = addOffset(address, done);
      dmaLength[this.written] = Math.min(bytes - done, MOST_ENTRY_BYTES);
      this.written += 1;
    }
  }
}

/**
 * Undoes {@link dmaBufPhysVecToSgt} and frees the table; throws {@link @sgfree/mm#DmaApiViolation} `phys-vec-foreign-table`
 * for a table that it did not make.
 * @public
 * @kernel dma_buf_free_sgt
 */
export function dmaBufFreeSgt(attach: SgtAttachment, sgt: SgTable, dir: DmaDataDirection): void {
  if (!(sgt instanceof DmaBufSgt)) {
    throw new DmaApiViolation('phys-vec-foreign-table', 'the table is not one of physical ranges');
  }
  assertLock(attach);
  if (sgt.route === 'iova') dmaIovaDestroy(attach.dev, sgt.state, sgt.linked, dir, MMIO);
  if (sgt.route === 'mapped') unmapEntries(attach, sgt, sgt.mappedCount, dir);
  // sg_free_table goes by the count of the CPU view, which is 0.
  if (!leaks(attach)) sgFreeTable(sgt);
}

// Bringing a controller up: admin queue, Identify, one I/O queue pair; and taking it down again.
// Source followed: drivers/nvme/host/pci.c (nvme_pci_configure_admin_queue, nvme_create_queue, nvme_dev_disable),
// drivers/nvme/host/core.c (nvme_enable_ctrl, nvme_identify_ctrl, nvme_identify_ns).
// Simplified: one I/O queue, one namespace; Identify data lands in coherent memory; no interrupts, no quirks.

import type { ModelTask } from '@sgfree/hw-model';
import { InternalError, type PhysicalMemory } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import type { CoherentBlock, CoherentSource } from './dma-pool.ts';
import { NVME_REG, type NvmeBar } from './nvme-bar.ts';
import { NVME_CTRL_PAGE_SIZE, type NvmeIdentity } from './nvme-pci-limits.ts';
import { allocRings, type NvmeCompletion, NvmeQueuePair } from './queue-pair.ts';
import { le64At, NvmeSubmissionEntry } from './submission-entry.ts';

const ADMIN_ENTRIES = 32;
const CC_ENABLE = 1;
/** I/O queue entry sizes: 2^6 and 2^4 bytes. */
const CC_ENTRY_SIZES: number = (6 << 16) | (4 << 20);
const CSTS_READY = 1;

const OPCODE = { deleteSq: 0x00, createSq: 0x01, deleteCq: 0x04, createCq: 0x05, identify: 0x06 } as const;

/**
 * What bring-up needs of the machine.
 * @internal
 */
export interface BringUpContext {
  readonly bar: NvmeBar;
  readonly memory: PhysicalMemory;
  readonly source: CoherentSource;
  /** Entries wanted for the I/O queue; the controller's maximum bounds it. */
  readonly queueEntries: number;
}

/** A function that waits for CSTS.RDY to take a value. */
function* waitReady(bar: NvmeBar, ready: boolean): ModelTask<void> {
  yield { at: 'nvme:ready', until: () => ((bar.read32(NVME_REG.csts) & CSTS_READY) !== 0) === ready };
}

/** Runs one admin command to its completion. */
function* adminCommand(admin: NvmeQueuePair, entry: NvmeSubmissionEntry): ModelTask<NvmeCompletion> {
  admin.submit(entry);
  yield { at: 'nvme:admin', until: () => admin.pending };
  return admin.take();
}

/**
 * Enables the controller with an admin queue; null when memory is short.
 * @internal
 */
export function* enableController(context: BringUpContext): ModelTask<NvmeQueuePair | null> {
  const { bar, memory, source } = context;
  bar.write32(NVME_REG.cc, 0);
  yield* waitReady(bar, false);
  const rings = allocRings(source, ADMIN_ENTRIES);
  if (rings === null) return null;
  const admin = new NvmeQueuePair(0, ADMIN_ENTRIES, rings, memory, bar);
  bar.write32(NVME_REG.aqa, (ADMIN_ENTRIES - 1) * 0x10001);
  bar.write64(NVME_REG.asq, rings.submission.dma);
  bar.write64(NVME_REG.acq, rings.completion.dma);
  bar.write32(NVME_REG.cc, CC_ENABLE + CC_ENTRY_SIZES);
  yield* waitReady(bar, true);
  return admin;
}

/** One Identify structure, read into `buffer`; false when the controller refused. */
function* identify(
  admin: NvmeQueuePair,
  buffer: CoherentBlock,
  structure: number,
  nsid: number,
): ModelTask<boolean> {
  const entry = new NvmeSubmissionEntry();
  entry.opcode = OPCODE.identify;
  entry.namespaceId = nsid;
  entry.setPrps(buffer.dma, 0);
  entry.setDword(10, structure);
  return (yield* adminCommand(admin, entry)).status === 0;
}

/**
 * Identifies controller and namespace 1; -ENOMEM or -EIO otherwise.
 * @internal
 */
export function* readIdentity(
  context: BringUpContext,
  admin: NvmeQueuePair,
): ModelTask<NvmeIdentity | number> {
  const buffer = context.source.alloc(NVME_CTRL_PAGE_SIZE);
  if (buffer === null) return -Errno.ENOMEM;
  const data = new Uint8Array(NVME_CTRL_PAGE_SIZE);
  const view = new DataView(data.buffer);
  try {
    if (!(yield* identify(admin, buffer, 1, 0))) return -Errno.EIO;
    context.memory.read(buffer.phys, data);
    const mdts = view.getUint8(77);
    const sglSupport = view.getUint32(536, true) & 3;
    if (!(yield* identify(admin, buffer, 0, 1))) return -Errno.EIO;
    context.memory.read(buffer.phys, data);
    const format = 128 + 4 * (view.getUint8(26) & 0xf);
    return {
      maxTransferBytes: mdts === 0 ? 0 : NVME_CTRL_PAGE_SIZE * 2 ** mdts,
      sglSupport,
      blockBytes: 2 ** view.getUint8(format + 2),
      blockCount: le64At(view, 0),
    };
  } finally {
    context.source.free(buffer);
  }
}

/** Create I/O Completion or Submission Queue. */
function* createQueue(
  admin: NvmeQueuePair,
  opcode: number,
  ring: CoherentBlock,
  entries: number,
  dword11: number,
): ModelTask<boolean> {
  const entry = new NvmeSubmissionEntry();
  entry.opcode = opcode;
  entry.setPrps(ring.dma, 0);
  entry.setDword(10, (entries - 1) * 0x10000 + 1);
  entry.setDword(11, dword11);
  return (yield* adminCommand(admin, entry)).status === 0;
}

/**
 * Creates I/O queue 1; -ENOMEM or -EIO otherwise.
 * @internal
 */
export function* createIoQueue(
  context: BringUpContext,
  admin: NvmeQueuePair,
): ModelTask<NvmeQueuePair | number> {
  const { bar, memory, source } = context;
  const largest = (bar.read32(NVME_REG.cap) & 0xffff) + 1;
  const entries = Math.min(context.queueEntries, largest);
  const rings = allocRings(source, entries);
  if (rings === null) return -Errno.ENOMEM;
  const made =
    (yield* createQueue(admin, OPCODE.createCq, rings.completion, entries, 1)) &&
    (yield* createQueue(admin, OPCODE.createSq, rings.submission, entries, 0x10001));
  if (made) return new NvmeQueuePair(1, entries, rings, memory, bar);
  source.free(rings.submission);
  source.free(rings.completion);
  return -Errno.EIO;
}

/**
 * Deletes the I/O queue, stops the controller and frees all rings. No command may be in flight.
 * @internal
 */
export function* shutDown(
  context: BringUpContext,
  admin: NvmeQueuePair,
  io: NvmeQueuePair | null,
): ModelTask<void> {
  if ((io?.inFlight ?? 0) > 0) throw new InternalError('shutdown with commands in flight');
  for (const opcode of io === null ? [] : [OPCODE.deleteSq, OPCODE.deleteCq]) {
    const entry = new NvmeSubmissionEntry();
    entry.opcode = opcode;
    entry.setDword(10, 1);
    yield* adminCommand(admin, entry);
  }
  context.bar.write32(NVME_REG.cc, 0);
  yield* waitReady(context.bar, false);
  for (const queue of io === null ? [admin] : [io, admin]) {
    context.source.free(queue.submission);
    context.source.free(queue.completion);
  }
}

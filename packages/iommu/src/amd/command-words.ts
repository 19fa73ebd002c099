// Command words: AMD-Vi commands as the driver writes them, four 32-bit words each.
// Source followed: drivers/iommu/amd/iommu.c (build_completion_wait, build_inv_dte, build_inv_iommu_pages,
// build_inv_iotlb_pages, build_inv_all); AMD I/O Virtualization Technology specification 2.4.
// Simplified: no PASIDs, so that the GN bit is never set; no page responses, no interrupt tables.

import { AmdCommand, AmdPagesFlag, AmdWaitFlag, type RegisterPair } from '@sgfree/hw-model';
import { buildInvAddress } from './invalidation-address.ts';

/**
 * Words of a command.
 * @internal
 */
export const COMMAND_WORDS = 4;

const OPCODE_SHIFT = 28;
/** 2^52 page frames are 2^64 bytes. */
const LAST_FRAME = 2 ** 52 - 1;

/** Fills a command; words that are not given become 0. */
function fill(words: Uint32Array, opcode: number, low: number, high: number): void {
  words[0] = low;
  words[1] = ((opcode << OPCODE_SHIFT) | high) >>> 0;
  words[2] = 0;
  words[3] = 0;
}

/**
 * Store `data` at the physical address `address` once every earlier command is done.
 * @internal
 * @kernel build_completion_wait
 */
export function buildCompletionWait(words: Uint32Array, address: RegisterPair, data: RegisterPair): void {
  fill(words, AmdCommand.completionWait, address[0] + AmdWaitFlag.store, address[1]);
  words[2] = data[0];
  words[3] = data[1];
}

/**
 * Forget the device table entry of `deviceId`.
 * @internal
 * @kernel build_inv_dte
 */
export const buildInvDte = (words: Uint32Array, deviceId: number): void =>
  fill(words, AmdCommand.invalidateDeviceEntry, deviceId, 0);

/**
 * Forget what is known of the pages `first` to `last` of a domain; with `directory` of the tables above them too.
 * @internal
 * @kernel build_inv_iommu_pages
 */
export function buildInvIommuPages(
  words: Uint32Array,
  domainId: number,
  first: number,
  last: number,
  directory: boolean,
): void {
  fill(words, AmdCommand.invalidateIommuPages, 0, domainId);
  buildInvAddress(words, 2, first, last);
  if (directory) words[2] = (words[2] as number) + AmdPagesFlag.directory;
}

/**
 * {@link buildInvIommuPages} for the whole space of a domain.
 * @internal
 */
export const buildInvWholeDomain = (words: Uint32Array, domainId: number): void =>
  buildInvIommuPages(words, domainId, 0, LAST_FRAME, true);

/**
 * Tell the device to forget the pages `first` to `last`; it can queue `queueDepth` (0 to 31) such requests.
 * @internal
 * @kernel build_inv_iotlb_pages
 */
export function buildInvIotlbPages(
  words: Uint32Array,
  deviceId: number,
  queueDepth: number,
  first: number,
  last: number,
): void {
  fill(words, AmdCommand.invalidateIotlbPages, deviceId + (queueDepth & 0xff) * 0x1000000, deviceId);
  buildInvAddress(words, 2, first, last);
}

/**
 * Forget everything.
 * @internal
 * @kernel build_inv_all
 */
export const buildInvAll = (words: Uint32Array): void => fill(words, AmdCommand.invalidateIommuAll, 0, 0);

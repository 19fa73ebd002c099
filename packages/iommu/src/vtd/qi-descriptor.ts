// QiDescriptor: the words of the invalidation descriptors that the driver writes.
// Source followed: VT-d specification 6.5.2; drivers/iommu/intel/iommu.h qi_desc_iotlb() and its siblings.
// Each function fills eight words (four 64-bit words, low half first); legacy hardware reads the first four.
// Simplified: no interrupt-entry, PASID device-TLB and page-response descriptors.

import { type VtdCapabilities, VtdDescriptorType, VtdGranularity, VtdWaitFlag } from '@sgfree/hw-model';

/** Words of the widest descriptor. */
export const DESCRIPTOR_WORDS = 8;

/** Address mask in words 2 and 3: the page frame goes to bits 63:12. */
function putFrame(words: Uint32Array, at: number, frame: number, lowBits: number): void {
  const high = Math.floor(frame / 0x100000);
  words[at + 2] = (frame - high * 0x100000) * 4096 + lowBits;
  words[at + 3] = high;
}

const clear = (words: Uint32Array, at: number): void => {
  words.fill(0, at, at + DESCRIPTOR_WORDS);
};

/**
 * `cc_inv`: context-cache invalidation; `granularity` as in VtdGranularity.
 * @internal
 */
export function encodeContextCache(
  words: Uint32Array,
  at: number,
  granularity: number,
  domain: number,
  sourceId: number,
): void {
  clear(words, at);
  words[at] = (domain * 0x10000 + (granularity << 4)) | VtdDescriptorType.contextCache;
  words[at + 1] = sourceId;
}

const drains = (capabilities: VtdCapabilities): number =>
  (capabilities.drainWrites ? 0x40 : 0) | (capabilities.drainReads ? 0x80 : 0);

/**
 * `iotlb_inv` of everything or of one domain: the second 64-bit word stays 0.
 * @internal
 */
export function encodeIotlbWide(
  words: Uint32Array,
  at: number,
  capabilities: VtdCapabilities,
  granularity: number,
  domain: number,
): void {
  clear(words, at);
  words[at] = domain * 0x10000 + ((granularity << 4) | drains(capabilities) | VtdDescriptorType.iotlb);
}

/**
 * `iotlb_inv` of 2 ** `order` pages from `frame` on; `leafOnly` is the invalidation hint.
 * @internal
 */
export function encodeIotlbPages(
  words: Uint32Array,
  at: number,
  capabilities: VtdCapabilities,
  domain: number,
  frame: number,
  order: number,
  leafOnly: boolean,
): void {
  encodeIotlbWide(words, at, capabilities, VtdGranularity.selective, domain);
  putFrame(words, at, frame, order | (leafOnly ? 0x40 : 0));
}

/** p_iotlb_inv granularities: all of one PASID in a domain, pages of it. */
const PASID_SELECTIVE = 2;
const PASID_PAGES = 3;

/**
 * `p_iotlb_inv`: all of PASID `pasid` of a domain when `order` is below 0, else 2 ** `order` pages from `frame` on.
 * @internal
 */
export function encodePasidIotlb(
  words: Uint32Array,
  at: number,
  domain: number,
  pasid: number,
  frame: number,
  order: number,
  leafOnly: boolean,
): void {
  clear(words, at);
  const granularity = order < 0 ? PASID_SELECTIVE : PASID_PAGES;
  words[at] = domain * 0x10000 + ((granularity << 4) | VtdDescriptorType.pasidIotlb);
  words[at + 1] = pasid;
  if (order >= 0) putFrame(words, at, frame, order | (leafOnly ? 0x40 : 0));
}

/**
 * `pc_inv`: PASID-cache invalidation; `granularity` 0 = all of the domain, 1 = one PASID, 3 = everything.
 * @internal
 */
export function encodePasidCache(
  words: Uint32Array,
  at: number,
  granularity: number,
  domain: number,
  pasid: number,
): void {
  clear(words, at);
  words[at] = domain * 0x10000 + ((granularity << 4) | VtdDescriptorType.pasidCache);
  words[at + 1] = pasid;
}

/**
 * `dev_tlb_inv`: 2 ** `order` pages in the device-TLB of `sourceId`. A size above one page is written into the
 * address as ones below a zero; an order of 52 or more means the whole address space.
 * @internal
 */
export function encodeDeviceTlb(
  words: Uint32Array,
  at: number,
  sourceId: number,
  pfsid: number,
  queueDepth: number,
  frame: number,
  order: number,
): void {
  clear(words, at);
  words[at] = VtdDescriptorType.deviceTlb | ((pfsid & 0xf) << 12) | ((queueDepth & 0x1f) << 16);
  words[at + 1] = (pfsid >>> 4) * 0x100000 + sourceId;
  if (order === 0) putFrame(words, at, frame, 0);
  else if (order < 52) putFrame(words, at, frame + 2 ** (order - 1) - 1, 1);
  else {
    words[at + 2] = 0xfffff001;
    words[at + 3] = 0x7fffffff;
  }
}

/** What Linux lets a wait descriptor store when it completes (QI_DONE). */
export const WAIT_DONE = 2;

/**
 * `inv_wait` that stores {@link WAIT_DONE} at `address` (4-byte aligned, below 2^52).
 * @internal
 */
export function encodeWait(words: Uint32Array, at: number, address: number): void {
  clear(words, at);
  words[at] = VtdDescriptorType.wait | VtdWaitFlag.statusWrite;
  words[at + 1] = WAIT_DONE;
  const high = Math.floor(address / 0x100000000);
  words[at + 2] = address - high * 0x100000000;
  words[at + 3] = high;
}

const TYPE_NAMES = [
  'unknown',
  'cc_inv',
  'iotlb_inv',
  'dev_tlb_inv',
  'iec_inv',
  'inv_wait',
  'p_iotlb_inv',
  'pc_inv',
  'p_dev_tlb_inv',
  'page_grp_resp',
] as const;

/**
 * The name the `qi_submit` trace event gives the descriptor whose first word is `low`.
 * @internal
 */
export const descriptorTypeName = (low: number): string => TYPE_NAMES[low & 0xf] ?? 'unknown';

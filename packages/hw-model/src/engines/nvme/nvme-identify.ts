// The Identify data structures: what a controller and its namespace say about themselves.
// Source followed: NVM Express Base Specification 2.0, section 5.17.2, figures 275 (controller), NVM Command Set 1.0
// section 4.1.5 (namespace).
// Simplified: the fields a PCI driver reads to set its limits; everything else is zero.

import type { BlockMedium } from './block-medium.ts';
import { writeUint64 } from './nvme-command.ts';
import type { NvmeSglSupport } from './nvme-data-path.ts';

/**
 * What Identify Controller reports beyond constants.
 * @internal
 */
export interface NvmeControllerIdentity {
  readonly vendorId: number;
  readonly serialNumber: string;
  readonly sgls: NvmeSglSupport;
  /** Maximum data transfer size as a power of two of 4 KiB pages; 0 = no limit. */
  readonly mdts: number;
}

const IDENTIFY_BYTES = 4096;

/** CNS 1. @internal */
export function identifyController(identity: NvmeControllerIdentity): Uint8Array {
  const data = new Uint8Array(IDENTIFY_BYTES);
  const view = new DataView(data.buffer);
  view.setUint16(0, identity.vendorId, true);
  view.setUint16(2, identity.vendorId, true);
  putText(data, 4, 20, identity.serialNumber);
  putText(data, 24, 40, 'sgfree model controller');
  putText(data, 64, 8, '1');
  data[77] = identity.mdts;
  view.setUint16(78, 1, true);
  view.setUint32(80, 0x00010400, true);
  data[512] = 0x66; // SQES: 64 bytes
  data[513] = 0x44; // CQES: 16 bytes
  view.setUint32(516, 1, true); // NN
  data[525] = 1; // VWC: flush is meaningful
  view.setUint32(536, identity.sgls, true);
  return data;
}

/** CNS 0. @internal */
export function identifyNamespace(medium: BlockMedium): Uint8Array {
  const data = new Uint8Array(IDENTIFY_BYTES);
  const view = new DataView(data.buffer);
  for (const field of [0, 8, 16]) writeUint64(view, field, medium.blockCount); // NSZE, NCAP, NUSE
  data[130] = Math.log2(medium.blockBytes); // LBAF0.LBADS; NLBAF and FLBAS are 0
  return data;
}

/** CNS 2: active namespace ids above `after`. @internal */
export function identifyNamespaceList(after: number): Uint8Array {
  const data = new Uint8Array(IDENTIFY_BYTES);
  if (after < 1) new DataView(data.buffer).setUint32(0, 1, true);
  return data;
}

function putText(data: Uint8Array, at: number, bytes: number, text: string): void {
  for (let i = 0; i < bytes; i += 1) data[at + i] = i < text.length ? text.charCodeAt(i) : 0x20;
}

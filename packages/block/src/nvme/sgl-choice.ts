// PRP or SGL: which of the two forms a command's data pointer takes.
// Source followed: drivers/nvme/host/pci.c (nvme_pci_use_sgls, enum nvme_use_sgl).
// Simplified: no user passthrough commands and no integrity segments, which force SGLs as gaps do.

import { type BlockRequest, reqPhysGapMask } from '../block-request.ts';
import { NVME_CTRL_PAGE_SIZE } from './nvme-pci-limits.ts';

/**
 * Whether SGLs can be used (`enum nvme_use_sgl`); 'forced' when PRPs cannot express the request.
 * @public
 */
export type SglUse = 'unsupported' | 'supported' | 'forced';

/**
 * Inputs of the choice.
 * @public
 */
export interface SglPolicy {
  /** Bits 1:0 of Identify's SGLS field; 0 = no SGLs. */
  readonly sglSupport: number;
  /** Module parameter `sgl_threshold` in bytes. */
  readonly sglThreshold: number;
}

/**
 * Whether a request may or must use SGLs.
 * @public
 */
export function nvmeSglUse(request: BlockRequest, policy: SglPolicy): SglUse {
  if (policy.sglSupport === 0) return 'unsupported';
  return reqPhysGapMask(request, NVME_CTRL_PAGE_SIZE - 1) !== 0 ? 'forced' : 'supported';
}

/**
 * True when the command gets SGLs: forced, or its average segment reaches the threshold. `segments`: physical
 * segments of the request, 1 when it was mapped as one IOVA range.
 * @public
 */
export function choosesSgl(use: SglUse, bytes: number, segments: number, policy: SglPolicy): boolean {
  if (use === 'forced') return true;
  if (use === 'unsupported' || policy.sglThreshold === 0) return false;
  return Math.ceil(bytes / segments) >= policy.sglThreshold;
}

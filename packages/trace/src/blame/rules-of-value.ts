// Rules of value: faults whose address gives itself away: an error value, next to nothing, half an address, or one of
// another space.
// Source followed: include/linux/dma-mapping.h (DMA_MAPPING_ERROR is all ones); the IOVA allocator never gives out page 0.
// Simplified: an error value cut to an address width counts only when nothing is mapped there.

import type { BlameConfidence, BlameReason, BlameRule, FaultCase } from './blame-reason.ts';
import { evidenceAt, remark, weakerIf } from './blame-reason.ts';
import type { MappingSighting } from './mapping-sighting.ts';
import { pageStart } from './mapping-sighting.ts';
import { mappingText } from './mapping-words.ts';
import { hexText } from './wording.ts';

const ALL_ONES_PAGE = 2 ** 64 - 4096;
const ERROR_WIDTHS = [57, 52, 48, 40, 32];
const FIRST_PAGE = 4096;
const SMALL = 65536;

/** True when a mapping of the device, or of nobody by name, covers the address at or before the fault. */
export const hasOwner = ({ around }: FaultCase): boolean =>
  around.covering.some((one) => one.owner !== 'other' && one.state !== 'later');

/** DMA_MAPPING_ERROR went to the device. */
export const mappingErrorUsed: BlameRule = (one): BlameReason | undefined => {
  const { fault, bounces } = one;
  const width = errorWidth(fault.address);
  if (width === 0 || (width < 64 && hasOwner(one))) return undefined;
  const error = bounces.lastErrorOf(fault.device);
  const known = error === undefined ? [] : [evidenceAt(error, `a mapping of ${fault.device} failed here`)];
  return {
    code: 'mapping-error-used',
    confidence: errorConfidence(one, width, error !== undefined),
    text: errorText(one, width),
    evidence: [...known, remark(`${fault.addressText} lies in the page of all ones of ${width} bits`)],
  };
};

const ALL_ONES = /^0xf{16}$/;

/** Exact, or with only the page told: a device may also align the address down. */
const isExact = ({ fault }: FaultCase): boolean => fault.addressBytes > 1 || ALL_ONES.test(fault.addressText);

function errorText(one: FaultCase, width: number): string {
  const used = 'the driver used the result of a failed mapping without a check';
  if (width < 64) return `the address is DMA_MAPPING_ERROR (all ones), cut to ${width} bits: ${used}`;
  if (isExact(one)) return `the address is DMA_MAPPING_ERROR (all ones): ${used}`;
  return `the address is next to all ones: DMA_MAPPING_ERROR aligned down (${used}), or a negative error number in place of an address`;
}

function errorConfidence(one: FaultCase, width: number, failed: boolean): BlameConfidence {
  if (width === 64) return failed || isExact(one) ? 'strong' : 'likely';
  return failed ? 'likely' : 'possible';
}

/** 64, or the width to which all ones were cut; 0 when the address is none of these. */
function errorWidth(address: number): number {
  if (address >= ALL_ONES_PAGE) return 64;
  return ERROR_WIDTHS.find((width) => pageStart(address) === 2 ** width - 4096) ?? 0;
}

/** Null, or a small offset from it. */
export const smallAddress: BlameRule = (one): BlameReason | undefined => {
  const { address, addressText } = one.fault;
  if (address >= SMALL || hasOwner(one)) return undefined;
  const what = address < FIRST_PAGE ? 'null' : 'close to null';
  return {
    code: 'small-address',
    confidence: address < FIRST_PAGE ? 'strong' : 'likely',
    text: `the address is ${what}: a descriptor that was never filled in, or was cleared while the device still used it`,
    evidence: [remark(`${addressText} is below ${hexText(address < FIRST_PAGE ? FIRST_PAGE : SMALL)}`)],
  };
};

/** The low half of an address above 4 GiB. */
export const truncatedAddress: BlameRule = (one): BlameReason | undefined => {
  const match = one.around.byLow32.find(({ owner, state }) => owner !== 'other' && state === 'live');
  if (match === undefined) return undefined;
  return {
    code: 'truncated-to-32-bits',
    confidence: weakerIf(match.owner === 'unnamed', weakerIf(hasOwner(one), 'strong')),
    text: `the address is the low 32 bits of a live mapping above 4 GiB: the upper half was lost in a descriptor or register (${mappingText(match)})`,
    evidence: [evidenceAt(match.mapped, mappingText(match))],
  };
};

/** A physical address where a DMA address belongs. */
export const physicalAddressUsed: BlameRule = (one): BlameReason | undefined => {
  const match = one.around.byPhysical.find(({ state }) => state !== 'later');
  if (match === undefined) return undefined;
  return {
    code: 'physical-address-used',
    confidence: weakerIf(hasOwner(one), physicalConfidence(match)),
    text: `the address equals a physical address of a ${match.state === 'live' ? 'live' : 'former'} mapping: the driver may have given the device the physical instead of the DMA address`,
    evidence: [
      evidenceAt(match.mapped, `${mappingText(match)}, physical ${hexText(match.physAddr)} at its start`),
    ],
  };
};

function physicalConfidence({ owner, state }: MappingSighting): BlameConfidence {
  if (owner === 'own') return state === 'live' ? 'strong' : 'likely';
  return 'possible';
}

/** The address before bouncing. */
export const bouncedOriginalUsed: BlameRule = ({ fault, bounces }): BlameReason | undefined => {
  const buffer = bounces.bouncedAt(fault.device, fault.address);
  if (buffer === undefined) return undefined;
  return {
    code: 'bounced-original-used',
    confidence: 'likely',
    text: 'the address is that of a buffer before it was bounced: the device must use the address that the mapping returned',
    evidence: [evidenceAt(buffer.at, `swiotlb_bounced: ${hexText(buffer.devAddr)}, ${buffer.bytes} bytes`)],
  };
};

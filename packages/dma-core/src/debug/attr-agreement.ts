// Agreement of attributes between mapping and unmapping.
// Source followed: kernel/dma/debug.c (DMA_ATTR_UNMAP_VALID in check_unmap): six attributes must agree, all others may
// differ. Those that change what is done to the memory are compared as well, as advice.
// Simplified: none.

import { attrsTraceName, type DmaAttrs } from '../dma-attrs.ts';

const mustAgree: readonly (keyof DmaAttrs)[] = [
  'noKernelMapping',
  'forceContiguous',
  'mmio',
  'requireCoherent',
  'privileged',
  'ccShared',
];

/** Not here: what only silences reports. */
const shouldAgree: readonly (keyof DmaAttrs)[] = [
  'weakOrdering',
  'writeCombine',
  'skipCpuSync',
  'allocSinglePages',
];

const differ = (fields: readonly (keyof DmaAttrs)[], one: DmaAttrs, other: DmaAttrs): boolean =>
  one !== other && fields.some((field) => (one[field] === true) !== (other[field] === true));

/**
 * True when attributes differ that Linux wants to agree.
 * @internal
 */
export const attrsDisagree = (one: DmaAttrs, other: DmaAttrs): boolean => differ(mustAgree, one, other);

/**
 * True when attributes differ that Linux lets differ.
 * @internal
 */
export const attrsMayDisagree = (one: DmaAttrs, other: DmaAttrs): boolean => differ(shouldAgree, one, other);

/**
 * Both sets as trace events print them.
 * @internal
 */
export const bothAttrs = (mapped: DmaAttrs, unmapped: DmaAttrs): Readonly<Record<string, string>> => ({
  mappedAttrs: attrsTraceName(mapped),
  unmappedAttrs: attrsTraceName(unmapped),
});

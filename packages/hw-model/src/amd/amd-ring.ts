// AMD rings: what the base registers of command buffer and event log say, and how their pointers count.
// Source followed: AMD I/O Virtualization Technology specification 3.4 (offsets 0x08, 0x10 and 0x2000 to 0x2018).
// Simplified: lengths below 8 (reserved: fewer than 256 entries) are taken at their word.

import { bitField, type RegisterPair } from '../iommu-unit/register-pair.ts';

/**
 * Bits 18:4 of a head or tail register: a byte offset of whole entries.
 * @internal
 */
export const POINTER_MASK = 0x7fff0;

/**
 * Page frame of a ring (bits 51:12 of its base register).
 * @internal
 */
export const baseFrameOf = (base: RegisterPair): number => (base[1] & 0xfffff) * 0x100000 + (base[0] >>> 12);

/**
 * Bytes of a ring: 2^n entries of 16 bytes, n in bits 59:56 of its base register.
 * @internal
 */
export const ringBytesOf = (base: RegisterPair): number => 16 * 2 ** bitField(base, 56, 4);

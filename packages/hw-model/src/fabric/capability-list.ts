// The two capability lists of a function: bytes from 0x34 on, dwords from 0x100 on. Building and searching them.
// Source followed: PCI Local Bus 3.0, section 6.7; PCI Express Base Specification 6.0, section 7.6.3 (extended list).
// Simplified: a new capability goes behind the last one; nothing is ever removed.

import { InternalError } from '../internal-error.ts';
import { PCI_CAPABILITY_LIST, PCI_STATUS, PCI_STATUS_CAP_LIST } from './config-header.ts';
import { CONFIG_SPACE_BYTES, type ConfigSpace } from './config-space.ts';

const FIRST_CAPABILITY = 0x40;
const FIRST_EXTENDED = 0x100;

function capabilityOffsets(config: ConfigSpace): number[] {
  const found: number[] = [];
  if ((config.read(PCI_STATUS, 2) & PCI_STATUS_CAP_LIST) === 0) return found;
  let at = config.read(PCI_CAPABILITY_LIST, 1) & 0xfc;
  while (at >= FIRST_CAPABILITY && !found.includes(at)) {
    found.push(at);
    at = config.read(at + 1, 1) & 0xfc;
  }
  return found;
}

function extendedOffsets(config: ConfigSpace): number[] {
  const found: number[] = [];
  let at = FIRST_EXTENDED;
  while (at >= FIRST_EXTENDED && !found.includes(at)) {
    const header = config.read(at, 4);
    if (header === 0 || header === 0xffffffff) break;
    found.push(at);
    at = (header >>> 20) & 0xffc;
  }
  return found;
}

/**
 * Offset of the first capability with this id, or 0.
 * @public
 */
export function findCapability(config: ConfigSpace, id: number): number {
  return capabilityOffsets(config).find((at) => config.read(at, 1) === id) ?? 0;
}

/**
 * Offset of the first extended capability with this id, or 0.
 * @public
 */
export function findExtendedCapability(config: ConfigSpace, id: number): number {
  return extendedOffsets(config).find((at) => (config.read(at, 4) & 0xffff) === id) ?? 0;
}

/**
 * Appends a capability of `bytes` bytes, header included, at `at` (a multiple of 4); returns `at`.
 * @internal
 */
export function addCapability(config: ConfigSpace, id: number, at: number, bytes: number): number {
  if (at < FIRST_CAPABILITY || at + bytes > FIRST_EXTENDED || at % 4 !== 0) {
    throw new InternalError(`capability ${id} of ${bytes} bytes does not fit at ${at}`);
  }
  const last = capabilityOffsets(config).at(-1);
  config.preset(last === undefined ? PCI_CAPABILITY_LIST : last + 1, 1, at);
  config.preset(at, 1, id);
  config.preset(at + 1, 1, 0);
  config.preset(PCI_STATUS, 2, config.read(PCI_STATUS, 2) | PCI_STATUS_CAP_LIST);
  return at;
}

/**
 * Appends an extended capability at `at` (the first one must stand at 0x100); returns `at`.
 * @internal
 */
export function addExtendedCapability(
  config: ConfigSpace,
  id: number,
  version: number,
  at: number,
  bytes: number,
): number {
  const last = extendedOffsets(config).at(-1);
  if (at + bytes > CONFIG_SPACE_BYTES || at % 4 !== 0 || (last === undefined && at !== FIRST_EXTENDED)) {
    throw new InternalError(`extended capability ${id} of ${bytes} bytes does not fit at ${at}`);
  }
  if (last !== undefined) config.preset(last + 2, 2, at * 16 + (config.read(last + 2, 2) & 0xf));
  config.preset(at, 4, version * 0x10000 + id);
  return at;
}

// Resizable BAR: the extended capability with which software makes a base address register larger or smaller.
// Source followed: PCI Express Base Specification 6.0, section 7.8.6 (capability 0015h: sizes in steps of a power of two
// from 1 MiB; the control register names the BAR and its size).
// Simplified: one resizable BAR a function, sizes up to 128 TiB; the size takes effect through `PciBar.resize`.

import { InternalError } from '../internal-error.ts';
import { addExtendedCapability, findExtendedCapability } from './capability-list.ts';
import type { ConfigSpace } from './config-space.ts';

/** Extended capability id of resizable BARs. @internal */
export const PCI_EXT_CAP_ID_REBAR = 0x15;

/** What the capability needs to know of a BAR. @internal */
export interface ResizableBar {
  readonly index: number;
  readonly bytes: number;
  readonly resizable?: readonly number[];
}

const MIB = 2 ** 20;
const SIZES_SHIFT = 4;
const MOST_SIZES = 28;
const CONTROL = 8;
const SIZE_SHIFT = 8;
const SIZE_MASK = 0x3f;

/** Where the capability goes when others stand at the first place. */
const BEHIND_ACS = 0x120;

/** The number by which the capability knows a size: 0 = 1 MiB, 1 = 2 MiB, ... @internal */
export function rebarSizeCode(bytes: number): number {
  const code = Math.log2(bytes / MIB);
  if (!Number.isInteger(code) || code < 0 || code >= MOST_SIZES) {
    throw new InternalError(`no resizable BAR has ${bytes} bytes`);
  }
  return code;
}

/** Adds the capability for the first resizable one of `bars`, if there is one. @internal */
export function addResizableBar(config: ConfigSpace, bars: readonly ResizableBar[]): void {
  const bar = bars.find(({ resizable = [] }) => resizable.length > 0);
  if (bar === undefined) return;
  const at = config.read(0x100, 4) === 0 ? 0x100 : BEHIND_ACS;
  addExtendedCapability(config, PCI_EXT_CAP_ID_REBAR, 1, at, 12);
  let supported = 0;
  for (const size of bar.resizable ?? []) supported += 2 ** (rebarSizeCode(size) + SIZES_SHIFT);
  config.preset(at + 4, 4, supported);
  config.preset(at + CONTROL, 4, bar.index + (1 << 5) + (rebarSizeCode(bar.bytes) << SIZE_SHIFT));
  config.permit(at + CONTROL, 4, SIZE_MASK << SIZE_SHIFT);
}

/**
 * The sizes, in bytes, that BAR `index` of a function can have, smallest first; empty when it cannot be resized.
 * @kernel pci_rebar_get_possible_sizes
 * @public
 */
export function pciRebarGetPossibleSizes(config: ConfigSpace, index: number): number[] {
  const at = rebarOffset(config, index);
  if (at === 0) return [];
  const supported = config.read(at + 4, 4);
  return Array.from({ length: MOST_SIZES }, (_, code) => code)
    .filter((code) => ((supported >>> (code + SIZES_SHIFT)) & 1) !== 0)
    .map((code) => MIB * 2 ** code);
}

/** Software writes the size field of the control register. @internal */
export function setRebarSize(config: ConfigSpace, index: number, bytes: number): void {
  const at = rebarOffset(config, index);
  const kept = config.read(at + CONTROL, 4) & ~(SIZE_MASK << SIZE_SHIFT);
  config.write(at + CONTROL, 4, kept | (rebarSizeCode(bytes) << SIZE_SHIFT));
}

function rebarOffset(config: ConfigSpace, index: number): number {
  const at = findExtendedCapability(config, PCI_EXT_CAP_ID_REBAR);
  return at !== 0 && (config.read(at + CONTROL, 4) & 7) === index ? at : 0;
}

// BridgeWindows: what a dumped bridge forwards downstream, and whether the dump shows it at all.
// Source followed: PCI-to-PCI Bridge Architecture 1.2, section 3.2.5: windows are whole MiB; a base above its limit closes.
// A listing prints open windows only (closed ones at the highest verbosity): with one shown, the others count as closed,
// which is certain only where registers show it.
// Simplified: no I/O windows.

import { ADDRESS_LIMIT, offsetWithin } from '@sgfree/hw-model';
import type { DumpedFunction, DumpedResource, Knowledge } from '../model/dumped-function.ts';
import { busAddressOf } from './address-of-range.ts';

const MIB = 2 ** 20;
const FIRST_BYTE = 0x20;
const LAST_BYTE = 0x2f;

/** Bus addresses from `base` up to `end`; equal where the window is closed. */
export interface BridgeWindow {
  readonly base: number;
  readonly end: number;
}

/** Both memory windows. */
export interface BridgeWindows {
  readonly memory: BridgeWindow;
  readonly prefetch: BridgeWindow;
  /** False: a window that counts as closed was only not printed. */
  readonly certain: boolean;
}

const closed: BridgeWindow = { base: 0, end: 0 };

/** The windows; 'malformed' when no register can hold them. */
export function bridgeWindows(fn: DumpedFunction, offset: number): Knowledge<BridgeWindows> | 'malformed' {
  const shown = fn.resources.filter(({ kind }) => kind === 'window');
  const hasRegisters =
    fn.known.length > LAST_BYTE &&
    fn.known.subarray(FIRST_BYTE, LAST_BYTE + 1).every((mask) => mask === 0xff);
  if (shown.length === 0 && !hasRegisters) return 'unknown';
  const memory = windowAt(shown, 1, offset);
  const prefetch = windowAt(shown, 2, offset);
  if (memory === 'unknown' || prefetch === 'unknown') return 'unknown';
  const certain = hasRegisters || [1, 2].every((index) => shown.some((one) => one.index === index));
  return isHeld(memory, 2 ** 32) && isHeld(prefetch, ADDRESS_LIMIT)
    ? { memory, prefetch, certain }
    : 'malformed';
}

function windowAt(shown: readonly DumpedResource[], index: number, offset: number): Knowledge<BridgeWindow> {
  const window = shown.find((one) => one.index === index);
  if (window === undefined || window.enabled === false) return closed;
  const base = busAddressOf(window, offset);
  if (base === 'unknown' || window.bytes === 'unknown') return 'unknown';
  return { base, end: base + window.bytes };
}

const isHeld = ({ base, end }: BridgeWindow, limit: number): boolean =>
  base >= 0 && end <= limit && offsetWithin(base, MIB) === 0 && offsetWithin(end, MIB) === 0;

/** Whether one window holds all of [address, address + bytes). */
export const windowsHold = ({ memory, prefetch }: BridgeWindows, address: number, bytes: number): boolean =>
  [memory, prefetch].some(({ base, end }) => address >= base && address + bytes <= end);

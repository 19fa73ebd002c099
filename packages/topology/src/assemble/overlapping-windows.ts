// Windows of sibling bridges that overlap: an address in both would have two ways down.
// Source followed: PCI-to-PCI Bridge Architecture 1.2, section 4.1: windows of bridges on one bus must not overlap.
// Simplified: memory windows only; prefetchable and other windows are compared alike.

import { byteDistance } from '@sgfree/hw-model';
import type { DumpedResource } from '../model/dumped-function.ts';
import { busKey } from '../model/pci-address.ts';
import type { MachineDraft } from '../readers/machine-draft.ts';
import type { SettledFunction } from './settle-function.ts';

interface PlacedWindow {
  readonly fn: SettledFunction;
  readonly window: DumpedResource;
  readonly base: Exclude<DumpedResource['base'], 'unknown'>;
  readonly bytes: number;
}

/** Notes every window that begins inside another one of its bus. */
export function remarkOverlappingWindows(machine: MachineDraft, functions: readonly SettledFunction[]): void {
  const byBus = new Map<number, PlacedWindow[]>();
  for (const fn of functions) {
    const key = busKey(fn.address.domain, fn.address.bus);
    const windows = openWindows(fn);
    if (windows.length > 0) byBus.set(key, [...(byBus.get(key) ?? []), ...windows]);
  }
  for (const windows of byBus.values()) remarkBus(machine, windows);
}

const openWindows = (fn: SettledFunction): PlacedWindow[] =>
  fn.resources.flatMap((window) => {
    const { kind, space, base, bytes, enabled } = window;
    const open = kind === 'window' && space === 'memory' && enabled !== false;
    // A window at 0 belongs to a bridge that nobody set up.
    return open && base !== 'unknown' && base > 0 && bytes !== 'unknown' && bytes > 0
      ? [{ fn, window, base, bytes }]
      : [];
  });

function remarkBus(machine: MachineDraft, windows: readonly PlacedWindow[]): void {
  const sorted = [...windows].sort((a, b) => byteDistance(b.base, a.base));
  let reaching: PlacedWindow | undefined;
  for (const next of sorted) {
    if (reaching !== undefined && byteDistance(reaching.base, next.base) < reaching.bytes) {
      if (reaching.fn !== next.fn) remarkPair(machine, reaching, next);
    }
    const ends =
      reaching === undefined || byteDistance(reaching.base, next.base) + next.bytes > reaching.bytes;
    if (ends) reaching = next;
  }
}

function remarkPair(machine: MachineDraft, one: PlacedWindow, other: PlacedWindow): void {
  machine.remark(
    'windows-overlap',
    other.fn.name,
    `a memory window overlaps one of ${one.fn.name}`,
    'where a request to the shared addresses goes is not defined',
    other.fn.line,
  );
}

// The address of a dumped range on the bus and for the CPU, either of which may have to be told from the other.
// Source followed: pci_bus_address and pcibios_resource_to_bus: the two differ by the offset of the host bridge's window.
// Simplified: one offset per host bridge.

import { rawOffset } from '@sgfree/hw-model';
import type { DumpedFunction, DumpedResource, Knowledge } from '../model/dumped-function.ts';

/** The first address on the bus; `offset` is bus address minus CPU address. */
export function busAddressOf({ busBase, base }: DumpedResource, offset: number): Knowledge<number> {
  if (busBase !== 'unknown') return rawOffset(busBase, 0);
  return base === 'unknown' ? 'unknown' : rawOffset(base, offset);
}

/** The first address for the CPU. */
export function cpuAddressOf({ busBase, base }: DumpedResource, offset: number): Knowledge<number> {
  if (base !== 'unknown') return rawOffset(base, 0);
  return busBase === 'unknown' ? 'unknown' : rawOffset(busBase, -offset);
}

/** Every offset that ranges of these functions show: BARs decide; windows do where no BAR shows any. */
export function shownOffsets(functions: readonly DumpedFunction[]): number[] {
  const ranges = functions.flatMap(({ resources }) => resources).filter(({ space }) => space === 'memory');
  const offsets = (kind: DumpedResource['kind']): number[] => [
    ...new Set(ranges.filter((range) => range.kind === kind).flatMap(offsetOf)),
  ];
  const ofBars = offsets('bar');
  return ofBars.length > 0 ? ofBars : offsets('window');
}

function offsetOf({ busBase, base }: DumpedResource): number[] {
  return busBase === 'unknown' || base === 'unknown' ? [] : [rawOffset(busBase, -rawOffset(base, 0))];
}

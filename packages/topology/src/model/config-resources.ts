// BARs and bridge windows as the registers hold them. Registers tell bus addresses; only windows tell their length.
// Source followed: PCI Local Bus 3.0, section 6.2.5 (BARs); PCI-to-PCI Bridge Architecture 1.2, section 3.2.5 (windows).
// Simplified: no I/O BARs above 64 KiB decoding, no Enhanced Allocation; an unassigned BAR (zero) is left out.

import { ADDRESS_LIMIT, type PciBusAddr, pciBusAddr, physAddr } from '@sgfree/hw-model';
import type { DumpedResource, Knowledge } from './dumped-function.ts';
import type { KnownConfig } from './known-config.ts';

/** A register value as an address on the bus, when the model can hold it. */
const onBus = (value: number): PciBusAddr | undefined =>
  value < ADDRESS_LIMIT ? pciBusAddr(value) : undefined;

/** The BARs of a type 0 or type 1 header. */
export function configBars(
  config: KnownConfig,
  headerType: Knowledge<number>,
  memoryEnabled: Knowledge<boolean>,
): DumpedResource[] {
  const count = headerType === 0 ? 6 : headerType === 1 ? 2 : 0;
  const bars: DumpedResource[] = [];
  for (let index = 0; index < count; index += 1) {
    const low = config.read(0x10 + 4 * index, 4);
    if (low === 'unknown' || low === 0) continue;
    const wide = (low & 0x7) === 0x4;
    const bar = decodedBar(low, wide ? config.read(0x14 + 4 * index, 4) : 0, index, memoryEnabled);
    if (bar !== undefined) bars.push(bar);
    if (wide) index += 1;
  }
  return bars;
}

function decodedBar(
  low: number,
  high: Knowledge<number>,
  index: number,
  memoryEnabled: Knowledge<boolean>,
): DumpedResource | undefined {
  const io = (low & 1) !== 0;
  const base = io ? low - (low & 3) : high === 'unknown' ? undefined : high * 2 ** 32 + (low - (low & 0xf));
  const busBase = base === undefined ? undefined : onBus(base);
  if (base === 0 || busBase === undefined) return undefined;
  return {
    kind: 'bar',
    index,
    space: io ? 'io' : 'memory',
    base: 'unknown',
    busBase,
    bytes: 'unknown',
    prefetchable: !io && (low & 8) !== 0,
    width: !io && (low & 4) !== 0 ? 64 : 32,
    enabled: io ? 'unknown' : memoryEnabled,
  };
}

/** The open windows of a type 1 header: I/O, memory, prefetchable. */
export function configWindows(config: KnownConfig, headerType: Knowledge<number>): DumpedResource[] {
  if (headerType !== 1) return [];
  return [ioWindow(config), memoryWindow(config), prefetchWindow(config)].filter(
    (found) => found !== undefined,
  );
}

function ioWindow(config: KnownConfig): DumpedResource | undefined {
  const base = config.read(0x1c, 1);
  const limit = config.read(0x1d, 1);
  if (base === 'unknown' || limit === 'unknown') return undefined;
  const wide = (base & 0xf) === 1;
  const high = wide ? config.read(0x30, 2) : 0;
  const highLimit = wide ? config.read(0x32, 2) : 0;
  if (high === 'unknown' || highLimit === 'unknown') return undefined;
  const from = high * 0x10000 + (base & 0xf0) * 0x100;
  const to = highLimit * 0x10000 + (limit & 0xf0) * 0x100 + 0xfff;
  // All zero is what a bridge without I/O decoding shows.
  if (base === 0 && limit === 0) return undefined;
  return openWindow(0, from, to, false, 32);
}

function memoryWindow(config: KnownConfig): DumpedResource | undefined {
  const base = config.read(0x20, 2);
  const limit = config.read(0x22, 2);
  if (base === 'unknown' || limit === 'unknown' || (base === 0 && limit === 0)) return undefined;
  return openWindow(1, (base & 0xfff0) * 0x10000, (limit & 0xfff0) * 0x10000 + 0xfffff, false, 32);
}

function prefetchWindow(config: KnownConfig): DumpedResource | undefined {
  const base = config.read(0x24, 2);
  const limit = config.read(0x26, 2);
  if (base === 'unknown' || limit === 'unknown') return undefined;
  const wide = (base & 0xf) === 1;
  const high = wide ? config.read(0x28, 4) : 0;
  const highLimit = wide ? config.read(0x2c, 4) : 0;
  if (high === 'unknown' || highLimit === 'unknown' || (base === 0 && limit === 0)) return undefined;
  const from = high * 2 ** 32 + (base & 0xfff0) * 0x10000;
  return openWindow(
    2,
    from,
    highLimit * 2 ** 32 + (limit & 0xfff0) * 0x10000 + 0xfffff,
    true,
    wide ? 64 : 32,
  );
}

/** A window from its first to its last address; undefined when it is closed. */
function openWindow(
  index: number,
  from: number,
  to: number,
  prefetchable: boolean,
  width: 32 | 64,
): DumpedResource | undefined {
  const busBase = onBus(from);
  if (to < from || busBase === undefined || to >= ADDRESS_LIMIT) return undefined;
  const space = index === 0 ? 'io' : 'memory';
  return {
    kind: 'window',
    index,
    space,
    base: 'unknown',
    busBase,
    bytes: to - from + 1,
    prefetchable,
    width,
    enabled: true,
  };
}

/** The CPU address that the same number would be: right where CPU and bus addresses agree (every x86 machine). */
export const sameNumberForCpu = (busBase: Knowledge<PciBusAddr>): DumpedResource['base'] =>
  busBase === 'unknown' ? 'unknown' : physAddr(busBase);

// MachineShape: the addresses of the modelled machine, known before it is built: RAM, device windows, reserved IOVAs.
// Source followed: the recorded q35 machine (vectors/kernel/io/strict/topo/iomem and the IOVA tree in the headers of
// vectors/kernel/map): 2 GiB of low RAM, the rest from 4 GiB on, a 64-bit device window of 32 GiB behind it. A q35 with
// less than 2816 MiB has all of it low.
// Simplified: no RAM below 1 MiB and no firmware tables; the top 64 MiB of RAM belong to the modelled kernel.

import { addOffset, type PhysAddr, type PhysRange, physAddr } from '@sgfree/hw-model';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
/** RAM up to this size lies below 4 GiB in one piece. */
const LOW_RAM_MOST: number = 2816 * MIB;
const LOW_RAM_END: number = 2 * GIB;
const HIGH_RAM_START: number = 4 * GIB;
const WINDOW_64_BYTES: number = 32 * GIB;

/**
 * Bytes at the top of RAM that page tables, rings and pools of the modelled kernel use.
 * @public
 */
export const KERNEL_RAM_BYTES: number = 64 * MIB;

/**
 * RAM of the machine unless asked otherwise: 16 GiB.
 * @public
 */
export const DEFAULT_MEMORY_BYTES: number = 16 * GIB;

/**
 * Least and most RAM of a machine, in bytes.
 * @public
 */
export const MEMORY_LIMITS: { readonly least: number; readonly most: number } = {
  least: 256 * MIB,
  most: 4096 * GIB,
};

/**
 * Bytes of the modelled disk: 1 TiB, of which only what is written takes space.
 * @public
 */
export const DISK_BYTES: number = 1024 * GIB;

/**
 * Where things are.
 * @public
 */
export interface MachineShape {
  readonly memoryBytes: number;
  /** All RAM. */
  readonly ram: readonly PhysRange[];
  /** RAM that buffers may lie in: all but the kernel's part. */
  readonly usableRam: readonly PhysRange[];
  /** The modelled kernel's part. */
  readonly kernelRam: PhysRange;
  /** The host bridge's window for 32-bit BARs and the one for prefetchable 64-bit BARs. */
  readonly window32: PhysRange;
  readonly window64: PhysRange;
  /** Inclusive ranges that the host bridge claims; no IOVA lies there. */
  readonly bridgeWindows: readonly { readonly start: PhysAddr; readonly end: PhysAddr }[];
  readonly blockBytes: 512;
  readonly diskBytes: number;
}

/**
 * The machine with `memoryBytes` of RAM, a multiple of 1 MiB within {@link MEMORY_LIMITS}.
 * @public
 */
export function machineShape(memoryBytes: number): MachineShape {
  const lowEnd = memoryBytes < LOW_RAM_MOST ? memoryBytes : LOW_RAM_END;
  const low: PhysRange = { base: physAddr(MIB), bytes: lowEnd - MIB };
  const highBytes = memoryBytes - lowEnd;
  const high: PhysRange[] = highBytes === 0 ? [] : [{ base: physAddr(HIGH_RAM_START), bytes: highBytes }];
  const ram = [low, ...high];
  const { kernelRam, usableRam } = withoutKernel(ram);
  const window64: PhysRange = { base: physAddr(HIGH_RAM_START + highBytes), bytes: WINDOW_64_BYTES };
  const window32: PhysRange = { base: physAddr(0xc0000000), bytes: 0x3ec00000 };
  return {
    memoryBytes,
    ram,
    usableRam,
    kernelRam,
    window32,
    window64,
    bridgeWindows: [
      { start: physAddr(0xa0000), end: physAddr(0xbffff) },
      { start: physAddr(lowEnd), end: physAddr(0xafffffff) },
      lastByteOf(window32),
      lastByteOf(window64),
    ],
    blockBytes: 512,
    diskBytes: DISK_BYTES,
  };
}

function lastByteOf(range: PhysRange): { start: PhysAddr; end: PhysAddr } {
  return { start: range.base, end: addOffset(range.base, range.bytes - 1) };
}

/** Takes the kernel's part from the end of the last range; what is left of that range may be nothing. */
function withoutKernel(ram: readonly PhysRange[]): { kernelRam: PhysRange; usableRam: PhysRange[] } {
  const wide = ram.findLast((range) => range.bytes >= KERNEL_RAM_BYTES) as PhysRange;
  const left = wide.bytes - KERNEL_RAM_BYTES;
  const usableRam = ram.flatMap((range) => {
    if (range !== wide) return [range];
    return left === 0 ? [] : [{ base: wide.base, bytes: left }];
  });
  return { kernelRam: { base: addOffset(wide.base, left), bytes: KERNEL_RAM_BYTES }, usableRam };
}

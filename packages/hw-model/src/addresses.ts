// Addresses: what a CPU, a device and a BAR call the same byte, each with a type of its own.
// Source followed: phys_addr_t, dma_addr_t and pci_bus_addr_t of the kernel's type headers.
// This is the only file of the house that does arithmetic on addresses; everything else calls it.
// Simplified: byte addresses are numbers below 2^52 (exact in a double); wider spaces are spoken of in page frames.

import { InternalError } from './internal-error.ts';

/**
 * A byte address in one named address space.
 * @public
 */
export type AddressIn<Space extends string> = number & { readonly __addressSpace: Space };

/**
 * A CPU physical address (`phys_addr_t`).
 * @public
 */
export type PhysAddr = AddressIn<'phys'>;

/**
 * What a device puts on the bus (`dma_addr_t`): an IOVA behind an IOMMU, else a bus address.
 * @public
 */
export type DmaAddr = AddressIn<'dma'>;

/**
 * What a peer's BAR answers to on the bus (`pci_bus_addr_t`).
 * @public
 */
export type PciBusAddr = AddressIn<'pci-bus'>;

/**
 * Exclusive bound of every byte address of the model: 2^52.
 * @public
 */
export const ADDRESS_LIMIT: number = 2 ** 52;

/**
 * Bytes of a page: 4096 (`PAGE_SIZE` of x86-64).
 * @public
 */
export const PAGE_SIZE = 4096;

/**
 * Base-2 logarithm of {@link PAGE_SIZE}: 12 (`PAGE_SHIFT`).
 * @public
 */
export const PAGE_SHIFT = 12;

function inSpace<A extends AddressIn<string>>(raw: number): A {
  if (!(raw >= 0 && raw < ADDRESS_LIMIT)) {
    throw new InternalError(`address ${raw} is outside [0, 2^52)`);
  }
  return raw as A;
}

/**
 * Takes a number into the physical space; throws {@link InternalError} outside [0, 2^52).
 * @public
 */
export const physAddr = (raw: number): PhysAddr => inSpace<PhysAddr>(raw);

/**
 * Takes a number into the DMA space; throws {@link InternalError} outside [0, 2^52).
 * @public
 */
export const dmaAddr = (raw: number): DmaAddr => inSpace<DmaAddr>(raw);

/**
 * Takes a number into the PCI bus space; throws {@link InternalError} outside [0, 2^52).
 * @public
 */
export const pciBusAddr = (raw: number): PciBusAddr => inSpace<PciBusAddr>(raw);

/**
 * The address `bytes` further up (or down, when negative) in the same space.
 * @public
 */
export const addOffset = <A extends AddressIn<string>>(base: A, bytes: number): A => inSpace<A>(base + bytes);

/**
 * Bytes from `from` up to `to`; negative when `to` lies below.
 * @public
 */
export const byteDistance = <A extends AddressIn<string>>(from: A, to: A): number => to - from;

/**
 * `address` moved by `bytes` as a plain number, which may lie outside every address space.
 * @public
 */
export const rawOffset = (address: AddressIn<string>, bytes: number): number => address + bytes;

/**
 * True when all `count` bytes from `address` on lie in the `bytes` bytes from `base` on.
 * @public
 */
export const liesWithin = <A extends AddressIn<string>>(
  address: A,
  count: number,
  base: A,
  bytes: number,
): boolean => address >= base && address + count <= base + bytes;

/**
 * Bits 31:0 of an address, as a register takes them.
 * @public
 */
export const lowWord = (address: AddressIn<string>): number => address % 2 ** 32;

/**
 * Bits 63:32 of an address.
 * @public
 */
export const highWord = (address: AddressIn<string>): number => Math.floor(address / 2 ** 32);

/**
 * `value` rounded down to a multiple of `unit`; both in bytes. Works on plain sizes too.
 * @public
 */
export const alignDown = <A extends number>(value: A, unit: number): A =>
  (Math.floor(value / unit) * unit) as A;

/**
 * `value` rounded up to a multiple of `unit`; both in bytes. Works on plain sizes too.
 * @public
 */
export const alignUp = <A extends number>(value: A, unit: number): A => (Math.ceil(value / unit) * unit) as A;

/**
 * Bytes of `value` above the last multiple of `unit`.
 * @public
 */
export const offsetWithin = (value: number, unit: number): number => value - Math.floor(value / unit) * unit;

/**
 * The page frame number an address lies in.
 * @public
 */
export const frameOf = (address: AddressIn<string>): number => Math.floor(address / PAGE_SIZE);

/**
 * The physical address `offset` bytes into page frame `frame`.
 * @public
 */
export const physOfFrame = (frame: number, offset = 0): PhysAddr =>
  inSpace<PhysAddr>(frame * PAGE_SIZE + offset);

/**
 * The DMA address `offset` bytes into page frame `frame` of the DMA space.
 * @public
 */
export const dmaOfFrame = (frame: number, offset = 0): DmaAddr =>
  inSpace<DmaAddr>(frame * PAGE_SIZE + offset);

/**
 * The address as people read it: `0x` and lower-case hex.
 * @public
 */
export const hex = (value: number): string => `0x${value.toString(16)}`;

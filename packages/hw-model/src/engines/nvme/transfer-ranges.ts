// TransferRanges: the bus ranges a command's data pointer stands for, in data order.
// Source followed: NVM Express Base Specification 2.0, sections 4.1 and 4.2 (what PRP and SGL describe).
// Simplified: addresses are raw 64-bit values of the host and may lie outside every address space.

import { ADDRESS_LIMIT } from '../../addresses.ts';

/**
 * A growing list of (address, length).
 * @internal
 */
export class TransferRanges {
  readonly #addresses: number[] = [];
  readonly #lengths: number[] = [];
  #bytes = 0;

  get count(): number {
    return this.#addresses.length;
  }

  /** Sum of all lengths. */
  get bytes(): number {
    return this.#bytes;
  }

  add(address: number, bytes: number): void {
    this.#addresses.push(address);
    this.#lengths.push(bytes);
    this.#bytes += bytes;
  }

  addressAt(index: number): number {
    return this.#addresses[index] as number;
  }

  lengthAt(index: number): number {
    return this.#lengths[index] as number;
  }
}

/**
 * False when no bus of the model has these addresses: a request for them finds nobody.
 * @internal
 */
export function onBus(address: number, bytes: number): boolean {
  return address + bytes <= ADDRESS_LIMIT;
}

// Buffers of a non-coherent device, their old, new and newer bytes, and who sees which of them.
// Simplified: for tests only.
import { type DmaAddr, dmaAddr, physAddr } from '@sgfree/hw-model';
import { expect } from 'vitest';
import { byList, bySingle, inTwoSteps, type MappedBuffer } from './mapping-way.ts';
import { NonCoherentMachine, type NonCoherentOptions } from './non-coherent-machine.ts';

export const BYTES = 8192;
export const PIECES = [physAddr(0x123_4000), physAddr(0x76_5000)];
const pattern = (seed: number): Uint8Array =>
  Uint8Array.from({ length: BYTES }, (_one, at) => (at * 7 + (at >> 8) + seed * 85) & 0xff);

export const OLD: Uint8Array = pattern(1);
export const NEW: Uint8Array = pattern(2);
export const NEWER: Uint8Array = pattern(3);

export const nameOf = (bytes: Uint8Array): string =>
  (
    [
      ['old', OLD],
      ['new', NEW],
      ['newer', NEWER],
    ] as const
  ).find(([, one]) => Buffer.compare(one, bytes) === 0)?.[0] ?? 'neither';

/** A machine whose buffers hold the old bytes in memory and nowhere else. */
export function prepared(options: NonCoherentOptions = {}): NonCoherentMachine {
  const machine = new NonCoherentMachine(options);
  for (const phys of PIECES) machine.memory.write(phys, OLD);
  return machine;
}

function one(names: readonly string[]): string {
  expect(new Set(names).size).toBe(1);
  return names[0] ?? '';
}

export const stores = (machine: NonCoherentMachine, bytes: Uint8Array): void => {
  for (const phys of PIECES) machine.store(phys, bytes);
};
export const loads = (machine: NonCoherentMachine): string =>
  one(PIECES.map((phys) => nameOf(machine.load(phys, BYTES))));
export const deviceReads = (machine: NonCoherentMachine, { pieces }: MappedBuffer): string =>
  one(pieces.map(({ dma }) => nameOf(machine.deviceReads(dma, BYTES))));
export const deviceWrites = (
  machine: NonCoherentMachine,
  { pieces }: MappedBuffer,
  bytes: Uint8Array,
): void => {
  for (const { dma } of pieces) machine.deviceWrites(dma, bytes);
};

export const WAYS = [
  ['dma_map_phys', bySingle],
  ['a list', byList],
  ['two steps', inTwoSteps],
] as const;

/** The address of a mapping that must not fail. */
export function mappedAt(address: DmaAddr | -1): DmaAddr {
  if (address === -1) throw new Error('the mapping failed');
  return dmaAddr(address);
}

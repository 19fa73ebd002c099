// The arithmetic of remote atomics: eight bytes as the responder's machine stores a number.
// Source followed: InfiniBand Architecture Specification 1.3, section 9.4.5 (atomic operations); little-endian hosts.
// Simplified: no masked atomics; the read and the write are two requests on the bus that other DMA may come between.

import type { RdmaRequestPacket } from './rdma-packet.ts';

/**
 * What the eight bytes are after the operation. A compare that does not match writes the old value back.
 * @internal
 */
export function atomicResult(packet: RdmaRequestPacket, old: Uint8Array): Uint8Array {
  const before = new DataView(old.buffer, old.byteOffset).getBigUint64(0, true);
  const after = new Uint8Array(8);
  new DataView(after.buffer).setBigUint64(0, newValue(packet, before), true);
  return after;
}

function newValue({ opcode, compareAdd, swap }: RdmaRequestPacket, before: bigint): bigint {
  if (opcode === 'fetch-add') return BigInt.asUintN(64, before + compareAdd);
  return before === compareAdd ? swap : before;
}

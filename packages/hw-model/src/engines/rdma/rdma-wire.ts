// RdmaWire: the network between NICs: takes a packet at one port and hands it out at another, in order.
// Source followed: none in particular; a lossless switched fabric with as many ports as NICs are plugged in.
// Tests may pull a cable or lose packets; both sides then find out by sequence numbers and timers.
// Simplified: no latency of its own and unlimited buffers: a packet waits in the queue pair it is meant for.

import { InternalError } from '../../internal-error.ts';
import type { RdmaPacket } from './rdma-packet.ts';

/**
 * What is plugged into a wire.
 * @public
 */
export interface RdmaWirePort {
  receive(packet: RdmaPacket): void;
}

/**
 * Counts of a wire.
 * @public
 */
export interface RdmaWireCounters {
  packets: number;
  payloadBytes: number;
  /** Packets that reached nobody. */
  lost: number;
}

/**
 * A network of NICs.
 * @public
 */
export class RdmaWire {
  readonly counters: RdmaWireCounters = { packets: 0, payloadBytes: 0, lost: 0 };
  /** Asked for each packet; true loses it. */
  lose: ((packet: RdmaPacket, from: number, to: number) => boolean) | null = null;
  readonly #ports: RdmaWirePort[] = [];
  readonly #unplugged = new Set<number>();

  /** Plugs a NIC in; returns its address on this wire. */
  plug(port: RdmaWirePort): number {
    this.#ports.push(port);
    return this.#ports.length - 1;
  }

  /** Takes the cable of the NIC at `address` out (`connected` false) or puts it back in. */
  setConnected(address: number, connected: boolean): void {
    if (connected) this.#unplugged.delete(address);
    else this.#unplugged.add(address);
  }

  /** Carries one packet. */
  carry(packet: RdmaPacket, from: number, to: number): void {
    if (this.#ports[from] === undefined) throw new InternalError(`no NIC at ${from}`);
    this.counters.packets += 1;
    const port = this.#ports[to];
    if (port === undefined || this.#unplugged.has(from) || this.#unplugged.has(to)) {
      this.counters.lost += 1;
      return;
    }
    if (this.lose?.(packet, from, to) === true) {
      this.counters.lost += 1;
      return;
    }
    this.counters.payloadBytes += packet.payload.length;
    port.receive(packet);
  }
}

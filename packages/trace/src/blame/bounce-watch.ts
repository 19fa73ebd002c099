// BounceWatch: the last buffers that were bounced, and the last mapping errors of each device.
// Source followed: include/trace/events/swiotlb.h (dev_addr is the address before bouncing), dma mapping events.
// Simplified: the last 1024 bounced buffers, the last error of up to 1024 devices.

import type { TraceEvent } from '../trace-event.ts';
import type { TracePoint } from './trace-position.ts';

const MOST = 1024;

/**
 * A buffer that was bounced: a device must not see these addresses.
 * @internal
 */
export interface BouncedBuffer {
  readonly device: string;
  readonly devAddr: number;
  readonly bytes: number;
  readonly at: TracePoint;
}

/**
 * Watches for addresses that a device must not use.
 * @internal
 */
export class BounceWatch {
  readonly #bounced: BouncedBuffer[] = [];
  #count = 0;
  readonly #errors = new Map<string, TracePoint>();

  bounced(event: TraceEvent): void {
    this.#bounced[this.#count % MOST] = {
      device: event.device,
      devAddr: event.dmaAddr,
      bytes: event.size,
      at: pointOf(event),
    };
    this.#count += 1;
  }

  mappingFailed(event: TraceEvent): void {
    if (this.#errors.size < MOST || this.#errors.has(event.device))
      this.#errors.set(event.device, pointOf(event));
  }

  lastErrorOf(device: string): TracePoint | undefined {
    return this.#errors.get(device);
  }

  /** The newest remembered buffer of the device that holds the address. */
  bouncedAt(device: string, address: number): BouncedBuffer | undefined {
    return this.#bounced
      .filter((one) => one.device === device && one.devAddr >= 0)
      .filter((one) => address >= one.devAddr && address < one.devAddr + one.bytes)
      .sort((one, two) => two.at.line - one.at.line)[0];
  }
}

const pointOf = ({ line, time, task }: TraceEvent): TracePoint => ({ line, time, task });

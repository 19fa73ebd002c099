// ExchangeDisk: the NVMe driver of the exchange: requests on memory that is mapped already, one batch at a time.
// Source followed: drivers/nvme/host/pci.c; see MappedRangeMapper.
// Simplified: the requests of one importer at a time; several are in flight together.

import { NvmePciDriver } from '@sgfree/block';
import { type ModelTask, type Scheduler, TaskMutex } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import type { ExchangeComputer } from './exchange-computer.ts';
import type { ExchangeKernel } from './exchange-kernel.ts';
import {
  type MappedIod,
  type MappedRange,
  MappedRangeMapper,
  type MappedRequest,
} from './mapped-range-mapper.ts';

/** Bytes of a request, of whole pages. */
const REQUEST_BYTES = 32768;
/** Average bytes of a range from which on a request gets an SGL: some objects lie in smaller pieces. */
const SGL_THRESHOLD = 16384;

/** A stretch of the disk and of an object. @internal */
export interface DiskTransfer {
  readonly operation: 'read' | 'write';
  /** First byte on the disk. */
  readonly position: number;
  /** First byte in the object. */
  readonly offset: number;
  readonly bytes: number;
}

/** @internal */
export class ExchangeDisk {
  readonly driver: NvmePciDriver<MappedIod, MappedRequest>;
  /** Held around the requests of one importer. */
  readonly queue: TaskMutex;
  /** Requests that ended well. */
  requests = 0;

  constructor({ fabric, disk }: ExchangeComputer, kernel: ExchangeKernel, scheduler: Scheduler) {
    this.driver = new NvmePciDriver<MappedIod, MappedRequest>({
      dev: kernel.disk,
      registers: fabric.barPhys(disk.endpoint, 0),
      sglThreshold: SGL_THRESHOLD,
      makeMapper: (context) => new MappedRangeMapper(context),
    });
    this.queue = new TaskMutex({ scheduler, name: 'queue of the disk', lockClass: 'disk-queue' });
  }

  /** Moves the bytes of `transfer`; `window` gives the mapped ranges of a part of the object. 0 or -EIO. */
  *move(
    transfer: DiskTransfer,
    window: (start: number, end: number) => Iterable<MappedRange>,
  ): ModelTask<number> {
    const results = yield* this.driver.execute(this.#requestsOf(transfer, window));
    const good = results.filter(({ status }) => status === 'ok').length;
    this.requests += good;
    return good === results.length ? 0 : -Errno.EIO;
  }

  #requestsOf(
    { operation, position, offset, bytes }: DiskTransfer,
    window: (start: number, end: number) => Iterable<MappedRange>,
  ): MappedRequest[] {
    const { limits } = this.driver;
    const requests: MappedRequest[] = [];
    for (let at = 0; at < bytes; at += REQUEST_BYTES) {
      const length = Math.min(REQUEST_BYTES, bytes - at);
      const ranges = [...window(offset + at, offset + at + length)];
      requests.push({
        operation,
        position: position + at,
        bytes: length,
        vecs: [],
        physicalSegments: ranges.length,
        physGapBit: 0,
        limits,
        ranges,
      });
    }
    return requests;
  }
}

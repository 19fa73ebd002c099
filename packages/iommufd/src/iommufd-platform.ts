// IommufdPlatform: what all I/O address spaces of one machine share: locks' order, log, allocations, and the doors to
// exporters of dma-bufs.
// Source followed: drivers/iommu/iommufd/main.c (the misc device, module parameters), pages.c (temporary memory).
// Simplified: allocations fail only when the machine's builder says so.

import type { DmaBufAttachment, DmaBufPlatform, PhysVec } from '@sgfree/dma-buf';
import type { Device } from '@sgfree/dma-core';
import { type EventLog, TaskMutex, TaskRwLock } from '@sgfree/hw-model';
import type { Outcome } from '@sgfree/mm';
import type { IommufdDoor } from './dmabuf/iommufd-door.ts';

/**
 * A private door to an exporter: the one physical range behind an attached buffer, asked with the reservation lock held.
 * -EOPNOTSUPP: not a buffer of this exporter, or not one range; -ENODEV: taken back. Whoever builds the machine wires it.
 * @public
 */
export type IommufdInterconnect = <Mapping>(attach: DmaBufAttachment<Mapping>) => Outcome<PhysVec>;

/** Bytes of temporary memory that one walk over pages may take. */
const TEMP_MEMORY_LIMIT = 65536;
/** Least temporary memory: one batch entry. @internal */
export const BATCH_ENTRY_BYTES = 12;

/**
 * What a platform is made of.
 * @public
 */
export interface IommufdPlatformOptions {
  /** Scheduler, log, lock order, files and allocations of the machine. */
  readonly dmaBufs: DmaBufPlatform;
  /** The misc device of iommufd, which attaches to dma-bufs; null: dma-bufs cannot be imported. */
  readonly device?: Device | null;
  /** Interconnects of exporters, asked in this order; default none. */
  readonly interconnects?: readonly IommufdInterconnect[];
  /**
   * By which door, or which of several, buffers come in; default `interconnect`. An exporter without mapping types is asked
   * by its interconnect, and so is each when that is the only door and `interconnects` are wired.
   */
  readonly door?: IommufdDoor | readonly IommufdDoor[];
}

/**
 * The shared part of a machine's I/O address spaces.
 * @public
 */
export class IommufdPlatform {
  readonly dmaBufs: DmaBufPlatform;
  readonly device: Device | null;
  readonly interconnects: readonly IommufdInterconnect[];
  /** Doors by which buffers may come in. */
  readonly doors: readonly IommufdDoor[];
  /** Bytes; tests make batches small with it. At least 12. */
  tempMemoryLimit: number = TEMP_MEMORY_LIMIT;

  constructor(options: IommufdPlatformOptions) {
    this.dmaBufs = options.dmaBufs;
    this.device = options.device ?? null;
    this.interconnects = options.interconnects ?? [];
    const { door = 'interconnect' } = options;
    this.doors = typeof door === 'string' ? [door] : door;
  }

  get log(): EventLog {
    return this.dmaBufs.log;
  }

  /** Asked before each allocation of so many bytes; false makes it fail. */
  allocate(bytes: number): boolean {
    return this.dmaBufs.allocate(bytes);
  }

  /** A reader-writer lock of the given class. @internal */
  rwLock(lockClass: string): TaskRwLock {
    const { scheduler, order } = this.dmaBufs;
    return new TaskRwLock({ name: lockClass, lockClass, scheduler, order });
  }

  /** A mutex of the given class. @internal */
  mutex(lockClass: string): TaskMutex {
    const { scheduler, order } = this.dmaBufs;
    return new TaskMutex({ name: lockClass, lockClass, scheduler, order });
  }
}

// RevokeMachine: the hardware of a revoke: a device whose BAR is shared, importers on other root ports that write to it,
// and address windows without which none of their requests gets anywhere.
// Source followed: PCI Express routing through the root complex; an IOMMU that translates page by page.
// Simplified: the windows are a set of pages for each requester; what is not in it is blocked.

import { type Device, DmaPlatform, pciDevice } from '@sgfree/dma-core';
import {
  BarMemory,
  Clock,
  type DmaAddr,
  DmaEngine,
  dmaAddr,
  EventLog,
  PAGE_SIZE,
  PciFabric,
  type PciFunction,
  type PhysAddr,
  PhysicalMemory,
  physAddr,
  rawOffset,
  type Scheduler,
} from '@sgfree/hw-model';
import { DmaBufPlatform } from '../../src/dma-buf-platform.ts';

/** Pages of the BAR; the first is shared, a mover uses the second too. */
const PAGES = 2;
/** What the next user of the memory writes into it. */
export const NEXT_OWNER = 0xee;
/** Bytes of the requests of one job: two of the smallest size limit. */
export const JOB_BYTES = 256;

/** A page of the BAR as one importer sees it. */
export interface DmaWindow {
  readonly address: DmaAddr;
  readonly place: number;
}

/** An importer's side of the hardware. */
export interface Initiator {
  readonly dev: Device;
  readonly engine: DmaEngine;
  /** Pages it may reach, each with the number of maps that allow it. */
  readonly windows: Map<number, number>;
}

export class RevokeMachine {
  readonly platform: DmaBufPlatform;
  readonly bar: BarMemory = new BarMemory(PAGES * PAGE_SIZE);
  readonly #fabric: PciFabric;
  readonly #target: PciFunction;
  readonly #initiators = new Map<number, Initiator>();
  readonly #byDevice = new Map<Device, Initiator>();
  /** Requests that the windows blocked. */
  blocked = 0;

  constructor(scheduler: Scheduler, names: readonly string[]) {
    const log = new EventLog();
    log.enabled = true;
    this.platform = new DmaBufPlatform({ scheduler, log });
    const memory = new PhysicalMemory();
    this.#fabric = new PciFabric({ memory, clock: new Clock() });
    const host = this.#fabric.addHostBridge({
      memoryAperture: { base: physAddr(0xc0000000), bytes: 2 ** 24 },
    });
    const endpoint = (name: string, target: BarMemory | null): PciFunction =>
      this.#fabric.addEndpoint(this.#fabric.addRootPort(host), {
        name,
        identity: { vendorId: 0x1234, deviceId: 1, classCode: 0x058000 },
        bars: target === null ? [] : [{ index: 0, bytes: target.bytes, width: 32, target }],
      });
    this.#target = endpoint('exporter', this.bar);
    const functions = names.map((name) => endpoint(name, null));
    this.#fabric.enumerate();
    for (const fn of [this.#target, ...functions]) fn.setCommand({ memory: true, busMaster: true });
    this.#fabric.setTranslationAgent({ translate: (id, address) => this.#translate(id, address) });
    const dma = new DmaPlatform({ memory });
    for (const fn of functions) this.#addInitiator(fn, dma);
  }

  initiator(dev: Device): Initiator {
    return this.#byDevice.get(dev) as Initiator;
  }

  get initiators(): readonly Initiator[] {
    return [...this.#initiators.values()];
  }

  open(dev: Device, place: number): DmaWindow {
    const { windows } = this.initiator(dev);
    windows.set(place, (windows.get(place) ?? 0) + 1);
    return { address: dmaAddr(place * PAGE_SIZE), place };
  }

  close(dev: Device, { place }: DmaWindow): void {
    const { windows } = this.initiator(dev);
    const left = (windows.get(place) ?? 0) - 1;
    if (left === 0) windows.delete(place);
    else windows.set(place, left);
  }

  /** The memory enable bit of the shared device. */
  set decodes(memory: boolean) {
    this.#target.setCommand({ memory, busMaster: true });
  }

  /** The next user fills a page. */
  reuse(place: number): void {
    this.bar.pageBytes(place).fill(NEXT_OWNER);
  }

  /** True when a page holds nothing but what the next user wrote. */
  untouched(place: number): boolean {
    return this.bar
      .pageBytes(place)
      .subarray(0, JOB_BYTES)
      .every((byte) => byte === NEXT_OWNER);
  }

  get text(): string {
    const windows = this.initiators.map(({ windows: open }) => [...open].join('+'));
    const bytes = [0, 1].map((place) => [0, JOB_BYTES / 2].map((at) => this.bar.pageBytes(place)[at]).join());
    return `${windows.join('|')} ${bytes.join('|')} ${this.blocked}`;
  }

  #addInitiator(fn: PciFunction, platform: DmaPlatform): void {
    const dev = pciDevice({ name: fn.name, platform, requesterId: fn.requesterId });
    const initiator = { dev, engine: new DmaEngine(this.#fabric, fn), windows: new Map<number, number>() };
    this.#initiators.set(fn.requesterId, initiator);
    this.#byDevice.set(dev, initiator);
  }

  #translate(requester: number, address: DmaAddr): PhysAddr | -1 {
    const offset = rawOffset(address, 0);
    const place = Math.floor(offset / PAGE_SIZE);
    if (this.#initiators.get(requester)?.windows.has(place) !== true) {
      this.blocked += 1;
      return -1;
    }
    return physAddr(rawOffset(this.#fabric.barPhys(this.#target, 0), offset));
  }
}

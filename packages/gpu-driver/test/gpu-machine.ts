// A machine with a card below a switch, a peer beside it and a peer below another root port, with or without an IOMMU, for
// buffers whose bytes are really moved by the copy engine and read by peers.
// Simplified: the IOMMU has no caches; it answers from the page table in memory.

import {
  DmaBufPlatform,
  DmaResvUsage,
  dmaResvLock,
  dmaResvUnlock,
  dmaResvWaitTimeout,
  MAX_SCHEDULE_TIMEOUT,
} from '@sgfree/dma-buf';
import {
  type Device,
  DmaPlatform,
  dmaBitMask,
  dmaSetMask,
  iommuGetDmaCookie,
  iommuSetupDmaOps,
  pciDevice,
} from '@sgfree/dma-core';
import {
  addOffset,
  type ChoicePolicy,
  Clock,
  type CompletionStatus,
  type DmaAddr,
  EventLog,
  GpuDevice,
  type ModelTask,
  PAGE_SIZE,
  PciFabric,
  type PciFunction,
  PhysicalMemory,
  type PhysRange,
  type PlugPoint,
  physAddr,
  physOfFrame,
  Scheduler,
} from '@sgfree/hw-model';
import { iommuIovaToPhys, PageTable, PagingDomain, VtdSecondStageFormat } from '@sgfree/iommu';
import { FrameAllocator, PageAllocator } from '@sgfree/mm';
import { P2pPlatform, PageRoutes } from '@sgfree/p2p';
import { GpuCard } from '../src/card/gpu-card.ts';
import type { GpuBo } from '../src/objects/gpu-bo.ts';

const MIB = 2 ** 20;
const ram: PhysRange = { base: physAddr(0), bytes: 64 * MIB };
const pageWindow: PhysRange = { base: physAddr(16 * MIB), bytes: 16 * MIB };
const tableWindow: PhysRange = { base: physAddr(32 * MIB), bytes: 32 * MIB };

/** How the machine is made. */
export interface GpuMachineOptions {
  readonly iommu?: boolean;
  readonly vramBytes?: number;
  readonly visibleBytes?: number;
  /** The host bridge is on the kernel's list; default true. */
  readonly listed?: boolean;
  readonly seed?: number;
  /** Who chooses the next task; default: chance, from `seed`. */
  readonly policy?: ChoicePolicy;
  /** Allocations of dma-buf that still succeed; default all. */
  readonly allowed?: number;
}

/** One booted machine. */
export class GpuMachine {
  readonly memory: PhysicalMemory = new PhysicalMemory();
  readonly log: EventLog = new EventLog();
  readonly clock: Clock = new Clock();
  readonly scheduler: Scheduler;
  readonly fabric: PciFabric;
  readonly gpu: GpuDevice;
  readonly pages: PageAllocator;
  readonly p2p: P2pPlatform;
  readonly dmaBufs: DmaBufPlatform;
  readonly card: GpuCard;
  readonly near: Device;
  readonly far: Device;
  readonly domain: PagingDomain | null;
  /** Allocations of dma-buf that still succeed; -1 = all. */
  allowed: number;
  /** Ranges of DMA addresses that can still be had; -1 = all. */
  allowedRanges = -1;
  /** Pages of the page table. */
  readonly tableFrames: FrameAllocator;
  /** A peer's write is on the bus. */
  peerWriting = false;
  readonly #functions = new Map<Device, PciFunction>();

  constructor(options: GpuMachineOptions = {}) {
    const { iommu = false, vramBytes = MIB, visibleBytes = vramBytes, listed = true } = options;
    this.allowed = options.allowed ?? -1;
    this.memory.addRam(ram.base, ram.bytes);
    this.tableFrames = new FrameAllocator(this.memory, tableWindow);
    this.log.enabled = true;
    const { seed = 1, policy } = options;
    this.scheduler = new Scheduler({ clock: this.clock, ...(policy === undefined ? { seed } : { policy }) });
    this.fabric = new PciFabric({ memory: this.memory, clock: this.clock, log: this.log });
    const host = this.fabric.addHostBridge({
      memoryAperture: { base: physAddr(0xc0000000), bytes: 256 * MIB },
      prefetchAperture: { base: physAddr(2 ** 36), bytes: Math.max(2 ** 32, 2 * visibleBytes) },
      identity: { vendorId: 0x8086, deviceId: listed ? 0x2030 : 0x29c0 },
    });
    const [left, right] = [this.fabric.addRootPort(host), this.fabric.addRootPort(host)];
    const [first, second] = this.fabric.addSwitch(left, { downstreamPorts: 2 }).downstream;
    this.gpu = new GpuDevice(this.fabric, first as PlugPoint, {
      scheduler: this.scheduler,
      vramBytes,
      visibleBytes,
      registerBytes: 4 * PAGE_SIZE,
    });
    const peers = [this.#endpoint(second as PlugPoint, 'near'), this.#endpoint(right, 'far')];
    this.fabric.enumerate();
    for (const fn of [this.gpu.endpoint, ...peers]) fn.setCommand({ memory: true, busMaster: true });
    const platform = new DmaPlatform({ memory: this.memory, log: this.log });
    this.p2p = new P2pPlatform({ hosts: this.fabric.hosts, frames: platform.frames, log: this.log });
    platform.p2p = new PageRoutes(this.p2p);
    this.domain = iommu ? this.#translated() : null;
    const dev = this.#device(this.gpu.endpoint, platform);
    [this.near, this.far] = peers.map((fn) => this.#device(fn, platform)) as [Device, Device];
    this.#limitRanges();
    this.pages = new PageAllocator(this.memory, pageWindow);
    this.dmaBufs = new DmaBufPlatform({
      scheduler: this.scheduler,
      log: this.log,
      allocate: () => {
        if (this.allowed === 0) return false;
        if (this.allowed > 0) this.allowed -= 1;
        return true;
      },
    });
    const { gpu, pages, dmaBufs } = this;
    this.card = new GpuCard({ gpu, pdev: this.p2p.devOf(gpu.endpoint), dev, dmaBufs, pages });
  }

  /** Runs a task to its end, and everything that it has started. */
  do<T>(task: ModelTask<T>): T {
    const result = this.scheduler.runTask('test', task);
    this.scheduler.run();
    return result;
  }

  /** Runs `body` with the object's reservation held. */
  *held<T>(bo: GpuBo, body: () => ModelTask<T>): ModelTask<T> {
    yield* dmaResvLock(bo.resv);
    const result = yield* body();
    dmaResvUnlock(bo.resv);
    return result;
  }

  /** Waits until the object's bytes are where they belong. */
  *settled(bo: GpuBo): ModelTask<void> {
    yield* dmaResvWaitTimeout(bo.resv, DmaResvUsage.KERNEL, false, MAX_SCHEDULE_TIMEOUT);
  }

  /** The object's bytes, read where they lie, not over the bus. */
  bytesOf(bo: GpuBo): Uint8Array {
    return this.#everyPage(bo, (offset, frame, page) => {
      if (frame >= 0) this.memory.read(physOfFrame(frame), page);
      else this.gpu.vram.mmioRead(offset, page);
    });
  }

  /** Fills the object, where it lies. */
  fill(bo: GpuBo, bytes: Uint8Array): void {
    let at = 0;
    this.#everyPage(bo, (offset, frame, page) => {
      page.set(bytes.subarray(at, at + page.length));
      at += page.length;
      if (frame >= 0) this.memory.write(physOfFrame(frame), page);
      else this.gpu.vram.mmioWrite(offset, page);
    });
  }

  /** What a peer reads from `address` on, page by page. */
  peerReads(dev: Device, address: DmaAddr, into: Uint8Array): CompletionStatus {
    const fn = this.#functions.get(dev) as PciFunction;
    for (let at = 0; at < into.length; at += 256) {
      const status = this.fabric.read(fn, addOffset(address, at), into, at, Math.min(256, into.length - at));
      if (status !== 'success') return status;
    }
    return 'success';
  }

  /** What a peer writes, page by page. */
  peerWrites(dev: Device, address: DmaAddr, from: Uint8Array): CompletionStatus {
    const fn = this.#functions.get(dev) as PciFunction;
    for (let at = 0; at < from.length; at += 256) {
      this.peerWriting = true;
      const status = this.fabric.write(fn, addOffset(address, at), from, at, Math.min(256, from.length - at));
      this.peerWriting = false;
      if (status !== 'success') return status;
    }
    return 'success';
  }

  /** Pages and VRAM in use, entries in the page table, ranges in the allocator. */
  get inUse(): {
    readonly pages: number;
    readonly vram: number;
    readonly entries: number;
    readonly ranges: number;
  } {
    const { card, pages, domain } = this;
    return {
      pages: pages.liveFrames,
      vram: card.vram.bytes - card.vram.freeBytes,
      entries: domain?.table.liveLeafEntries ?? 0,
      ranges: domain === null ? 0 : iommuGetDmaCookie(domain).iovad.liveRanges,
    };
  }

  #everyPage(bo: GpuBo, each: (offset: number, frame: number, page: Uint8Array) => void): Uint8Array {
    const all = new Uint8Array(bo.bytes);
    const { resource } = bo;
    if (resource.kind === 'mmio-remap') throw new RangeError('registers are read through the card');
    const places =
      resource.kind === 'tt'
        ? [...resource.frames].map((frame) => [-1, frame] as const)
        : resource.blocks.flatMap(({ offset, bytes }) =>
            Array.from({ length: bytes / PAGE_SIZE }, (_, page) => [offset + page * PAGE_SIZE, -1] as const),
          );
    for (const [page, [offset, frame]] of places.entries()) {
      each(offset, frame, all.subarray(page * PAGE_SIZE, (page + 1) * PAGE_SIZE));
    }
    return all;
  }

  /** Makes the allocator of DMA addresses fail once the ranges that are allowed are gone. */
  #limitRanges(): void {
    if (this.domain === null) return;
    const { tree } = iommuGetDmaCookie(this.domain).iovad;
    const allocate = tree.allocate.bind(tree);
    tree.allocate = (size, limit, sizeAligned) => {
      if (this.allowedRanges === 0) return -1;
      if (this.allowedRanges > 0) this.allowedRanges -= 1;
      return allocate(size, limit, sizeAligned);
    };
  }

  #endpoint(under: PlugPoint, name: string): PciFunction {
    return this.fabric.addEndpoint(under, {
      name,
      identity: { vendorId: 0x1234, deviceId: 0x0001, classCode: 0x020000 },
      bars: [],
    });
  }

  #translated(): PagingDomain {
    const format = new VtdSecondStageFormat({ flushRange: true });
    const { memory } = this;
    const table = new PageTable({
      format,
      memory,
      frames: this.tableFrames,
      vaBits: 48,
    });
    const ops = { iotlbSync(): void {}, flushIotlbAll(): void {}, iotlbSyncMap: null };
    const domain = new PagingDomain({ table, ops, type: 'dma', log: this.log });
    this.fabric.setTranslationAgent({
      translate: (_id, address) => {
        const phys = iommuIovaToPhys(domain, address);
        return phys === 0 ? -1 : phys;
      },
    });
    return domain;
  }

  #device(fn: PciFunction, platform: DmaPlatform): Device {
    const dev = pciDevice({ name: fn.name, platform, requesterId: fn.requesterId });
    dmaSetMask(dev, dmaBitMask(48));
    iommuSetupDmaOps(dev, this.domain);
    this.#functions.set(dev, fn);
    return dev;
  }
}

// A machine for tests of the core: RAM, processes, an I/O address space of one context, mock devices, and buffers of the tests'
// exporter.
// Source followed: the environment of the kernel's iommufd tests (drivers/iommu/iommufd/selftest.c).
// Simplified: one context.

import { DmaBufPlatform } from '@sgfree/dma-buf';
import { Device, DmaPlatform } from '@sgfree/dma-core';
import {
  addOffset,
  EventLog,
  type ModelTask,
  type PhysAddr,
  PhysicalMemory,
  physAddr,
  Scheduler,
} from '@sgfree/hw-model';
import { IOMMU_CACHE, IOMMU_READ, IOMMU_WRITE } from '@sgfree/iommu';
import {
  FrameAllocator,
  handleMmFault,
  type Outcome,
  PageAllocator,
  ProcessMemory,
  type ProcessMemoryOptions,
} from '@sgfree/mm';
import {
  type IommufdContext,
  type IommufdHwptPaging,
  type IommufdIoas,
  IommufdPlatform,
  IommufdProcess,
  type IommufdUser,
  iommufdDestroy,
  iommufdFopsOpen,
  iommufdIoasAlloc,
  iommufdObjectFinalize,
  iommufdTestMockDomain,
  ioptGetPages,
  ioptMapFilePages,
  ioptMapPages,
  ioptMapUserPages,
  ioptUnmapIova,
  MemfdFile,
  MockDevice,
  type MockDomainIds,
  type U64,
  u64,
  u64Number,
} from '../src/index.ts';
import {
  exportTestBuffer,
  invalidateMappings,
  revokeTestBuffer,
  type TestBuffer,
  testDoor,
} from './test-exporter.ts';

const MIB = 2 ** 20;
const RAM = { base: physAddr(MIB), bytes: 64 * MIB };
const TABLES = { base: physAddr(256 * MIB), bytes: 64 * MIB };
/** Memory behind dma-bufs: not RAM that pages come from. */
export const BUFFERS: PhysAddr = physAddr(0x80000000);
export const READ_WRITE: number = IOMMU_CACHE | IOMMU_READ | IOMMU_WRITE;

export { invalidateMappings, type TestBuffer };

/** The machine. */
export class CoreMachine {
  readonly memory: PhysicalMemory = new PhysicalMemory();
  readonly scheduler: Scheduler;
  readonly log: EventLog = new EventLog();
  readonly pages: PageAllocator;
  readonly tables: FrameAllocator;
  readonly dmaBufs: DmaBufPlatform;
  readonly platform: IommufdPlatform;
  readonly process: IommufdProcess;
  readonly ctx: IommufdContext;
  #buffers = 0;

  constructor(options: Partial<ProcessMemoryOptions> = {}, seed = 1, ramBytes: number = RAM.bytes) {
    this.scheduler = new Scheduler({ seed });
    this.log.enabled = true;
    this.memory.addRam(RAM.base, ramBytes);
    this.memory.addRam(TABLES.base, TABLES.bytes);
    this.pages = new PageAllocator(this.memory, { base: RAM.base, bytes: ramBytes });
    this.tables = new FrameAllocator(this.memory, TABLES);
    const { scheduler, log } = this;
    this.dmaBufs = new DmaBufPlatform({ scheduler, log });
    this.platform = new IommufdPlatform({
      dmaBufs: this.dmaBufs,
      device: new Device({ name: 'iommu', platform: new DmaPlatform({ memory: this.memory, log }) }),
      interconnects: [testDoor],
    });
    this.process = this.newProcess(options);
    this.ctx = iommufdFopsOpen({ platform: this.platform, process: this.process });
  }

  run<T>(task: ModelTask<T>): T {
    return this.scheduler.runTask('test', task);
  }

  newProcess(options: Partial<ProcessMemoryOptions> = {}, user?: IommufdUser): IommufdProcess {
    const { memory, pages, scheduler } = this;
    return new IommufdProcess(new ProcessMemory({ memory, pages, scheduler, ...options }), user);
  }

  /** Memory of the process; with `populate` its pages are there already. */
  mmap(bytes: number, at: number, populate = false): number {
    this.process.mm.mmap(bytes, { at });
    for (let done = 0; populate && done < bytes; done += 4096) {
      this.run(handleMmFault(this.process.mm, at + done, true));
    }
    return at;
  }

  ioas(): IommufdIoas {
    const made = iommufdIoasAlloc(this.ctx);
    if (!made.ok) throw new Error('no address space');
    iommufdObjectFinalize(this.ctx, made.value);
    return made.value;
  }

  mock(dirtyTracking = true): MockDevice {
    return new MockDevice({ memory: this.memory, frames: this.tables, dirtyTracking });
  }

  attach(ioas: IommufdIoas, device: MockDevice = this.mock()): Outcome<MockDomainIds> {
    return this.run(iommufdTestMockDomain(this.ctx, ioas.id, device));
  }

  destroy(id: number): number {
    return this.run(iommufdDestroy(this.ctx, id));
  }

  hwpt(id: number): IommufdHwptPaging {
    return this.ctx.objects.at(id) as IommufdHwptPaging;
  }

  /** The IOVA, or a negative errno. */
  map(
    ioas: IommufdIoas,
    va: U64,
    length: U64,
    iova: U64 | null = null,
    prot: number = READ_WRITE,
  ): Outcome<U64> {
    const request = { length, prot, iova, accountMode: this.ctx.accountMode };
    return this.run(ioptMapUserPages(this.process, ioas.iopt, va, request));
  }

  mapFile(
    ioas: IommufdIoas,
    fd: number,
    start: number,
    length: number,
    iova: U64 | null = null,
  ): Outcome<U64> {
    const request = { length: u64(length), prot: READ_WRITE, iova, accountMode: this.ctx.accountMode };
    return this.run(ioptMapFilePages(this.process, ioas.iopt, fd, u64(start), request));
  }

  copy(
    src: IommufdIoas,
    from: U64,
    length: U64,
    dst: IommufdIoas,
    iova: U64 | null,
    prot: number = READ_WRITE,
  ): Outcome<U64> {
    const elements = this.run(ioptGetPages(src.iopt, from, length));
    return elements.ok ? this.run(ioptMapPages(dst.iopt, elements.value, length, iova, prot)) : elements;
  }

  unmap(ioas: IommufdIoas, iova: number, length: number): Outcome<U64> {
    return this.run(ioptUnmapIova(ioas.iopt, u64(iova), u64(length)));
  }

  /** A descriptor for memory of `bytes` bytes. */
  memfd(bytes: number): { readonly fd: number; readonly file: MemfdFile } {
    const file = new MemfdFile(this.memory, this.pages, bytes);
    const fd = this.dmaBufs.files.reserve();
    if (!fd.ok) throw new Error('no descriptor');
    this.dmaBufs.files.install(fd.value, file);
    return { fd: fd.value, file };
  }

  /** A buffer of `bytes` bytes in one range, or `ranges`. */
  buffer(bytes: number, ranges = 1): TestBuffer {
    const base = addOffset(BUFFERS, this.#buffers * MIB);
    this.#buffers += 1;
    // The exporter's own allocations are not what a sweep is about.
    const { allocate } = this.dmaBufs;
    this.dmaBufs.allocate = () => true;
    const buffer = exportTestBuffer(this.dmaBufs, base, bytes, ranges);
    this.dmaBufs.allocate = allocate;
    return buffer;
  }

  /** Takes the buffer back, or gives it out again; importers are told in both cases. */
  revoke(buffer: TestBuffer, revoked: boolean): void {
    this.run(revokeTestBuffer(buffer, revoked));
  }

  /** Taking a buffer back, as a task. */
  revoking(buffer: TestBuffer): ModelTask<void> {
    buffer.state.revoked = true;
    return invalidateMappings(buffer.dmabuf);
  }

  /** Rules of the violations so far. */
  rules(): unknown[] {
    return this.log.events.filter(({ kind }) => kind === 'violation').map((event) => event['rule']);
  }

  /** Closes the context; what is left: objects, pins of processes, table pages. */
  close(): number[] {
    this.run(this.ctx.release());
    return [this.ctx.objects.size, this.process.mm.pinnedVm, this.tables.liveFrames];
  }
}

/** The number or errno (negative) of an outcome. */
export const numberOf = (outcome: Outcome<U64>): number =>
  outcome.ok ? u64Number(outcome.value) : -outcome.errno;

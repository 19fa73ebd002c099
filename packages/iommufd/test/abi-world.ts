// AbiWorld: a small machine with a context whose objects, mappings and user memory every test of the byte face knows.
// Source followed: none; the numbers of the objects are those that the lowest-free rule gives.
// Simplified: for tests only.

import { DmaBufPlatform, type ModelFile } from '@sgfree/dma-buf';
import { Device, DmaPlatform } from '@sgfree/dma-core';
import { type ModelTask, PhysicalMemory, physAddr, Scheduler } from '@sgfree/hw-model';
import { copyFromUser, copyToUser, FrameAllocator, PageAllocator, ProcessMemory } from '@sgfree/mm';
import {
  encodeIommufdStruct,
  type IommufdContext,
  type IommufdFieldValues,
  IommufdPlatform,
  IommufdProcess,
  iommufdDeviceBind,
  iommufdFopsIoctl,
  iommufdFopsOpen,
  iommufdStruct,
  iommufdTestMockDomain,
  MemfdFile,
  MockDevice,
} from '../src/index.ts';
import { exportTestBuffer, revokeTestBuffer, type TestBuffer, testDoor } from './test-exporter.ts';

/** Bytes of a page. */
export const P = 4096;
const MIB = 2 ** 20;

/** Numbers of the objects. */
export const ID = {
  /** Without a page table; one area of 4 pages at 0x10000, one that must not be written at 0x20000. */
  plain: 1,
  /** With a mock device; one area of 4 pages at 0x1010000. */
  mapped: 2,
  stdev: 3,
  device: 4,
  /** The table of `mapped`'s own making. */
  autoHwpt: 5,
  /** Made by hand over `mapped`: a nest parent. */
  parent: 6,
  fault: 7,
  /** No object. */
  none: 99,
} as const;

/** A world; everything can be asked how much of it is in use. */
export class AbiWorld {
  readonly scheduler: Scheduler;
  readonly dmaBufs: DmaBufPlatform;
  readonly platform: IommufdPlatform;
  readonly mm: ProcessMemory;
  readonly process: IommufdProcess;
  readonly pages: PageAllocator;
  readonly frames: FrameAllocator;
  readonly memory: PhysicalMemory;
  readonly ctx: IommufdContext;
  readonly device: MockDevice;
  /** User memory: 16 pages to map; a page for lists and data; a page that must not be written. */
  readonly buffer: number;
  readonly scratch: number;
  readonly readOnly: number;
  /** Descriptor of a memfd of 8 pages. */
  readonly memfd: number;
  /** Descriptor of an ordinary file. */
  readonly plainFile: number;
  /** Dma-bufs of 6 pages whose memory is at 2 and 3 GiB: one to import, and one that was taken back. */
  readonly lent: TestBuffer;
  readonly takenBack: TestBuffer;

  constructor(seed = 1, options: { readonly capSysResource?: boolean; readonly capIpcLock?: boolean } = {}) {
    this.memory = new PhysicalMemory();
    this.memory.addRam(physAddr(0), 64 * MIB);
    this.pages = new PageAllocator(this.memory, { base: physAddr(16 * MIB), bytes: 16 * MIB });
    this.frames = new FrameAllocator(this.memory, { base: physAddr(32 * MIB), bytes: 32 * MIB });
    this.scheduler = new Scheduler({ seed });
    this.dmaBufs = new DmaBufPlatform({ scheduler: this.scheduler });
    this.dmaBufs.log.enabled = true;
    this.platform = new IommufdPlatform({
      dmaBufs: this.dmaBufs,
      device: new Device({ name: 'iommu', platform: new DmaPlatform({ memory: this.memory }) }),
      interconnects: [testDoor],
    });
    this.mm = new ProcessMemory({
      memory: this.memory,
      pages: this.pages,
      scheduler: this.scheduler,
      capIpcLock: options.capIpcLock ?? false,
    });
    this.process = new IommufdProcess(this.mm);
    this.buffer = this.mm.mmap(16 * P, { at: 0x700000000000 });
    this.scratch = this.mm.mmap(P, { at: 0x700001000000 });
    this.readOnly = this.mm.mmap(P, { at: 0x700002000000, writable: false });
    this.memfd = this.openFile(new MemfdFile(this.memory, this.pages, 8 * P));
    this.plainFile = this.openFile({
      refs: 1,
      *release(): ModelTask<void> {
        yield* [];
      },
    });
    this.lent = exportTestBuffer(this.dmaBufs, physAddr(0x80000000), 6 * P);
    this.takenBack = exportTestBuffer(this.dmaBufs, physAddr(0xc0000000), 6 * P);
    this.takenBack.state.revoked = true;
    this.device = this.newDevice();
    this.ctx = iommufdFopsOpen({
      platform: this.platform,
      process: this.process,
      capSysResource: options.capSysResource ?? true,
    });
  }

  /** Violations so far. */
  get violations(): number {
    return this.dmaBufs.log.events.filter(({ kind }) => kind === 'violation').length;
  }

  newDevice(dirtyTracking = true): MockDevice {
    return new MockDevice({ memory: this.memory, frames: this.frames, dirtyTracking });
  }

  /** Takes a buffer back, or gives it out again. */
  revoke(buffer: TestBuffer, revoked: boolean): void {
    this.run(revokeTestBuffer(buffer, revoked));
  }

  openFile(file: ModelFile): number {
    const fd = this.dmaBufs.files.reserve();
    if (!fd.ok) throw new Error('no descriptor is free');
    this.dmaBufs.files.install(fd.value, file);
    return fd.value;
  }

  run<T>(body: ModelTask<T>): T {
    return this.scheduler.runTask('test', body);
  }

  /** Makes a call with the given fields; the errno, and the structure afterwards. */
  call(name: string, fields: IommufdFieldValues = {}): { errno: number; bytes: Uint8Array } {
    const bytes = encodeIommufdStruct(name, fields);
    return { errno: this.raw(iommufdStruct(name).request, bytes), bytes };
  }

  /** The errno of a call with the given argument. */
  raw(request: number, argument: Uint8Array | number | null): number {
    return Math.abs(this.run(iommufdFopsIoctl(this.ctx, request, argument)));
  }

  /** Writes to user memory. */
  poke(address: number, bytes: Uint8Array): void {
    if (this.run(copyToUser(this.mm, address, bytes)) !== 0) throw new Error('user memory is not writable');
  }

  /** Reads user memory. */
  peek(address: number, count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    if (this.run(copyFromUser(this.mm, address, bytes)) !== 0) throw new Error('user memory is not there');
    return bytes;
  }

  /** Puts ranges of IOVAs into the page of lists; its address. */
  pokeRanges(...ranges: readonly (readonly [bigint, bigint])[]): bigint {
    const bytes = new Uint8Array(ranges.length * 16);
    const view = new DataView(bytes.buffer);
    for (const [index, [first, last]] of ranges.entries()) {
      view.setBigUint64(index * 16, first, true);
      view.setBigUint64(index * 16 + 8, last, true);
    }
    this.poke(this.scratch, bytes);
    return BigInt(this.scratch);
  }

  /** Makes the objects and mappings that {@link ID} describes. */
  populate(): this {
    this.#must('iommu_ioas_alloc');
    this.#must('iommu_ioas_alloc');
    const mock = this.run(iommufdTestMockDomain(this.ctx, ID.mapped, this.device));
    if (!mock.ok || mock.value.hwptId !== ID.autoHwpt) throw new Error('the mock device is not attached');
    this.#must('iommu_hwpt_alloc', { dev_id: ID.device, pt_id: ID.mapped, flags: 1 });
    this.#must('iommu_fault_alloc');
    this.#map(ID.plain, 7, 0, 0x10000n);
    this.#map(ID.plain, 5, 4, 0x20000n);
    this.#map(ID.mapped, 7, 8, 0x1010000n);
    return this;
  }

  /** Binds one more device, which is not attached; its number. */
  bind(device: MockDevice): number {
    const bound = iommufdDeviceBind(this.ctx, device);
    if (!bound.ok) throw new Error('the device cannot be bound');
    return bound.value.id;
  }

  #map(ioas: number, flags: number, page: number, iova: bigint): void {
    const user = BigInt(this.buffer + page * P);
    this.#must('iommu_ioas_map', { ioas_id: ioas, flags, user_va: user, length: BigInt(4 * P), iova });
  }

  #must(name: string, fields: IommufdFieldValues = {}): void {
    const { errno } = this.call(name, fields);
    if (errno !== 0) throw new Error(`${name} fails with ${errno}`);
  }

  /** Mappings may hold files that hold the context: unmaps everything. */
  unmapAll(): void {
    for (const { id, type } of this.ctx.objects.objects) {
      if (type === 'ioas') this.call('iommu_ioas_unmap', { ioas_id: id, length: 2n ** 64n - 1n });
    }
  }

  /** Closes every descriptor and the context: what is left in use. */
  close(): Readonly<Record<string, number>> {
    for (let fd = 0; fd < 64; fd += 1) {
      if (this.dmaBufs.files.at(fd) !== null) this.run(this.dmaBufs.files.close(fd));
    }
    this.ctx.refs -= 1;
    if (this.ctx.refs === 0) this.run(this.ctx.release());
    return {
      references: this.ctx.refs,
      objects: this.ctx.objects.size,
      pinned: this.mm.pinnedVm,
      locked: this.process.user.lockedVm + this.process.lockedVm,
      tableFrames: this.frames.liveFrames,
      locks: this.dmaBufs.order.allFree ? 0 : 1,
      violations: this.violations,
      tasks: this.scheduler.tasks.length,
      buffers: this.dmaBufs.buffers.size,
    };
  }
}

/** What {@link AbiWorld.close} answers when nothing was leaked. */
export const NOTHING_LEFT: Readonly<Record<string, number>> = {
  references: 0,
  objects: 0,
  pinned: 0,
  locked: 0,
  tableFrames: 0,
  locks: 0,
  violations: 0,
  tasks: 0,
  buffers: 0,
};

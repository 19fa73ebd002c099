// IommufdMachine: the machine behind a file of recorded iommufd calls: one process with its memory, one open context, and
// mock devices with page tables of their own.
// Source followed: the header of the records and what their README says of the recording program.
// Simplified: page frames are the model's own; no recorded result depends on them.

import { DmaBufPlatform } from '@sgfree/dma-buf';
import { type ModelTask, PhysicalMemory, physAddr, Scheduler } from '@sgfree/hw-model';
import {
  type IommufdContext,
  IommufdIoas,
  IommufdPlatform,
  IommufdProcess,
  iommufdFopsOpen,
  MockDevice,
} from '@sgfree/iommufd';
import { FrameAllocator, PageAllocator, ProcessMemory } from '@sgfree/mm';

const MIB = 2 ** 20;
/** Table pages of mock devices; no recorded run uses this window up. */
const TABLES = { base: physAddr(2 ** 36), bytes: 2 ** 36 };

/** The machine, with `bytes` bytes of memory at `base`, which comes when it is pinned. */
export class IommufdMachine {
  readonly ctx: IommufdContext;
  readonly mm: ProcessMemory;
  readonly process: IommufdProcess;
  readonly #memory = new PhysicalMemory();
  readonly #tables: FrameAllocator;
  readonly #scheduler = new Scheduler();
  readonly #pages: PageAllocator;

  constructor(base: number, bytes: number) {
    const ram = { base: physAddr(16 * MIB), bytes: bytes + MIB };
    this.#memory.addRam(ram.base, ram.bytes);
    this.#memory.addRam(TABLES.base, TABLES.bytes);
    this.#tables = new FrameAllocator(this.#memory, TABLES);
    this.#pages = new PageAllocator(this.#memory, ram);
    const scheduler = this.#scheduler;
    this.mm = new ProcessMemory({ memory: this.#memory, pages: this.#pages, scheduler, capIpcLock: true });
    this.mm.mmap(bytes, { at: base });
    this.process = new IommufdProcess(this.mm);
    const platform = new IommufdPlatform({ dmaBufs: new DmaBufPlatform({ scheduler }) });
    this.ctx = iommufdFopsOpen({ platform, process: this.process });
  }

  run<T>(task: ModelTask<T>): T {
    return this.#scheduler.runTask('recorded call', task);
  }

  /** A fresh mock device. */
  mockDevice(): MockDevice {
    return new MockDevice({ memory: this.#memory, frames: this.#tables });
  }

  /** The address space with this number, or null. */
  ioasOf(id: number): IommufdIoas | null {
    const found = this.ctx.objects.at(id);
    return found instanceof IommufdIoas ? found : null;
  }

  /** Closes the context; what stays behind: objects, pinned pages, table pages. */
  close(): readonly number[] {
    this.run(this.ctx.release());
    return [this.ctx.objects.size, this.mm.pinnedVm, this.#tables.liveFrames];
  }
}

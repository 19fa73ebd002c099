// A small machine for tests: RAM, one host bridge, a root port, an NVMe controller behind it (or behind a switch).
// Simplified: no IOMMU unless a test sets a translation agent; the host's memory below 1 MiB is for rings and lists.

import {
  BlockMedium,
  type BlockPattern,
  Clock,
  EventLog,
  NvmeController,
  type NvmeControllerSpec,
  PciFabric,
  PhysicalMemory,
  physAddr,
  Scheduler,
} from '../src/index.ts';

const MIB = 2 ** 20;

/** A block that says which block it is. */
export const numberedBlocks: BlockPattern = (lba, into) => {
  for (let i = 0; i < into.length; i += 1) into[i] = (lba * 31 + i * 7 + (i >> 8)) & 0xff;
};

/** What may differ between test machines. */
export interface NvmeMachineOptions {
  readonly seed?: number;
  readonly behindSwitch?: boolean;
  readonly controller?: Partial<Omit<NvmeControllerSpec, 'scheduler' | 'medium'>>;
  readonly blockBytes?: 512 | 4096;
  readonly blockCount?: number;
}

/** Memory, fabric, controller and the scheduler that runs it. */
export class NvmeMachine {
  readonly memory: PhysicalMemory = new PhysicalMemory();
  readonly clock: Clock = new Clock();
  readonly log: EventLog = new EventLog();
  readonly scheduler: Scheduler;
  readonly fabric: PciFabric;
  readonly medium: BlockMedium;
  readonly controller: NvmeController;

  constructor(options: NvmeMachineOptions = {}) {
    this.scheduler = new Scheduler({ seed: options.seed ?? 1 });
    this.memory.addRam(physAddr(0), 64 * MIB);
    this.fabric = new PciFabric({ memory: this.memory, clock: this.clock, log: this.log });
    const host = this.fabric.addHostBridge({
      memoryAperture: { base: physAddr(0xc0000000), bytes: 256 * MIB },
      prefetchAperture: { base: physAddr(2 ** 36), bytes: 1024 * MIB },
    });
    const port = this.fabric.addRootPort(host);
    const down = options.behindSwitch
      ? this.fabric.addSwitch(port, { downstreamPorts: 2 }).downstream[1]
      : port;
    const { blockBytes = 512, blockCount = 2 ** 20 } = options;
    this.medium = new BlockMedium({ blockBytes, blockCount, pattern: numberedBlocks });
    const { scheduler, medium } = this;
    this.controller = new NvmeController(this.fabric, down ?? port, {
      ...options.controller,
      scheduler,
      medium,
    });
    this.fabric.enumerate();
    this.controller.endpoint.setCommand({ memory: true, busMaster: true });
  }

  /** `bytes` bytes of RAM from `address` on. */
  bytesAt(address: number, bytes: number): Uint8Array {
    const found = new Uint8Array(bytes);
    if (!this.memory.read(physAddr(address), found)) throw new Error(`no memory at ${address}`);
    return found;
  }

  /** Stores bytes in RAM. */
  store(address: number, bytes: Uint8Array): void {
    if (!this.memory.write(physAddr(address), bytes)) throw new Error(`no memory at ${address}`);
  }

  /** Stores 64-bit numbers in RAM, as a PRP list holds them. */
  storeUint64s(address: number, values: readonly number[]): void {
    const view = new DataView(new ArrayBuffer(8 * values.length));
    for (const [i, value] of values.entries()) view.setBigUint64(8 * i, BigInt(value), true);
    this.store(address, new Uint8Array(view.buffer));
  }

  /** What the medium holds in `blocks` blocks from `lba` on. */
  onMedium(lba: number, blocks: number): Uint8Array {
    const found = new Uint8Array(blocks * this.medium.blockBytes);
    this.medium.read(lba, found);
    return found;
  }
}

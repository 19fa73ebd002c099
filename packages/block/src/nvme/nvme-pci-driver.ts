// NvmePciDriver: the driver of one controller: it brings it up, turns requests into commands and completes them.
// Source followed: drivers/nvme/host/pci.c (nvme_probe, nvme_queue_rq, nvme_prep_rq, nvme_pci_complete_rq, nvme_remove),
// drivers/nvme/host/core.c (nvme_setup_rw).
// Simplified: no timeouts, no retries, no multipath; a request that cannot be mapped fails at once.

import {
  type Device,
  dmaAllocCoherent,
  dmaBitMask,
  dmaFreeCoherent,
  dmaSetCoherentMask,
  dmaSetMask,
  dmaSetMaxSegSize,
  dmaSetMinAlignMask,
} from '@sgfree/dma-core';
import { InternalError, type ModelTask, type PhysAddr } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import type { BlkStatus } from '../blk-status.ts';
import type { BlockRequest } from '../block-request.ts';
import type { QueueLimits } from '../queue-limits.ts';
import type { NvmeDataMapper, NvmeMappingContext } from './data-mapper.ts';
import { DescriptorPools } from './descriptor-pools.ts';
import type { CoherentSource } from './dma-pool.ts';
import { NvmeBar } from './nvme-bar.ts';
import {
  type BringUpContext,
  createIoQueue,
  enableController,
  readIdentity,
  shutDown,
} from './nvme-bring-up.ts';
import type { NvmeIod } from './nvme-iod.ts';
import {
  NVME_CTRL_PAGE_SIZE,
  NVME_SGL_THRESHOLD,
  type NvmeIdentity,
  nvmeQueueLimits,
} from './nvme-pci-limits.ts';
import type { NvmeQueuePair } from './queue-pair.ts';
import { TrackingMemory } from './tracking-memory.ts';

/**
 * How a driver instance is made.
 * @public
 */
export interface NvmePciDriverOptions<Iod extends NvmeIod, Request extends BlockRequest = BlockRequest> {
  readonly dev: Device;
  /** BAR 0 of the controller in the CPU's address space. */
  readonly registers: PhysAddr;
  readonly makeMapper: (context: NvmeMappingContext) => NvmeDataMapper<Iod, Request>;
  /** Coherent memory of the descriptor pools; default `dma_alloc_coherent`. */
  readonly poolSource?: CoherentSource;
  /** `sgl_threshold` in bytes; default 32768. */
  readonly sglThreshold?: number;
  /** `io_queue_depth`; default 1024. */
  readonly queueEntries?: number;
}

/**
 * How a request ended.
 * @public
 */
export interface NvmeResult<Iod extends NvmeIod = NvmeIod> {
  readonly request: BlockRequest;
  readonly iod: Iod;
  /** Not 'ok': the request never reached the controller, or the controller failed it ('io-error'). */
  readonly status: BlkStatus;
  /** Status field of the completion; 0 = success, also when no command was sent. */
  readonly nvmeStatus: number;
}

/**
 * `dma_alloc_coherent` of one device as a source of blocks.
 * @public
 */
export function coherentSourceOf(dev: Device): CoherentSource {
  return {
    alloc: (bytes) => dmaAllocCoherent(dev, bytes),
    free: (block) => dmaFreeCoherent(dev, block),
  };
}

/**
 * The NVMe driver bound to one controller. `Request` is what its mapper needs to know of a request.
 * @public
 */
export class NvmePciDriver<Iod extends NvmeIod, Request extends BlockRequest = BlockRequest> {
  readonly dev: Device;
  readonly tracking: TrackingMemory = new TrackingMemory();
  readonly pools: DescriptorPools;
  readonly #options: NvmePciDriverOptions<Iod, Request>;
  readonly #bringUp: BringUpContext;
  readonly #commands = new Map<number, Iod>();
  #mapper: NvmeDataMapper<Iod, Request> | null = null;
  #identity: NvmeIdentity | null = null;
  #admin: NvmeQueuePair | null = null;
  #io: NvmeQueuePair | null = null;

  constructor(options: NvmePciDriverOptions<Iod, Request>) {
    const { dev } = options;
    const source = coherentSourceOf(dev);
    this.dev = dev;
    this.#options = options;
    this.pools = new DescriptorPools(options.poolSource ?? source, dev.platform.memory, this.tracking);
    this.#bringUp = {
      bar: new NvmeBar(dev.platform.memory, options.registers),
      memory: dev.platform.memory,
      source,
      queueEntries: options.queueEntries ?? 1024,
    };
  }

  /** What Identify said; only after {@link NvmePciDriver.probe}. */
  get identity(): NvmeIdentity {
    if (this.#identity === null) throw new InternalError('the controller is not up');
    return this.#identity;
  }

  /** Limits of the namespace's queue; only after {@link NvmePciDriver.probe}. */
  get limits(): QueueLimits {
    return nvmeQueueLimits(this.dev, this.identity);
  }

  /** Brings the controller up: 0, -ENOMEM or -EIO (then nothing stays allocated). */
  *probe(): ModelTask<number> {
    this.dev.driver = 'nvme';
    dmaSetMask(this.dev, dmaBitMask(64));
    dmaSetCoherentMask(this.dev, dmaBitMask(64));
    dmaSetMinAlignMask(this.dev, NVME_CTRL_PAGE_SIZE - 1);
    dmaSetMaxSegSize(this.dev, 0xffffffff);
    this.#admin = yield* enableController(this.#bringUp);
    if (this.#admin === null) return yield* this.#giveUp(-Errno.ENOMEM);
    const identity = yield* readIdentity(this.#bringUp, this.#admin);
    if (typeof identity === 'number') return yield* this.#giveUp(identity);
    this.#identity = identity;
    const io = yield* createIoQueue(this.#bringUp, this.#admin);
    if (typeof io === 'number') return yield* this.#giveUp(io);
    this.#io = io;
    this.#mapper = this.#options.makeMapper({
      dev: this.dev,
      pools: this.pools,
      tracking: this.tracking,
      policy: {
        sglSupport: identity.sglSupport,
        sglThreshold: this.#options.sglThreshold ?? NVME_SGL_THRESHOLD,
      },
    });
    return 0;
  }

  /** Submits `requests` in order and returns when all have ended, in order of their ends. */
  *execute(requests: readonly Request[]): ModelTask<NvmeResult<Iod>[]> {
    const queue = this.#queue();
    const results: NvmeResult<Iod>[] = [];
    for (const request of requests) {
      if (!queue.hasRoom) yield* this.#reap(queue, results);
      const failed = this.#queueRequest(queue, request);
      if (failed !== null) results.push(failed);
    }
    while (queue.inFlight > 0) yield* this.#reap(queue, results);
    return results;
  }

  /** Takes the controller down and frees everything. No request may be running. */
  *remove(): ModelTask<void> {
    if (this.#admin !== null) yield* shutDown(this.#bringUp, this.#admin, this.#io);
    this.#admin = null;
    this.#io = null;
    this.pools.destroy();
    this.dev.driver = null;
  }

  *#giveUp(errno: number): ModelTask<number> {
    yield* this.remove();
    return errno;
  }

  #queue(): NvmeQueuePair {
    if (this.#io === null) throw new InternalError('the controller has no I/O queue');
    return this.#io;
  }

  #mapperOf(): NvmeDataMapper<Iod, Request> {
    if (this.#mapper === null) throw new InternalError('the controller is not up');
    return this.#mapper;
  }

  /** nvme_queue_rq: null when the command is on its way. */
  #queueRequest(queue: NvmeQueuePair, request: Request): NvmeResult<Iod> | null {
    const mapper = this.#mapperOf();
    const iod = mapper.newIod(request);
    const blockBytes = this.identity.blockBytes;
    iod.entry.opcode = request.operation === 'write' ? 0x01 : 0x02;
    iod.entry.namespaceId = 1;
    iod.entry.startLba = request.position / blockBytes;
    iod.entry.setDword(12, request.bytes / blockBytes - 1);
    const status = mapper.mapData(iod);
    if (status !== 'ok') return { request, iod, status, nvmeStatus: 0 };
    const commandId = this.#freeTag();
    iod.entry.commandId = commandId;
    this.#commands.set(commandId, iod);
    queue.submit(iod.entry);
    return null;
  }

  #freeTag(): number {
    let tag = 0;
    while (this.#commands.has(tag)) tag += 1;
    return tag;
  }

  *#reap(queue: NvmeQueuePair, results: NvmeResult<Iod>[]): ModelTask<void> {
    yield { at: 'nvme:completion', until: () => queue.pending };
    while (queue.pending) {
      const { commandId, status } = queue.take();
      const iod = this.#commands.get(commandId);
      if (iod === undefined) throw new InternalError(`completion for unknown command ${commandId}`);
      this.#commands.delete(commandId);
      this.#mapperOf().unmapData(iod);
      const ended: BlkStatus = status === 0 ? 'ok' : 'io-error';
      results.push({ request: iod.request, iod, status: ended, nvmeStatus: status });
    }
  }
}

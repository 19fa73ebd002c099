// NvmeController: an NVMe endpoint: registers and doorbells in BAR 0, queues in host memory, data moved by its DMA.
// Source followed: NVM Express Base Specification 2.0, sections 3.1 (properties), 3.3 (queues), 3.5 (initialization),
// 3.6 (shutdown), 3.7.2 (reset); NVMe over PCIe Transport 1.0, section 3.1.2 (doorbells).
// Simplified: ready at once; one namespace; arbitration is the scheduler's choice; the interrupt is a callback;
// no log pages, asynchronous events, metadata or controller memory buffer.

import type { TlpSizes } from '../../fabric/pci-express-capability.ts';
import type { PciFabric, PlugPoint } from '../../fabric/pci-fabric.ts';
import type { PciFunction } from '../../fabric/pci-function.ts';
import type { MmioTarget } from '../../physical-memory.ts';
import type { Scheduler } from '../../scheduler.ts';
import { DmaEngine } from '../dma-engine.ts';
import type { BlockMedium } from './block-medium.ts';
import { NvmeAdminCommands } from './nvme-admin-commands.ts';
import { NvmeCommandRunner } from './nvme-command-runner.ts';
import { type NvmeCounters, newNvmeCounters } from './nvme-counters.ts';
import { NvmeDataPath, type NvmeSglSupport } from './nvme-data-path.ts';
import { NvmeIoCommands } from './nvme-io-commands.ts';
import { NvmeCompletionQueue, NvmeSubmissionQueue } from './nvme-queue.ts';
import { NvmeQueueTable } from './nvme-queue-table.ts';
import { NVME_REGISTER, NvmeRegisters } from './nvme-registers.ts';

/**
 * How a controller is made.
 * @public
 */
export interface NvmeControllerSpec {
  /** Runs the controller's tasks: one per command, one per queue that has entries to fetch. */
  readonly scheduler: Scheduler;
  readonly medium: BlockMedium;
  /** Default `nvme`. */
  readonly name?: string;
  /** Default 1: SGLs with byte granularity. */
  readonly sgls?: NvmeSglSupport;
  /** Maximum data transfer size: 4 KiB times two to this power; 0 = no limit. Default 7 (512 KiB). */
  readonly mdts?: number;
  /** Largest queue, 2 to 65536. Default 2048. */
  readonly maxQueueEntries?: number;
  /** PCI vendor and device id. Default 1b36:0010. */
  readonly identity?: { readonly vendorId: number; readonly deviceId: number };
  /** At most 20 characters. Default `sgfree`. */
  readonly serialNumber?: string;
  /** Device number on the bus; see {@link EndpointSpec}. */
  readonly device?: number;
  /** Function number 0 to 7; default 0. */
  readonly functionNumber?: number;
  /** Default 256 and 512 bytes. */
  readonly tlpSizes?: TlpSizes;
}

const NVME_CLASS_CODE = 0x010802;
const BAR_BYTES = 0x4000;
const DOORBELL_BYTES = 4;

/**
 * An NVMe controller on a fabric. Software reaches it through BAR 0 of {@link NvmeController.endpoint} only.
 * @public
 */
export class NvmeController implements MmioTarget {
  /** The PCI function; its memory decoding and bus mastering are off until a driver sets them. */
  readonly endpoint: PciFunction;
  readonly medium: BlockMedium;
  readonly counters: NvmeCounters = newNvmeCounters();
  /** The engine that issues all of the controller's bus requests. */
  readonly dma: DmaEngine;
  /** Called when a completion is posted to a queue that has an interrupt vector. */
  onInterrupt: ((vector: number) => void) | null = null;
  readonly #registers: NvmeRegisters;
  readonly #queues: NvmeQueueTable = new NvmeQueueTable();
  readonly #data: NvmeDataPath;
  readonly #runner: NvmeCommandRunner;

  /** Plugs the controller in; enumerate the fabric afterwards. */
  constructor(fabric: PciFabric, under: PlugPoint, spec: NvmeControllerSpec) {
    const { scheduler, medium, name = 'nvme', sgls = 1, mdts = 7, device, tlpSizes } = spec;
    const identity = spec.identity ?? { vendorId: 0x1b36, deviceId: 0x0010 };
    this.medium = medium;
    this.endpoint = fabric.addEndpoint(under, {
      name,
      identity: { ...identity, classCode: NVME_CLASS_CODE },
      bars: [{ index: 0, bytes: BAR_BYTES, target: this }],
      ...(device === undefined ? {} : { device }),
      ...(spec.functionNumber === undefined ? {} : { functionNumber: spec.functionNumber }),
      ...(tlpSizes === undefined ? {} : { tlpSizes }),
    });
    this.dma = new DmaEngine(fabric, this.endpoint);
    this.#registers = new NvmeRegisters(spec.maxQueueEntries ?? 2048);
    this.#data = new NvmeDataPath(this.dma, sgls, this.counters);
    const { vendorId } = identity;
    const reported = { vendorId, serialNumber: spec.serialNumber ?? 'sgfree', sgls, mdts };
    const maxBytes = mdts === 0 ? Number.POSITIVE_INFINITY : 4096 * 2 ** mdts;
    this.#runner = new NvmeCommandRunner({
      name,
      scheduler,
      dma: this.dma,
      counters: this.counters,
      admin: new NvmeAdminCommands(this.#queues, this.#data, medium, reported, this.#registers),
      io: new NvmeIoCommands(medium, this.#data, maxBytes),
      fail: () => this.#registers.setFatal(),
      interrupt: (vector) => this.onInterrupt?.(vector),
    });
  }

  /** Host reads of BAR 0. Doorbells read as zero. */
  mmioRead(offset: number, into: Uint8Array): boolean {
    if (offset < NVME_REGISTER.doorbells) return this.#registers.read(offset, into);
    into.fill(0);
    return true;
  }

  /** Host writes to BAR 0. */
  mmioWrite(offset: number, from: Uint8Array): boolean {
    if (offset >= NVME_REGISTER.doorbells) return this.#ring(offset - NVME_REGISTER.doorbells, from);
    const wasEnabled = this.#registers.enabled;
    if (!this.#registers.write(offset, from)) return false;
    const { enabled } = this.#registers;
    if (enabled && !wasEnabled) this.#start();
    if (!enabled && wasEnabled) this.#reset();
    if (this.#registers.ready && this.#registers.shutdownRequested) this.#registers.setShutdownComplete();
    return true;
  }

  #start(): void {
    const registers = this.#registers;
    const { adminSubmission, adminCompletion } = registers;
    if (adminSubmission === null || adminCompletion === null || !registers.pageBytesSupported) {
      registers.setFatal();
      return;
    }
    this.#data.pageBytes = registers.pageBytes;
    const { base, entries } = adminCompletion;
    const completions = this.#queues.addCompletion(new NvmeCompletionQueue(0, base, entries, 0));
    this.#queues.addSubmission(
      new NvmeSubmissionQueue(0, adminSubmission.base, adminSubmission.entries, completions),
    );
    registers.setReady();
  }

  #reset(): void {
    this.dma.halt();
    this.#queues.clear();
    this.#registers.clearStatus();
  }

  /** Doorbells: submission tail of queue 0, completion head of queue 0, submission tail of queue 1, ... */
  #ring(offset: number, from: Uint8Array): boolean {
    if (from.length !== DOORBELL_BYTES || offset % DOORBELL_BYTES !== 0) return false;
    const value = new DataView(from.buffer, from.byteOffset).getUint32(0, true) & 0xffff;
    const id = Math.floor(offset / (2 * DOORBELL_BYTES));
    const isCompletion = offset % (2 * DOORBELL_BYTES) !== 0;
    const queue = isCompletion ? this.#queues.completion.get(id) : this.#queues.submission.get(id);
    if (queue === undefined || value >= queue.entries || this.#registers.fatal) {
      this.counters.invalidDoorbells += 1;
    } else if (queue instanceof NvmeSubmissionQueue) {
      queue.tail = value;
      this.#runner.wake(queue);
    } else {
      queue.head = value;
    }
    return true;
  }
}

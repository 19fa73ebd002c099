// FarComputer: the peer on the wire: an adapter with memory of its own, from which it writes into the lent BAR and into which
// it reads out of it.
// Source followed: the initiator of RDMA WRITE and READ (InfiniBand Architecture Specification 1.3, section 9.4).
// Simplified: its memory is one registered region without an IOMMU; data is put there and taken out by its processor.

import {
  addOffset,
  alignUp,
  type Clock,
  dmaAddr,
  type EventLog,
  InternalError,
  type ModelTask,
  PciFabric,
  type PhysAddr,
  PhysicalMemory,
  physAddr,
  RdmaNic,
  type RdmaWire,
  type Scheduler,
} from '@sgfree/hw-model';
import {
  IbAccess,
  type IbMr,
  type IbSendWr,
  type IbWc,
  ibPostSend,
  nextCompletion,
  registerRegion,
} from '@sgfree/rdma/stage-4';
import { had } from '../certain-value.ts';
import { MOST_IN_FLIGHT, RdmaEnd } from './rdma-end.ts';

const GIB = 2 ** 30;
/** Where the buffer begins, and its pages in the adapter's table. */
const BUFFER: PhysAddr = physAddr(GIB);
const BUFFER_PAGE: number = 2 ** 21;

/**
 * What the peer is to move: bytes of its buffer to or from bytes of a region of the other end.
 * @internal
 */
export interface FarTransfer {
  readonly opcode: 'rdma-write' | 'rdma-read';
  /** First byte in the buffer. */
  readonly at: number;
  readonly bytes: number;
  readonly remoteAddr: number;
  readonly rkey: number;
}

/**
 * What the peer is made with.
 * @internal
 */
export interface FarComputerSpec {
  readonly clock: Clock;
  readonly log: EventLog;
  readonly scheduler: Scheduler;
  readonly wire: RdmaWire;
  /** Bytes of its buffer. */
  readonly bytes: number;
}

/**
 * The peer.
 * @internal
 */
export class FarComputer {
  readonly memory: PhysicalMemory = new PhysicalMemory();
  readonly fabric: PciFabric;
  readonly end: RdmaEnd;
  /** The buffer as its adapter knows it. */
  readonly region: IbMr;

  constructor({ clock, log, scheduler, wire, bytes }: FarComputerSpec) {
    const length = alignUp(Math.max(1, bytes), BUFFER_PAGE);
    this.memory.addRam(BUFFER, length);
    this.fabric = new PciFabric({ memory: this.memory, clock, log });
    const host = this.fabric.addHostBridge({ memoryAperture: { base: physAddr(GIB / 2), bytes: GIB / 4 } });
    const nic = new RdmaNic(this.fabric, this.fabric.addRootPort(host), {
      scheduler,
      wire,
      name: 'far adapter',
    });
    this.fabric.enumerate();
    nic.endpoint.setCommand({ memory: true, busMaster: true });
    this.end = new RdmaEnd(nic, null, log);
    this.region = had(
      'no region over the buffer',
      registerRegion(this.end.pd, {
        pageSize: BUFFER_PAGE,
        blocks: Array.from({ length: length / BUFFER_PAGE }, (_, page) =>
          dmaAddr(addOffset(BUFFER, page * BUFFER_PAGE)),
        ),
        iova: 0,
        length,
        access: IbAccess.LOCAL_WRITE,
      }),
    );
  }

  /** Puts bytes into the buffer from byte `at` on. */
  store(at: number, bytes: Uint8Array): void {
    if (!this.memory.write(addOffset(BUFFER, at), bytes)) throw new InternalError('the buffer is too small');
  }

  /** Reads the buffer from byte `at` on. */
  load(at: number, into: Uint8Array): void {
    if (!this.memory.read(addOffset(BUFFER, at), into)) throw new InternalError('the buffer is too small');
  }

  /** Posts one transfer; 0 or the negative errno of posting. */
  post(wrId: number, { opcode, at, bytes, remoteAddr, rkey }: FarTransfer): number {
    const wr: IbSendWr = {
      wrId,
      opcode,
      sgList: [{ addr: at, length: bytes, lkey: this.region.lkey }],
      sendFlags: { signaled: true },
      remoteAddr,
      rkey,
    };
    return ibPostSend(this.end.qp, [wr]);
  }

  /**
   * Posts transfers as far as the queue takes them and waits for all: their completions in the order they came. `wrId` is the
   * transfer's index. Ends early where one cannot be posted.
   */
  *transfer(transfers: readonly FarTransfer[]): ModelTask<IbWc[]> {
    const done: IbWc[] = [];
    for (const [index, transfer] of transfers.entries()) {
      if (index - done.length === MOST_IN_FLIGHT) done.push(yield* nextCompletion(this.end.cq));
      if (this.post(index, transfer) !== 0) return done;
    }
    while (done.length < transfers.length) done.push(yield* nextCompletion(this.end.cq));
    return done;
  }
}

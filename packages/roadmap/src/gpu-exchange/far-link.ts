// FarLink: the peer on the wire and one object: a pair of queue pairs, a region over the object, and a stretch of the peer's buffer.
// Source followed: what a user of verbs sets up before the first transfer; a dynamic region whose faults bring the memory back.
// Simplified: every work request asks for a completion.

import { InternalError, type ModelTask, rdmaStatusName } from '@sgfree/hw-model';
import {
  type DmabufImport,
  type IbUmemDmabuf,
  IbWcStatus,
  ibDeregDmabufMr,
  ibDestroyCq,
  ibDestroyQp,
  ibPostSend,
  ibRegDmabufMr,
  ibUmemDmabufUnmapPages,
  nextCompletion,
  type PageFaultService,
  type UmemMr,
} from '@sgfree/rdma';
import type { FarComputer } from '../exported-bar/far-computer.ts';
import { anotherEnd, connectEnds, PEER_RIGHTS, type RdmaEnd } from '../exported-bar/rdma-end.ts';
import { registerToldRegion } from '../told-region.ts';
import type { ExchangeKernel } from './exchange-kernel.ts';

const TRANSFER_BYTES = 8192;
const DEPTH = 4;

/** @internal */
export interface FarLinkParts<Mapping> {
  readonly kernel: ExchangeKernel;
  /** The adapter beside the card. */
  readonly near: RdmaEnd;
  readonly faults: PageFaultService;
  readonly far: FarComputer;
  /** First byte in the peer's buffer, and bytes. */
  readonly at: number;
  readonly bytes: number;
  readonly via: DmabufImport<Mapping>;
  /** The adapter's driver does not stop the adapter when the memory moves. */
  readonly careless: boolean;
}

/** @internal */
export class FarLink<Mapping> {
  /** Work requests that ended well, and how the others ended. */
  completed = 0;
  readonly failures: string[] = [];
  readonly #parts: FarLinkParts<Mapping>;
  readonly #near: RdmaEnd;
  readonly #far: RdmaEnd;
  #region: UmemMr<IbUmemDmabuf<Mapping>> | null = null;
  /** Work requests under way. */
  outstanding = 0;

  constructor(parts: FarLinkParts<Mapping>) {
    this.#parts = parts;
    this.#near = anotherEnd(parts.near, 2 * DEPTH);
    this.#far = anotherEnd(parts.far.end, 2 * DEPTH);
    connectEnds(this.#near, this.#far);
  }

  /** Registers the buffer behind `fd`; 0 or a negative errno. */
  *join(fd: number): ModelTask<number> {
    const { kernel, near, faults, bytes, via, careless } = this.#parts;
    const request = { platform: kernel.dmaBufs, fd, offset: 0, size: bytes, access: PEER_RIGHTS, via };
    const made = careless
      ? yield* registerToldRegion(near.pd, request, ibUmemDmabufUnmapPages)
      : yield* ibRegDmabufMr(near.pd, request, 0, faults);
    if (!made.ok) return -made.errno;
    this.#region = made.value;
    return 0;
  }

  /** The peer fetches the object's bytes, or sends those of its buffer; true when every work request ended well. */
  *transfer(opcode: 'rdma-read' | 'rdma-write'): ModelTask<boolean> {
    const { bytes } = this.#parts;
    const before = this.failures.length;
    for (let offset = 0; offset < bytes; offset += TRANSFER_BYTES) {
      if (this.outstanding === DEPTH) yield* this.#complete();
      if (this.failures.length > before) break;
      this.#post(opcode, offset, Math.min(TRANSFER_BYTES, bytes - offset));
    }
    while (this.outstanding > 0) yield* this.#complete();
    return this.failures.length === before;
  }

  /** The peer's own bytes. */
  store(bytes: Uint8Array): void {
    this.#parts.far.store(this.#parts.at, bytes);
  }

  load(): Uint8Array {
    const bytes = new Uint8Array(this.#parts.bytes);
    this.#parts.far.load(this.#parts.at, bytes);
    return bytes;
  }

  /** Gives region and queue pairs back; 0 or a negative errno. */
  *leave(): ModelTask<number> {
    const region = this.#region;
    this.#region = null;
    const error = region === null ? 0 : yield* ibDeregDmabufMr(region);
    for (const { qp, cq } of [this.#near, this.#far]) {
      yield* ibDestroyQp(qp);
      ibDestroyCq(cq);
    }
    return error;
  }

  #post(opcode: 'rdma-read' | 'rdma-write', offset: number, length: number): void {
    const { far, at } = this.#parts;
    if (this.#region === null) throw new InternalError('the object is not registered');
    const posted = ibPostSend(this.#far.qp, [
      {
        wrId: offset,
        opcode,
        sgList: [{ addr: at + offset, length, lkey: far.region.lkey }],
        sendFlags: { signaled: true },
        remoteAddr: offset,
        rkey: this.#region.mr.rkey,
      },
    ]);
    if (posted === 0) this.outstanding += 1;
    else this.failures.push(`errno ${-posted}`);
  }

  *#complete(): ModelTask<void> {
    const { status } = yield* nextCompletion(this.#far.cq);
    this.outstanding -= 1;
    if (status === IbWcStatus.SUCCESS) this.completed += 1;
    else this.failures.push(rdmaStatusName(status));
  }
}

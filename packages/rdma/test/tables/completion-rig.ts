// Two connected queue pairs with a region each, as the rows about completions describe them.
// Simplified: regions are 2 KiB in one page; a second request behind the one under test shows whether the queue still goes.

import { dmaAddr, type RdmaAsyncEvent, type RdmaQpState } from '@sgfree/hw-model';
import {
  IbAccess,
  type IbMr,
  type IbPd,
  type IbQp,
  type IbSendWr,
  type IbSge,
  type IbWc,
  type IbWrOpcode,
  ibAllocPd,
  ibCreateQp,
  ibModifyQp,
  ibPollCq,
  ibPostRecv,
  ibPostSend,
  registerRegion,
} from '../../src/index.ts';
import { initAttr, outcomeValue, VerbsRig, type VerbsSide } from '../verbs-rig.ts';

/** Bytes of a region. */
export const REGION = 2048;
const LOCAL = { iova: 0x7000_0000, phys: 0x100000 };
const REMOTE = { iova: 0x7100_0000, phys: 0x200000 };
const INBOX = { iova: 0x7200_0000, phys: 0x300000 };
const rights: Readonly<Record<string, number>> = {
  l: IbAccess.LOCAL_WRITE,
  w: IbAccess.REMOTE_WRITE,
  r: IbAccess.REMOTE_READ,
  a: IbAccess.REMOTE_ATOMIC,
};

/** A sum of flags from letters. */
export const rightsOf = (letters = ''): number =>
  letters.split('').reduce((sum, letter) => sum | (rights[letter] ?? 0), 0);

/** How the pair is made. */
export interface PairOptions {
  readonly type: 'rc' | 'uc';
  readonly remoteRights: number;
  readonly pairRights: number;
  readonly rnrRetry?: number;
  readonly retryCnt?: number;
  readonly dead?: boolean;
}

/** The two sides. */
export class CompletionRig {
  readonly rig: VerbsRig = new VerbsRig();
  readonly requester: IbQp;
  readonly responder: IbQp;
  readonly local: IbMr;
  readonly remote: IbMr;
  readonly inbox: IbMr;
  readonly events: RdmaAsyncEvent[] = [];

  constructor(options: PairOptions) {
    const { a, b } = this.rig;
    this.requester = this.#pair(a, options, false);
    this.responder = this.#pair(b, options, true);
    this.#connect(this.requester, b, this.responder, options, options.dead === true);
    this.#connect(this.responder, a, this.requester, options, false);
    this.local = region(a.pd, LOCAL, IbAccess.LOCAL_WRITE);
    this.remote = region(b.pd, REMOTE, options.remoteRights);
    this.inbox = region(b.pd, INBOX, IbAccess.LOCAL_WRITE);
    const pattern = (from: number): Uint8Array =>
      Uint8Array.from({ length: REGION }, (_, i) => (i * 7 + from) & 0xff);
    this.rig.store(LOCAL.phys, pattern(1));
    this.rig.store(REMOTE.phys, pattern(2));
    this.rig.store(INBOX.phys, pattern(3));
  }

  /** The piece of the requester's memory that `what` says. */
  piece(what: string, bytes: number): IbSge {
    const { a } = this.rig;
    if (what === 'anywhere') return { addr: 0, length: bytes, lkey: a.pd.localDmaLkey };
    const place = placed(what, LOCAL.iova, bytes);
    const others: Readonly<Record<string, () => IbMr>> = {
      'other-pd': () => region(outcomeValue(ibAllocPd(a.device)), LOCAL, IbAccess.LOCAL_WRITE),
      'read-only': () => region(a.pd, LOCAL, 0),
    };
    const mr = others[what]?.();
    return { addr: place, length: bytes, lkey: keyed(what, (mr ?? this.local).lkey) };
  }

  /** The place in the responder's memory that `what` says. */
  place(what: string, bytes: number, access: number): { readonly remoteAddr: number; readonly rkey: number } {
    const mr =
      what === 'other-pd' ? region(outcomeValue(ibAllocPd(this.rig.b.device)), REMOTE, access) : this.remote;
    return { remoteAddr: placed(what, REMOTE.iova, bytes), rkey: keyed(what, mr.rkey) };
  }

  /** A request of `opcode`, with what atomics need. */
  request(
    wrId: number,
    opcode: IbWrOpcode,
    piece: IbSge,
    place: { remoteAddr: number; rkey: number },
  ): IbSendWr {
    return {
      wrId,
      opcode,
      sgList: piece.length === 0 ? [] : [piece],
      ...place,
      compareAdd: opcode === 'atomic-cmp-and-swp' ? this.#word(REMOTE.phys) : 1n,
      swap: 5n,
      sendFlags: { signaled: true },
    };
  }

  post(...requests: readonly IbSendWr[]): number {
    return ibPostSend(this.requester, requests);
  }

  /** The responder takes messages into its inbox; `bad`: by a key that is none. */
  receive(bad = false): void {
    const lkey = bad ? this.inbox.lkey + 1 : this.inbox.lkey;
    ibPostRecv(this.responder, [{ wrId: 9, sgList: [{ addr: INBOX.iova, length: REGION, lkey }] }]);
  }

  /** Runs until nothing moves; statuses of the requester's requests. */
  settle(): number[] {
    const wcs: IbWc[] = [];
    this.rig.scheduler.run();
    ibPollCq(this.rig.a.cq, 64, wcs);
    return wcs.filter(({ wrId }) => wrId !== 9).map(({ status }) => status);
  }

  /** Everything that a request could change. */
  get memory(): string {
    return [LOCAL, REMOTE, INBOX].map(({ phys }) => this.rig.bytesAt(phys, REGION).join(' ')).join('\n');
  }

  get states(): readonly [RdmaQpState, RdmaQpState] {
    return [this.requester.state, this.responder.state];
  }

  #word(phys: number): bigint {
    return new DataView(this.rig.bytesAt(phys, 8).buffer).getBigUint64(0, true);
  }

  #pair({ pd, cq }: VerbsSide, { type }: PairOptions, listens: boolean): IbQp {
    const eventHandler = (event: RdmaAsyncEvent): void => {
      this.events.push(event);
    };
    return outcomeValue(
      ibCreateQp(pd, { ...initAttr(cq), qpType: type, ...(listens ? { eventHandler } : {}) }),
    );
  }

  #connect(qp: IbQp, peer: VerbsSide, to: IbQp, options: PairOptions, dead: boolean): void {
    const { type, rnrRetry = 7, retryCnt = 7, pairRights } = options;
    const reliable = type === 'rc';
    const destination = dead ? 0x77 : peer.device.nic.address;
    const steps = [
      { qpState: 'init', pkeyIndex: 0, portNum: 1, qpAccessFlags: pairRights },
      {
        qpState: 'rtr',
        av: { destination },
        pathMtu: 1024,
        destQpNum: to.qpNum,
        rqPsn: 0,
        ...(reliable ? { maxDestRdAtomic: 4, minRnrTimer: 1 } : {}),
      },
      { qpState: 'rts', sqPsn: 0, ...(reliable ? { timeout: 5, retryCnt, rnrRetry, maxRdAtomic: 4 } : {}) },
    ] as const;
    for (const attr of steps) if (ibModifyQp(qp, attr) !== 0) throw new Error(`no ${attr.qpState}`);
  }
}

function region(pd: IbPd, { iova, phys }: typeof LOCAL, access: number): IbMr {
  const spec = { iova, length: REGION, access, pageSize: 4096, blocks: [dmaAddr(phys)] };
  return outcomeValue(registerRegion(pd, spec));
}

/** An address in, at the end of, or outside a region. */
function placed(what: string, first: number, bytes: number): number {
  const offsets: Readonly<Record<string, number>> = {
    last: REGION - bytes,
    below: -1,
    beyond: REGION - bytes + 1,
    far: 2 ** 40,
  };
  return first + (offsets[what] ?? 0);
}

function keyed(what: string, key: number): number {
  if (what === 'stale') return Math.floor(key / 256) * 256 + ((key + 1) & 0xff);
  return what === 'unknown' ? 0x7ffff00 : key;
}

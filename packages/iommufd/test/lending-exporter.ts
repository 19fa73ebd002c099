// An exporter of ranges of a BAR with an offer for every door, which counts what it lends and takes it back as VFIO does: it
// refuses, tells, and waits until everything was returned.
// Source followed: the VFIO exporter (drivers/vfio/pci/vfio_pci_dmabuf.c) and the RFC's conversion of it.
// Simplified: no memory lock; nobody else uses the memory, so there are no fences.

import {
  convertedExporterMatch,
  type DmaBuf,
  type DmaBufAttachment,
  type DmaBufMappingMatch,
  type DmaBufMappingPalExpOps,
  type DmaBufPhysList,
  dmaBufFd,
  dmaBufInvalidateMappings,
  dmaBufMappingAttach,
  dmaBufMappingExport,
  dmaBufMatchMapping,
  dmaResvLock,
  dmaResvUnlock,
  domainImporterMatch,
  type PhysVec,
  palExporterMatch,
  vfioIommufdInterconnect,
} from '@sgfree/dma-buf';
import { palImporterMatch } from '@sgfree/dma-buf/iommufd';
import { sgtExporterMatch } from '@sgfree/dma-buf/sgt';
import { type ModelTask, TaskCompletion, type YieldPoint } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import type { IommufdDoor, IommufdInterconnect, IommufdPlatform } from '../src/index.ts';

const ASKED: YieldPoint = { at: 'lender:asked' };

/** How a lender departs from what it has to do. */
export type LenderManners =
  | 'good'
  | 'tells-before-it-refuses'
  | 'does-not-tell'
  | 'loses-a-return'
  | 'tells-without-the-lock';

/** What a lender did for its importers. */
export interface LenderCounters {
  attached: number;
  lists: number;
  interconnects: number;
}

/** A buffer and its owner. */
export class LendingExporter {
  readonly dmabuf: DmaBuf<unknown>;
  readonly fd: number;
  readonly physVec: readonly PhysVec[];
  readonly counters: LenderCounters = { attached: 0, lists: 0, interconnects: 0 };
  readonly matches: DmaBufMappingMatch[] = [];
  /** Called after an importer was let in. */
  onAttached: () => void = () => {};
  revoked = false;
  /** True after taking the memory back has returned, until it is given out again. */
  taken = false;
  /** What is lent, and one for the buffer. */
  kref = 1;
  readonly done: TaskCompletion = new TaskCompletion('what is lent');
  readonly #manners: LenderManners;

  constructor(
    { dmaBufs }: IommufdPlatform,
    physVec: readonly PhysVec[],
    offers: readonly IommufdDoor[] = ['interconnect', 'pal', 'converter'],
    manners: LenderManners = 'good',
    size: number = physVec.reduce((sum, { len }) => sum + len, 0),
  ) {
    this.physVec = physVec;
    this.#manners = manners;
    const { matches } = this;
    matches.push(...offers.map((door) => this.#offer(door)));
    const exported = dmaBufMappingExport(dmaBufs, {
      ...{ expName: 'lender', size, priv: this },
      ops: {
        attach: (_, attach) => this.#attach(attach),
        *release() {},
        *matchMapping(args) {
          yield ASKED;
          return dmaBufMatchMapping(args, matches);
        },
      },
    });
    if (!exported.ok) throw new Error('no buffer');
    this.dmabuf = exported.value;
    this.fd = dmaBufFd(this.dmabuf, 0);
  }

  /** Takes the memory back; returns when nothing of it is used any more. */
  *take(): ModelTask<void> {
    const { dmabuf } = this;
    const manners = this.#manners;
    if (manners === 'tells-without-the-lock') {
      this.revoked = true;
      yield* dmaBufInvalidateMappings(dmabuf);
    } else {
      yield* dmaResvLock(dmabuf.resv);
      if (manners !== 'tells-before-it-refuses') this.revoked = true;
      if (manners !== 'does-not-tell') yield* dmaBufInvalidateMappings(dmabuf);
      dmaResvUnlock(dmabuf.resv);
    }
    yield { at: 'lender:told' };
    this.revoked = true;
    this.put();
    yield* this.done.wait();
    this.kref = 1;
    this.done.reinit();
    this.taken = true;
  }

  /** Gives the memory out again; importers are told, with the memory still refused. */
  *giveOut(): ModelTask<void> {
    const { dmabuf } = this;
    yield* dmaResvLock(dmabuf.resv);
    yield* dmaBufInvalidateMappings(dmabuf);
    this.revoked = false;
    this.taken = false;
    dmaResvUnlock(dmabuf.resv);
  }

  /** Adds the offer that importers of tables find; none is ever made. */
  acceptOldImporters(): void {
    const refuse = function* (): ModelTask<Outcome<never>> {
      yield ASKED;
      return failure(Errno.EOPNOTSUPP);
    };
    this.matches.push(sgtExporterMatch({ mapDmaBuf: refuse, *unmapDmaBuf() {} }, null));
  }

  /** Attaches somebody who runs `told` when the memory is taken back; 0 or a negative errno. */
  *watch(told: () => ModelTask<void>): ModelTask<number> {
    const offers = [palImporterMatch, vfioIommufdInterconnect.importerMatch, domainImporterMatch];
    const ops = { allowPeer2peer: true, invalidateMappings: told };
    const attached = yield* dmaBufMappingAttach(this.dmabuf, offers, ops, null);
    return attached.ok ? 0 : -attached.errno;
  }

  put(): void {
    this.kref -= 1;
    if (this.kref === 0) this.done.complete();
  }

  *#attach(_attach: DmaBufAttachment<unknown>): ModelTask<number> {
    yield ASKED;
    if (this.revoked) return -Errno.ENODEV;
    this.counters.attached += 1;
    this.onAttached();
    return 0;
  }

  #offer(door: IommufdDoor): DmaBufMappingMatch {
    if (door === 'pal') return palExporterMatch(this.#lists);
    if (door === 'converter') return convertedExporterMatch(this.#lists);
    return vfioIommufdInterconnect.exporterMatch({ iommufdMap: () => this.oneRange() });
  }

  /** The one range, as VFIO's interconnect tells it. */
  oneRange(): Outcome<PhysVec> {
    this.counters.interconnects += 1;
    const [range] = this.physVec;
    if (this.revoked) return failure(Errno.ENODEV);
    return range === undefined || this.physVec.length > 1 ? failure(Errno.EOPNOTSUPP) : success({ ...range });
  }

  get #lists(): DmaBufMappingPalExpOps {
    return { mapPhys: (attach) => this.#mapPhys(attach), unmapPhys: () => this.#unmapPhys() };
  }

  *#mapPhys({ dmabuf }: DmaBufAttachment<DmaBufPhysList>): ModelTask<Outcome<DmaBufPhysList>> {
    yield { at: 'lender:map-phys' };
    if (this.revoked) return failure(Errno.ENODEV);
    if (!dmabuf.platform.allocate(8 + this.physVec.length * 16)) return failure(Errno.ENOMEM);
    this.counters.lists += 1;
    this.kref += 1;
    return success({ phys: this.physVec.map((range) => ({ ...range })) });
  }

  *#unmapPhys(): ModelTask<void> {
    yield { at: 'lender:unmap-phys' };
    if (this.#manners !== 'loses-a-return') this.put();
  }
}

/** The lender's interconnect as 7.3.4 would find it. */
export const lenderInterconnect: IommufdInterconnect = ({ dmabuf }) => {
  const { priv } = dmabuf;
  return priv instanceof LendingExporter ? priv.oneRange() : failure(Errno.EOPNOTSUPP);
};

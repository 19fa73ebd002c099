// A machine for tests of memory registration: a process, an RDMA device on the direct map or behind an IOMMU domain, a peer
// that reads and writes through keys, and an exporter of dma-bufs with scattered pages.
// Simplified: the NICs of the rig do DMA on bus addresses; behind the domain blocks are checked by translating them.

import {
  type DmaBuf,
  DmaBufPlatform,
  dmaBufFd,
  dmaBufInvalidateMappings,
  dmaResvLock,
  dmaResvUnlock,
} from '@sgfree/dma-buf';
import { type DmaBufOps, dmaBufExport } from '@sgfree/dma-buf/stage-6';
import {
  type Device,
  DmaPlatform,
  dmaBitMask,
  dmaSetMask,
  iommuGetDmaCookie,
  iommuSetupDmaOps,
  pciDevice,
} from '@sgfree/dma-core';
import { dmaMapSgtable, dmaUnmapSgtable, SgTable, sgAllocTableFromPages, sgFreeTable } from '@sgfree/dma-sg';
import { type DmaAddr, type ModelTask, PAGE_SIZE, type PhysAddr, physAddr } from '@sgfree/hw-model';
import { iommuIovaToPhys, PageTable, PagingDomain, VtdSecondStageFormat } from '@sgfree/iommu';
import { type Errno, FrameAllocator, failure, PageAllocator, ProcessMemory, success } from '@sgfree/mm';
import {
  type IbCq,
  IbDevice,
  type IbPd,
  type IbQp,
  ibAllocPd,
  ibCreateCq,
  ibCreateQp,
} from '../src/index.ts';
import { connect, initAttr, outcomeValue, VerbsRig } from './verbs-rig.ts';

const MIB = 2 ** 20;

export interface UmemMachineOptions {
  readonly iommu?: boolean;
  readonly seed?: number;
  readonly rlimitMemlock?: number;
  /** Importers get copies of the exporter's tables; default true. */
  readonly debugTables?: boolean;
}

export class UmemMachine {
  readonly rig: VerbsRig;
  readonly mm: ProcessMemory;
  readonly pages: PageAllocator;
  readonly tables: FrameAllocator;
  readonly domain: PagingDomain;
  readonly dev: Device;
  readonly device: IbDevice;
  readonly pd: IbPd;
  readonly cq: IbCq;
  readonly qp: IbQp;
  readonly dmaBufs: DmaBufPlatform;
  /** Allocations still allowed before one fails, -1 = never. */
  failAfter = -1;

  constructor(options: UmemMachineOptions = {}) {
    const { iommu = false, seed = 1 } = options;
    this.rig = new VerbsRig({ seed });
    const { memory, scheduler, log } = this.rig;
    this.pages = new PageAllocator(memory, { base: physAddr(8 * MIB), bytes: 32 * MIB });
    this.tables = new FrameAllocator(memory, { base: physAddr(48 * MIB), bytes: 8 * MIB });
    this.mm = new ProcessMemory({
      memory,
      pages: this.pages,
      scheduler,
      rlimitMemlock: options.rlimitMemlock ?? 16 * MIB,
    });
    this.dev = pciDevice({ name: 'nic', platform: new DmaPlatform({ memory, log }) });
    this.domain = new PagingDomain({
      table: new PageTable({
        format: new VtdSecondStageFormat({ flushRange: true }),
        memory,
        frames: this.tables,
        vaBits: 48,
      }),
      type: 'dma',
      log,
      ops: {
        iotlbSync: () => log.post({ kind: 'test:iotlb' }),
        flushIotlbAll: () => undefined,
        iotlbSyncMap: null,
      },
    });
    iommuSetupDmaOps(this.dev, iommu ? this.domain : null);
    dmaSetMask(this.dev, dmaBitMask(64));
    const allocate = (): boolean => this.#allowed();
    this.device = new IbDevice(this.rig.a.device.nic, { dmaDevice: this.dev, log, allocate });
    this.pd = outcomeValue(ibAllocPd(this.device));
    this.cq = outcomeValue(ibCreateCq(this.device, 64));
    this.qp = outcomeValue(ibCreateQp(this.pd, initAttr(this.cq)));
    const mine = { ...this.rig.a, device: this.device, pd: this.pd, cq: this.cq, qp: this.qp };
    const peer = { ...this.rig.b, qp: outcomeValue(ibCreateQp(this.rig.b.pd, initAttr(this.rig.b.cq))) };
    connect(mine, peer);
    connect(peer, mine);
    this.peerQp = peer.qp;
    const { debugTables = true } = options;
    this.dmaBufs = new DmaBufPlatform({ scheduler, log, allocate, debugTables });
  }

  readonly peerQp: IbQp;

  do<T>(body: ModelTask<T>): T {
    return this.rig.scheduler.runTask('test', body);
  }

  /** What registrations may leave behind: pinned pages, leaf entries, IOVA ranges, users of the domain, references. */
  get leftovers(): number[] {
    let pins = 0;
    for (const { folio } of new Set(this.mm.ptes.values())) pins += folio.pins;
    const live = this.dev.dmaIommu ? iommuGetDmaCookie(this.domain).iovad.liveRanges : 0;
    return [this.mm.pinnedVm, pins, this.domain.table.liveLeafEntries, live, this.pd.usecnt, this.mm.count];
  }

  /** Bytes at DMA address `address` as the device would reach them. */
  deviceBytes(address: DmaAddr, bytes: number): Uint8Array {
    const at: PhysAddr = this.dev.dmaIommu
      ? physAddr(iommuIovaToPhys(this.domain, address))
      : physAddr(address);
    return this.rig.bytesAt(at, bytes);
  }

  /** Exports `frames` through scatterlists; its descriptor. */
  export(
    frames: Float64Array,
    own: Partial<DmaBufOps<SgTable>> = {},
  ): { dmabuf: DmaBuf<SgTable>; fd: number; maps: () => number } {
    let maps = 0;
    const counted = {
      mapped: (by: number): void => {
        maps += by;
      },
    };
    const ops = { ...exporterOps(frames, counted.mapped), ...own };
    const size = frames.length * PAGE_SIZE;
    const dmabuf = outcomeValue(
      dmaBufExport<SgTable>(this.dmaBufs, { expName: 'test', ops, size, priv: {} }),
    );
    return { dmabuf, fd: dmaBufFd(dmabuf, 0), maps: () => maps };
  }

  *invalidate(dmabuf: DmaBuf<SgTable>): ModelTask<void> {
    yield* dmaResvLock(dmabuf.resv);
    yield* dmaBufInvalidateMappings(dmabuf);
    dmaResvUnlock(dmabuf.resv);
  }

  #allowed(): boolean {
    if (this.failAfter === 0) return false;
    if (this.failAfter > 0) this.failAfter -= 1;
    return true;
  }
}

function exporterOps(frames: Float64Array, mapped: (by: number) => void): DmaBufOps<SgTable> {
  return {
    *mapDmaBuf(attach, dir) {
      yield { at: 'exporter:map' };
      const sgt = new SgTable();
      const error =
        sgAllocTableFromPages(sgt, frames, frames.length, 0, frames.length * PAGE_SIZE) ||
        dmaMapSgtable(attach.dev, sgt, dir, {});
      if (error !== 0) {
        sgFreeTable(sgt);
        return failure(-error as Errno);
      }
      mapped(1);
      return success(sgt);
    },
    *unmapDmaBuf(attach, sgt, dir) {
      yield { at: 'exporter:unmap' };
      dmaUnmapSgtable(attach.dev, sgt, dir, {});
      sgFreeTable(sgt);
      mapped(-1);
    },
    *release() {
      yield { at: 'exporter:release' };
    },
  };
}

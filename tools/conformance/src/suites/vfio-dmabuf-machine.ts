// VfioDmaBufMachine: the machine behind a file of recorded VFIO and iommufd calls: the booted topology, an exporter in the
// hands of VFIO, an importer behind a VT-d unit, and one open iommufd context that both are bound to.
// Field meanings: vectors/kernel/README.md, section vfio. Which function exports is told by pairs.txt beside the file, the
// width of the unit's addresses by the emulator's command line in RUN.txt.
// Simplified: one unit in front of both devices.

import { DmaBufPlatform } from '@sgfree/dma-buf';
import { Device, DmaPlatform } from '@sgfree/dma-core';
import { SgHeap } from '@sgfree/dma-sg';
import {
  addOffset,
  EventLog,
  frameOf,
  hex,
  type ModelTask,
  type PhysAddr,
  PhysicalMemory,
  physAddr,
  physOfFrame,
  Scheduler,
} from '@sgfree/hw-model';
import { type IntelIommu, type PagingDomain, VtdSecondStageFormat } from '@sgfree/iommu';
import {
  type IommufdContext,
  type IommufdDevice,
  IommufdPlatform,
  IommufdProcess,
  iommufdDeviceDetach,
  iommufdDeviceUnbind,
  iommufdFopsOpen,
  VtdBoundDevice,
} from '@sgfree/iommufd';
import { FrameAllocator, PageAllocator, ProcessMemory, vmMunmap } from '@sgfree/mm';
import { P2pPlatform, PageRoutes, type PciDev, pcimP2pdmaInit } from '@sgfree/p2p';
import { VfioPciDevice, vfioPciCoreEnable, vfioPciDmaBufIommufdMap } from '@sgfree/vfio-dmabuf';
import { vfioSgtMapping } from '@sgfree/vfio-dmabuf/stage-6';
import { MalformedValue, read } from '../recorded-value.ts';
import { BrokenHeader, type FileContext, type JsonRecord } from '../suite.ts';
import { busAddress } from './recorded-device.ts';
import { recordedFabric } from './recorded-fabric.ts';
import { recordedTopology } from './recorded-topology.ts';
import { recordedVtdUnit } from './recorded-vtd-unit.ts';

const PAGE = 4096;
/** The user's memory, wherever its frames were. */
const RAM = { base: physAddr(0), bytes: 2 ** 40 };
/** Tables of the unit; above all frames that a record names. */
const TABLES = { base: physAddr(2 ** 44), bytes: 2 ** 32 };
const BARS = 6;
const COMMAND = 4;
/** I/O, memory, bus master, parity, SERR and INTx disable: what a function lets software write. */
const COMMAND_BITS = 0x547;
const PAGE_SIZES = 0x40201000;
/** The emulator's default width. */
const DEFAULT_WIDTH = 39;

/** The exporter that stands beside `importer` in pairs.txt, in the line with the number of the file if it has one. */
export function exporterOf(importer: string, context: FileContext | undefined): string {
  const text = context?.readInput('pairs.txt') ?? '';
  const pairs = [...text.matchAll(/^pair exporter=(\S+) importer=(\S+)/gm)];
  const numbered = pairs[Number(/_(\d+)$/.exec(context?.stem ?? '')?.[1] ?? -1)];
  const pair = numbered?.[2] === importer ? numbered : pairs.find(([, , other]) => other === importer);
  if (pair?.[1] === undefined) throw new BrokenHeader(`pairs.txt names no exporter for ${importer}`);
  return pair[1];
}

const addressWidth = (context: FileContext | undefined): number =>
  Number(
    /-device\s+intel-iommu\S*\baw-bits=(\d+)/.exec(context?.readInput('RUN.txt') ?? '')?.[1] ?? DEFAULT_WIDTH,
  );

/** BARs that a driver claims: all that have an address, those of I/O ports too. */
function claimedBars(name: string, context: FileContext | undefined): number[] {
  const rows = (context?.readInput('topo/pci_resources.txt') ?? '').split('\n');
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter(([bdf]) => bdf === name)
    .slice(0, BARS)
    .flatMap(([, , , flags], bar) => (Number(flags ?? 0) === 0 ? [] : [bar]));
}

/** The machine. */
export class VfioDmaBufMachine {
  readonly ctx: IommufdContext;
  readonly vdev: VfioPciDevice;
  readonly importerName: string;
  readonly exporter: VtdBoundDevice;
  readonly importer: VtdBoundDevice;
  readonly mm: ProcessMemory;
  readonly platform: DmaBufPlatform;
  readonly #memory = new PhysicalMemory();
  readonly #scheduler = new Scheduler();
  readonly #log = new EventLog();
  readonly #iommu: IntelIommu;

  constructor(header: JsonRecord, context: FileContext | undefined) {
    this.importerName = read(header, 'importer', busAddress);
    this.#memory.addRam(RAM.base, RAM.bytes);
    this.#memory.addRam(TABLES.base, TABLES.bytes);
    const scheduler = this.#scheduler;
    this.platform = new DmaBufPlatform({ scheduler, log: this.#log });
    this.#iommu = this.#unit(context);
    const dma = new DmaPlatform({ memory: this.#memory, log: this.#log });
    const devOf = this.#topology(context, dma);
    const pdev = devOf(exporterOf(this.importerName, context));
    this.vdev = this.#vfioDevice(pdev, claimedBars(pdev.name, context));
    this.exporter = this.#bound(pdev);
    this.importer = this.#bound(devOf(this.importerName));
    const pages = new PageAllocator(this.#memory, { base: TABLES.base, bytes: PAGE });
    this.mm = new ProcessMemory({ memory: this.#memory, pages, scheduler, capIpcLock: true });
    const iommufd = new IommufdPlatform({
      dmaBufs: this.platform,
      device: new Device({ name: 'iommu', platform: dma }),
      interconnects: [vfioPciDmaBufIommufdMap],
    });
    this.ctx = iommufdFopsOpen({ platform: iommufd, process: new IommufdProcess(this.mm) });
  }

  run<T>(task: ModelTask<T>): T {
    return this.#scheduler.runTask('recorded call', task);
  }

  /** Puts the recorded frames behind user addresses. A page may have got another frame since, but not while it is pinned. */
  showUserPages(userVa: number, phys: readonly PhysAddr[]): void {
    const changed = phys.flatMap((address, at) => {
      const [page, frame] = [userVa / PAGE + at, frameOf(address)];
      const before = this.mm.ptes.get(page);
      if (before !== undefined && before.frame !== frame && before.folio.pins > 0) {
        const pinned = `${hex(physOfFrame(before.frame))}, where the page is pinned`;
        throw new MalformedValue(`phys[${at}]`, hex(address), pinned);
      }
      return before?.frame === frame ? [] : [{ page, frame, isMoved: before !== undefined }];
    });
    for (const { page, frame, isMoved } of changed) {
      if (isMoved) this.run(vmMunmap(this.mm, page * PAGE, PAGE));
      this.mm.mmapFrames('anonymous', [frame], { at: page * PAGE });
    }
  }

  /** What the importer's DMA goes through; null before it is attached. */
  get importerDomain(): PagingDomain | null {
    return this.importer.domain?.domain ?? null;
  }

  /** Closes everything: what is left of objects, domains of the unit, buffers and pinned pages. */
  close(devices: readonly IommufdDevice[], fds: readonly number[]): readonly number[] {
    for (const device of devices) {
      this.run(iommufdDeviceDetach(device));
      this.run(iommufdDeviceUnbind(device));
    }
    this.run(this.ctx.release());
    for (const fd of fds) this.run(this.platform.files.close(fd));
    return [this.ctx.objects.size, this.#iommu.liveDomainIds, this.platform.buffers.size, this.mm.pinnedVm];
  }

  #unit(context: FileContext | undefined): IntelIommu {
    const frames = new FrameAllocator(this.#memory, { base: addOffset(TABLES.base, PAGE), bytes: 2 ** 30 });
    const format = new VtdSecondStageFormat({ flushRange: true });
    const shape = { format, vaBits: addressWidth(context), pgsizeBitmap: PAGE_SIZES };
    return recordedVtdUnit(shape, context, { memory: this.#memory, frames, log: this.#log });
  }

  #topology(context: FileContext | undefined, dma: DmaPlatform): (name: string) => PciDev {
    const { functions, cpu } = recordedTopology(context);
    const fabric = recordedFabric(functions);
    const p2p = new P2pPlatform({ hosts: fabric.hosts, cpu, frames: dma.frames, log: this.#log });
    dma.p2p = new PageRoutes(p2p);
    return (name) => {
      const fn = fabric.functions.get(name);
      if (fn === undefined) throw new BrokenHeader(`the machine beside the file has no function ${name}`);
      return p2p.devOf(fn);
    };
  }

  #vfioDevice(pdev: PciDev, claimedBars: readonly number[]): VfioPciDevice {
    pcimP2pdmaInit(pdev);
    // Recorded bytes are read-only until the hardware says otherwise.
    pdev.fn.config.permit(COMMAND, 2, COMMAND_BITS);
    const mapping = vfioSgtMapping({ sgArrays: new SgHeap() });
    const vdev = new VfioPciDevice({ platform: this.platform, pdev, mapping, claimedBars });
    this.run(vfioPciCoreEnable(vdev));
    return vdev;
  }

  #bound({ fn, name }: PciDev): VtdBoundDevice {
    return new VtdBoundDevice({ name, iommu: this.#iommu, requesterId: fn.requesterId });
  }
}

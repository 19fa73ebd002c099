// The peer scenario: one list of I/Os with its data in a peer's BAR, run by one stage's driver on a site of its own.
// Source followed: the project's design; the kernel decides the route, the fabric takes it, and both are compared.
// Simplified: base pages only: a zone-device page is never part of a huge one.

import { type DmaDebug, dmaDebugDeviceChange } from '@sgfree/dma-core';
import {
  Clock,
  EventLog,
  NvmeController,
  PAGE_SIZE,
  type PhysAddr,
  PhysicalMemory,
  Scheduler,
} from '@sgfree/hw-model';
import { PageFrames } from '@sgfree/mm';
import { P2pPlatform, STRUCT_PAGE_BYTES } from '@sgfree/p2p/stage-2';
import { BLOCK_BYTES, mediumFor } from './io-data.ts';
import type { IoRecord } from './io-record.ts';
import { IoRun, type RunTally } from './io-run.ts';
import type { MachineObserver } from './machine-observer.ts';
import { DISK_BYTES } from './machine-shape.ts';
import { NvmeMachine } from './nvme-machine.ts';
import { PeerBuffers } from './peer-buffers.ts';
import type { PeerMemory, PeerMemoryLayer } from './peer-memory.ts';
import type { PeerReport } from './peer-report.ts';
import type { PeerSite, PeerSiteBuilder } from './peer-site.ts';
import { bridgeWindowsOf, dmaRangesOf, hostRulesOf, PeerSiteError } from './peer-site.ts';
import { buildReport } from './report-builder.ts';
import type { StageIdentity } from './scenario.ts';
import type { StageReport } from './stage-report.ts';
import type { StackHooks, StorageStack } from './storage-stack.ts';
import { untranslatedWay } from './untranslated-way.ts';
import { WorkLedger } from './work-ledger.ts';

/**
 * What a stage is run on when the data lies in a peer's BAR.
 * @public
 */
export interface PeerInput {
  /** Buffers anywhere in memory: each page of them becomes a page of the BAR. */
  readonly ios: readonly IoRecord[];
  /** Seed of the data and of the order of events. */
  readonly seed: number;
  readonly site: PeerSiteBuilder;
  /** True: an IOMMU in strict mode translates every device; false: none does. */
  readonly iommu: boolean;
  /** Gets the kernel's events while it is enabled. */
  readonly log?: EventLog;
  /** Watches every DMA API call, and every access of the disk that a unit translates. */
  readonly debug?: DmaDebug;
  /** Breaks one thing on purpose: `forced-bus-address` hands out bus addresses whatever the route is. */
  readonly plant?: 'forced-bus-address';
  /** Called after each I/O with the number done. */
  readonly onIo?: (done: number) => void;
  /** Looks at the machine from its first request on. */
  readonly observe?: MachineObserver;
}

/**
 * Builds the driver of a stage for a machine and a peer's memory.
 * @internal
 */
export type PeerStackBuilder<Memory extends PeerMemory> = (
  machine: NvmeMachine,
  hooks: StackHooks,
  memory: Memory,
) => StorageStack;

/** Runs `input` with the memory that `layer` opens and the driver that `build` makes. @internal */
export function runPeerScenario<Memory extends PeerMemory>(
  identity: StageIdentity,
  input: PeerInput,
  layer: PeerMemoryLayer<Memory>,
  build: PeerStackBuilder<Memory>,
): StageReport {
  const scheduler = new Scheduler({ seed: input.seed });
  const settled = settle(input, scheduler);
  const { machine } = settled;
  const memory = openMemory(settled, layer, input.plant !== undefined);
  const buffers = new PeerBuffers(input.ios, memory.capacity);
  const ios = buffers.at(takePages(buffers, memory, settled));
  const ledger = new WorkLedger(() => machine.sampleWork());
  const stack = build(machine, ledger, memory);
  ledger.stack = stack;
  const expectsRefusal = memory.mapType === 'not-supported';
  const run = new IoRun({ ...input, ios, backing: 'base-pages', expectsRefusal }, machine, stack);
  const started = machine.sampleWork();
  scheduler.runTask('run', run.all());
  if (input.debug !== undefined) dmaDebugDeviceChange(machine.dev);
  memory.give();
  const peer = peerReportOf(settled, memory, buffers, run.tally);
  const p2pmemBlocks = memory.liveBlocks;
  if (!memory.release()) run.note('teardown', -1, 'the peer could not take its memory back');
  const { tally } = run;
  const done = { ...input, ios };
  return buildReport({ identity, input: done, machine, stack, ledger, tally, started, peer, p2pmemBlocks });
}

/** A booted machine on the input's site. */
interface Settled {
  readonly machine: NvmeMachine;
  readonly site: PeerSite;
  readonly platform: P2pPlatform;
}

function settle(input: PeerInput, scheduler: Scheduler): Settled {
  const memory = new PhysicalMemory();
  const clock = new Clock();
  const log = input.log ?? new EventLog();
  const medium = mediumFor(input.seed, DISK_BYTES / BLOCK_BYTES);
  const site = input.site({
    memory,
    clock,
    log,
    plugDisk: (fabric, under, spec = {}) => new NvmeController(fabric, under, { ...spec, scheduler, medium }),
  });
  const { fabric, disk, kernelRam } = site;
  input.observe?.(fabric);
  const { host } = disk.endpoint.bus;
  const frames = new PageFrames();
  const platform = new P2pPlatform({ hosts: fabric.hosts, frames, log, ...hostRulesOf(site) });
  const machine = new NvmeMachine({
    memory,
    clock,
    log,
    fabric,
    controller: disk,
    name: platform.devOf(disk.endpoint).name,
    kernelRam,
    frames,
    bridgeWindows: bridgeWindowsOf(host),
    dmaRanges: input.iommu ? [] : dmaRangesOf(host),
    translated: input.iommu,
    ...(input.debug === undefined ? {} : { debug: input.debug }),
  });
  return { machine, site, platform };
}

const barText = ({ site, platform }: Settled): string =>
  `BAR ${site.bar} of ${platform.devOf(site.target).name}`;

function openMemory<Memory extends PeerMemory>(
  settled: Settled,
  layer: PeerMemoryLayer<Memory>,
  forceBusAddress: boolean,
): Memory {
  const memory = layer({ site: settled.site, platform: settled.platform, forceBusAddress });
  if (typeof memory === 'number') {
    throw new PeerSiteError(`${barText(settled)} cannot be offered to peers: errno ${memory}`);
  }
  settled.machine.dev.platform.p2p = memory.classifier;
  return memory;
}

function takePages({ pages }: PeerBuffers, memory: PeerMemory, settled: Settled): PhysAddr {
  const base = pages === 0 ? null : memory.take(pages * PAGE_SIZE);
  if (base === null) throw new PeerSiteError(`no I/O of the list fits ${barText(settled)}`);
  return base;
}

function peerReportOf(
  { site, platform }: Settled,
  memory: PeerMemory,
  { pages, leftOut }: PeerBuffers,
  { refusals, bytesUntouched }: RunTally,
): PeerReport {
  const { disk, target, bar } = site;
  const { structPageBytes } = memory;
  return {
    initiator: platform.devOf(disk.endpoint).name,
    target: platform.devOf(target).name,
    bar,
    barBytes: target.bar(bar)?.bytes ?? 0,
    mapType: memory.mapType,
    untranslatedWay: untranslatedWay(disk.endpoint, target),
    distance: memory.distance,
    barPagesUsed: pages,
    iosLeftOut: leftOut,
    structPages: structPageBytes / STRUCT_PAGE_BYTES,
    structPageBytes,
    refusals: { ...refusals },
    bytesUntouched,
  };
}

// Blame: reads the events of a trace once and tells, for each IOMMU fault or a given address, whose it was and why.
// Source followed: iommu:io_page_fault, the console lines of AMD-Vi and VT-d, and the mappings that the reconstruction finds.
// Simplified: faults are explained when the trace has moved on past them, at the latest at its end.

import type { TraceTally } from '../reader/trace-tally.ts';
import { IoReconstruction } from '../reconstruct/io-reconstruction.ts';
import type { TraceEvent } from '../trace-event.ts';
import type { BlameStory } from './blame-story.ts';
import { BounceWatch } from './bounce-watch.ts';
import { DeviceKin } from './device-kin.ts';
import { addressOfDigits, type FaultAddress } from './fault-address.ts';
import { FaultGroups } from './fault-groups.ts';
import type { FlushMode } from './flush-watch.ts';
import { FlushWatch } from './flush-watch.ts';
import { MappingHistory } from './mapping-history.ts';
import { MappingWatch } from './mapping-watch.ts';
import { mergedStories } from './merged-stories.ts';
import { fullDeviceName, recordedFault } from './recorded-fault.ts';
import { StoryTeller } from './story-teller.ts';
import { hexText } from './wording.ts';

/**
 * Options of {@link Blame}.
 * @public
 */
export interface BlameOptions {
  /** Ended mappings to remember, in pieces; 1,000,000 by default. */
  readonly history?: number;
  /** Tell of this address, a number or digits of hex (from 2^53 on numbers are not exact; and of faults in its page) instead of all faults. */
  readonly address?: number | string;
  /** Tell of this device only. */
  readonly device?: string;
  /** Groups of faults to explain; 1000 by default. */
  readonly mostFaults?: number;
}

/**
 * What a trace says about its faults.
 * @public
 */
export interface BlameReport {
  readonly stories: readonly BlameStory[];
  /** Faults that were asked for, and those of them beyond the bound: counted, not explained. */
  readonly faults: number;
  readonly notExplained: number;
  /** Faults of other devices and at other addresses than the ones asked for. */
  readonly otherFaults: number;
  readonly historyLimit: number;
  /** Ended mappings that were forgotten. */
  readonly forgotten: number;
  /** Mappings live at the end. */
  readonly liveMappings: number;
  readonly flushMode: FlushMode;
  /** Times are ticks of a clock without seconds: spans are then not told. */
  readonly inTicks: boolean;
}

const DEFAULT_HISTORY = 1_000_000;
const DEFAULT_MOST_FAULTS = 1000;
/** A fault is explained before history is forgotten only when the trace is this far beyond it: 10 ms. */
const SETTLED = 1e7;

/**
 * The reader of faults. Events must come in the order of the trace.
 * @public
 */
export class Blame {
  readonly #options: BlameOptions;
  readonly #device: string;
  readonly #asked: FaultAddress | undefined;
  readonly #history: MappingHistory;
  readonly #watch: MappingWatch;
  readonly #reconstruction: IoReconstruction;
  readonly #groups: FaultGroups;
  readonly #bounces = new BounceWatch();
  readonly #kin = new DeviceKin();
  readonly #flushes = new FlushWatch();
  readonly #teller: StoryTeller;
  #otherFaults = 0;
  #reachedLine = -1;
  #reachedTime = -1;

  constructor(options: BlameOptions = {}) {
    this.#options = options;
    this.#device = fullDeviceName(options.device ?? '');
    const { address } = options;
    this.#asked =
      address === undefined
        ? undefined
        : addressOfDigits(typeof address === 'string' ? address : hexText(address));
    this.#history = new MappingHistory(options.history ?? DEFAULT_HISTORY);
    this.#watch = new MappingWatch(this.#history, this);
    this.#reconstruction = new IoReconstruction(this.#watch, {
      lostSoFar: () => this.#teller.span.lostEvents,
    });
    this.#groups = new FaultGroups(options.mostFaults ?? DEFAULT_MOST_FAULTS);
    this.#teller = new StoryTeller(this.#history, this.#bounces, this.#kin, this.#flushes);
  }

  /** Takes what the reader counted so far: lost events, and what the clock counts. Whoever feeds events calls it now and then. */
  follow({ lostEvents, clock }: Pick<TraceTally, 'lostEvents' | 'clock'>): void {
    this.#teller.span.lostEvents = lostEvents;
    this.#teller.span.inTicks = clock === 'ticks' || clock === 'mixed';
  }

  /** Takes one event; nothing of it is kept but copies. */
  accept(event: TraceEvent): void {
    this.#teller.span.include(event);
    const fault = recordedFault(event);
    if (fault === undefined) {
      this.#observe(event);
      this.#reconstruction.accept(event);
    } else if (this.#isAskedFor(fault.device, fault.address, fault.addressBytes)) this.#groups.add(fault);
    else this.#otherFaults += 1;
  }

  #isAskedFor(device: string, address: number, bytes: number): boolean {
    const asked = this.#asked?.address;
    if (this.#device !== '' && device !== '' && device !== this.#device) return false;
    if (asked === undefined) return true;
    return (
      asked === address ||
      Math.floor(asked / 4096) === Math.floor(address / 4096) ||
      (asked >= address && asked < address + bytes)
    );
  }

  #observe(event: TraceEvent): void {
    const { system } = event;
    if (system === 'dma') this.#observeCall(event);
    else if (system === 'intel_iommu') this.#flushes.accept(event);
    else if (system === 'swiotlb') this.#bounces.bounced(event);
    else if (system === 'iommu') this.#observeTable(event);
  }

  #observeTable(event: TraceEvent): void {
    if (event.name === 'add_device_to_group') this.#kin.joined(event.device, event.group);
    else if (event.name === 'unmap') this.#watch.unmapLine(event);
    if (this.#groups.anyOpen) this.#groups.changed(event.dmaAddr, event.dmaAddr + event.size);
  }

  #observeCall(event: TraceEvent): void {
    const { name, dmaAddr } = event;
    if (name === 'dma_map_sg_err' || (name.startsWith('dma_map') && dmaAddr === -1 && event.ents === 0)) {
      this.#bounces.mappingFailed(event);
    }
    if (dmaAddr >= 0 && this.#groups.anyOpen) this.#groups.changed(dmaAddr, dmaAddr + event.size);
  }

  /** @internal */
  changed(slot: number): void {
    this.#teller.mappingChanged(slot);
    if (!this.#history.overfull) return;
    // What is about to be forgotten may be what a fault needs.
    const due = this.#groups.taken(
      ({ fault }) => fault.line < this.#reachedLine && fault.time + SETTLED < this.#reachedTime,
    );
    this.#teller.tell(due);
    this.#history.forgetOldest();
  }

  /** @internal */
  reached(line: number, time: number): void {
    this.#reachedLine = Math.max(this.#reachedLine, line);
    this.#reachedTime = Math.max(this.#reachedTime, time);
  }

  /** Ends the trace and tells. */
  end(): BlameReport {
    this.#reconstruction.end();
    this.#teller.tell(this.#groups.taken(() => true));
    if (this.#asked !== undefined) this.#teller.tellAsked(this.#asked, this.#device);
    return {
      stories: mergedStories(this.#teller.stories),
      faults: this.#groups.total,
      notExplained: this.#groups.beyond,
      otherFaults: this.#otherFaults,
      historyLimit: this.#options.history ?? DEFAULT_HISTORY,
      forgotten: this.#history.forgotten,
      liveMappings: this.#history.live,
      flushMode: this.#flushes.mode,
      inTicks: this.#teller.span.inTicks,
    };
  }
}

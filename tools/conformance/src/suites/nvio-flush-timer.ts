// NvioFlushTimer: the event log of a lazy disk, which fires the flush timer where the trace of the list says it fired.
// Field meanings: vectors/kernel/README.md, "Lazy mode input". Only the position and CPU of timer flushes enter the model:
// how many `dma_unmap_phys` of the request came before. A flush right behind an `unmap` on its CPU, in the same context,
// is that of a full ring, which the model must find full by itself. What was queued before the list began is in no
// record: when the first flush is that of a ring which this list alone cannot have filled yet, it is an input too.
// Simplified: a timer that fires while another unmapping is under way is put behind it.

import { fqFlushTimeout, type IommuDmaCookie } from '@sgfree/dma-core';
import { EventLog, type ModelEvent } from '@sgfree/hw-model';
import type { NvioOwner } from './nvio-lines.ts';
import type { NvioTraceLine, NvioWindow } from './nvio-trace.ts';

/** A flush of the whole domain that the model is told of. */
interface TimerFlush {
  /** `dma_unmap_phys` lines of the request before it. */
  readonly position: number;
  readonly cpu: number;
}

const WHOLE_DOMAIN = /\bdid (\d+) \[0x0-0xffffffffffffffff\]/;
/** Entries of a ring of 256 that can wait. */
const USABLE_ENTRIES = 255;

/** The flushes of a disk's domain that are inputs, by number of the request. */
export function timerFlushes(
  windows: ReadonlyMap<number, NvioWindow>,
  owner: NvioOwner,
): Map<number, TimerFlush[]> {
  const flushes = new Map<number, TimerFlush[]>();
  const latest = new Map<number, NvioTraceLine>();
  let queued = 0;
  let ringIsKnown = false;
  for (const { k, lines } of windows.values()) {
    const ofRequest: TimerFlush[] = [];
    let position = 0;
    for (const line of lines) {
      const before = latest.get(line.cpu);
      latest.set(line.cpu, line);
      if (line.event === 'dma_unmap_phys' && line.payload.startsWith(`${owner.device} `)) position += 1;
      if (!isWholeFlush(line, owner)) continue;
      const fullTooSoon = !ringIsKnown && queued + position < USABLE_ENTRIES;
      if (!isOfFullRing(line, before) || fullTooSoon) ofRequest.push({ position, cpu: line.cpu });
      ringIsKnown = true;
    }
    queued += position;
    flushes.set(k, ofRequest);
  }
  return flushes;
}

function isWholeFlush({ event, payload }: NvioTraceLine, { domainId }: NvioOwner): boolean {
  const [, flushed] = (event === 'cache_tag_flush_range' ? WHOLE_DOMAIN.exec(payload) : null) ?? [];
  return flushed !== undefined && (domainId === null || Number(flushed) === domainId);
}

const isOfFullRing = (flush: NvioTraceLine, before: NvioTraceLine | undefined): boolean =>
  before?.event === 'unmap' && before.context === flush.context;

/** Keeps events, and fires the timer between them. */
export class NvioFlushTimer extends EventLog {
  readonly #flushes: ReadonlyMap<number, readonly TimerFlush[]>;
  #cookie: IommuDmaCookie | null = null;
  #due: TimerFlush[] = [];
  #position = 0;

  constructor(flushes: ReadonlyMap<number, readonly TimerFlush[]>) {
    super();
    this.#flushes = flushes;
  }

  /** Tells whose timer it is; null: nobody's. */
  watch(cookie: IommuDmaCookie | null): void {
    this.#cookie = cookie;
  }

  /** Before the unmapping of a request: flushes that came before its first `dma_unmap_phys` happen now. */
  begin(k: number): void {
    this.#due = [...(this.#flushes.get(k) ?? [])];
    this.#position = 0;
    this.#fire();
  }

  /** After the unmapping of a request: what is left of its flushes. */
  end(): void {
    this.#position = Number.POSITIVE_INFINITY;
    this.#fire();
  }

  override post(event: ModelEvent): void {
    super.post(event);
    if (event.kind !== 'dma:dma_unmap_phys') return;
    this.#position += 1;
    this.#fire();
  }

  #fire(): void {
    for (
      let next = this.#due[0];
      next !== undefined && next.position <= this.#position;
      next = this.#due[0]
    ) {
      this.#due.shift();
      if (this.#cookie !== null) fqFlushTimeout(this.#cookie, next.cpu);
    }
  }
}

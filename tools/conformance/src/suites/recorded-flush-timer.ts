// RecordedFlushTimer: fires the flush timer of a lazy domain where the kernel's did, which nothing but its trace tells.
// Field meanings: vectors/kernel/README.md, "Lazy mode input": of the trace beside a file only the position and the CPU
// of the lines that flush the whole domain are used. A position is a number of lines of mapping events before it.
// A ring that runs full flushes too and leaves the same line; the model does that by itself, and its line is used up.
// Simplified: a flush between the last line of one call and the first of the next happened before the next; one behind
// the last line of all happened after the tree was printed, which takes place right after the last call.

import { fqFlushTimeout, type IommuDmaCookie } from '@sgfree/dma-core';
import { EventLog, type ModelEvent } from '@sgfree/hw-model';
import type { FileContext, JsonRecord } from '../suite.ts';
import type { RecordedOutput } from './dma-recorded-output.ts';

/** One flush of the whole domain. */
export interface RecordedFlush {
  /** Lines of mapping events before it. */
  readonly position: number;
  readonly cpu: number;
}

const LINE = /\[(\d+)\](?:\s+\S+)?\s+[\d.]+:\s+(\w+):\s+(.*)$/;
const FLUSH_ALL = /\btype iotlb did (\d+) \[0x0-0xffffffffffffffff\]/;
const FIRST_DOMAIN_ID = 2;
/** Events that name no device; the others count for the device of the file only. */
const deviceless = new Set(['map', 'unmap']);
const ofDevice = new Set(['dma_map_phys', 'dma_unmap_phys', 'dma_map_sg', 'dma_unmap_sg']);
const countedKinds = new Set([
  ...[...deviceless].map((name) => `iommu:${name}`),
  ...[...ofDevice].map((name) => `dma:${name}`),
]);

/** The flushes of the file's domain in the trace beside it; none in strict mode or without a trace. */
export function recordedFlushes(header: JsonRecord, context: FileContext | undefined): RecordedFlush[] {
  if (header['domain_type'] !== 11 || context === undefined) return [];
  const trace = context.readInput(`${context.stem}_trace.txt`);
  if (trace === null) return [];
  const device = String(header['dev']);
  return flushesIn(trace, device, domainIdOf(device, context.readInput('topo/iommu_groups.txt')));
}

/** After boot the domain of a group has the id 2 + the group's number; null when the group is not known. */
function domainIdOf(device: string, groups: string | null): number | null {
  for (const line of groups?.split('\n') ?? []) {
    const [, group, devices] = /^group (\d+) .*\bdevices=(.*)$/.exec(line) ?? [];
    if (devices?.split(/[\s,]+/).includes(device)) return FIRST_DOMAIN_ID + Number(group);
  }
  return null;
}

function flushesIn(trace: string, device: string, domainId: number | null): RecordedFlush[] {
  const flushes: RecordedFlush[] = [];
  let position = 0;
  for (const line of trace.split(/\r?\n/)) {
    const [, cpu, event = '', text = ''] = LINE.exec(line) ?? [];
    if (deviceless.has(event) || (ofDevice.has(event) && text.startsWith(`${device} `))) position += 1;
    if (event !== 'cache_tag_flush_range') continue;
    const flushed = FLUSH_ALL.exec(text)?.[1];
    if (flushed === undefined || (domainId !== null && Number(flushed) !== domainId)) continue;
    flushes.push({ position, cpu: Number(cpu) });
  }
  return flushes;
}

/** The event log of a machine, which counts mapping events and fires the timer between them. */
export class RecordedFlushTimer {
  readonly log: EventLog;
  readonly #flushes: readonly RecordedFlush[];
  #cookie: IommuDmaCookie | null = null;
  #position = 0;
  #next = 0;
  #firing = false;
  #unrecorded = 0;

  constructor(flushes: readonly RecordedFlush[]) {
    this.#flushes = flushes;
    this.log = new CountingLog((kind) => this.#count(kind));
    this.log.enabled = flushes.length > 0;
  }

  /** Tells whose timer it is. */
  watch(cookie: IommuDmaCookie): void {
    this.#cookie = cookie;
  }

  /** Before the call of a record: the timer fires as often as it did up to here. A `dump` is no call. */
  advanceTo(record: JsonRecord): void {
    if (record['op'] !== 'dump') this.#advance();
  }

  #advance(): void {
    for (let due = this.#due(); due !== null; due = this.#due()) {
      this.#next += 1;
      this.#fire(due.cpu);
    }
  }

  /** The domain is flushed; unless the timer did it, a ring was full, and that left a line too. */
  noteFlush(): void {
    if (this.#firing || this.#flushes.length === 0) return;
    if (this.#due() === null) this.#unrecorded += 1;
    else this.#next += 1;
  }

  /** The end of a file: every line must have been reached, and a full ring must have had its line. */
  finish(output: RecordedOutput): void {
    this.#advance();
    output.check('flushes of the trace not reached', 0, this.#flushes.length - this.#next);
    output.check('full rings without a flush in the trace', 0, this.#unrecorded);
  }

  #due(): RecordedFlush | null {
    const next = this.#flushes[this.#next];
    return next !== undefined && next.position <= this.#position ? next : null;
  }

  #count(kind: string): void {
    if (!countedKinds.has(kind)) return;
    this.#advance();
    this.#position += 1;
  }

  #fire(cpu: number): void {
    if (this.#cookie === null) return;
    this.#firing = true;
    fqFlushTimeout(this.#cookie, cpu);
    this.#firing = false;
  }
}

/** A log that tells of each event and keeps none. */
class CountingLog extends EventLog {
  readonly #told: (kind: string) => void;

  constructor(told: (kind: string) => void) {
    super();
    this.#told = told;
  }

  override post(event: ModelEvent): void {
    if (this.enabled) this.#told(event.kind);
  }
}

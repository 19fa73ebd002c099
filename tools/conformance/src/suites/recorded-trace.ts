// RecordedTrace: the lines of the trace beside a record file that the file's own calls left.
// Field meanings: vectors/kernel/README.md, section inv. A line that names a device or a domain id belongs to the file
// when that is its own. `map` and `unmap` name neither: they belong to it when the recorder's task wrote them outside
// interrupts; that task is the one that wrote most of the lines with the file's device or domain.
// A flush of the whole domain is written on the CPU that ran it while others go on: its lines are put side by side.
// Simplified: times, tasks and CPUs are not compared; neither are hashed pointers and allocation flags. Events outside the
// README's table count as somebody else's.

import type { FileContext, JsonRecord } from '../suite.ts';
import { comparableText, DOMAIN_DESCRIPTORS, domainIdIn } from './comparable-line.ts';

/** A line that belongs to the file. */
export interface RecordedTraceLine {
  /** Line of the trace, from 1. */
  readonly number: number;
  readonly cpu: number;
  readonly event: string;
  /** `event: payload`, as far as it is comparable. */
  readonly text: string;
  /** Part of a flush of the whole domain. */
  readonly wholeFlush: boolean;
}

/** Whose lines are looked for. */
interface Owner {
  readonly device: string;
  /** Null: not known, every domain counts. */
  readonly domainId: number | null;
}

interface ParsedLine extends RecordedTraceLine {
  readonly task: string;
  readonly inInterrupt: boolean;
  /** Null for lines that name neither a device nor a domain. */
  readonly own: boolean | null;
}

const LINE = /^\s*(.*-\d+)\s+(?:\([\d\s-]+\)\s+)?\[(\d+)\](?:\s+(\S+))?\s+[\d.]+:\s+(\w+):\s(.*)$/;
const INTERRUPT_FLAG = /^..[hHsZz]/;
/** Id of the first paging domain of a unit. */
export const FIRST_DOMAIN_ID = 2;
const NO_DOMAIN = -1;
const GROUP = /^group (\d+) type=(\S*) .*\bdevices=(.*)$/;
const FLUSH = /\btype \w+ did (\d+) \[(\S+)\]/;
const WHOLE_SPACE = '0x0-0xffffffffffffffff';
const QI = /^(\w+) \S+: 0x([0-9a-f]+) /;

/** The name of the trace that belongs to a file. */
export const traceNameOf = (context: FileContext): string => `${context.stem}_trace.txt`;

/**
 * Domain id of the device's domain after boot: 2 + the group's number, because groups get theirs in order, less the
 * groups before it with an identity domain, which takes none. Null when the device is in no listed group.
 */
export function recordedDomainId(device: string, context: FileContext): number | null {
  const groups = (context.readInput('topo/iommu_groups.txt') ?? '').split(/\r?\n/).flatMap((line) => {
    const [, number, type, devices] = GROUP.exec(line) ?? [];
    return number === undefined ? [] : [{ number: Number(number), type, devices: devices?.split(/[\s,]+/) }];
  });
  const own = groups.find(({ devices }) => devices?.includes(device) === true);
  if (own === undefined) return null;
  const identity = groups.filter(({ number, type }) => number < own.number && type === 'identity');
  return FIRST_DOMAIN_ID + own.number - identity.length;
}

/** A trace seen from the file beside it. */
export interface RecordedTrace {
  /** The lines that belong to the file. */
  readonly lines: readonly RecordedTraceLine[];
  /** Lines of events that belong to somebody else. */
  readonly others: number;
  /** Numbers of lines that are neither an event nor a comment, such as the mark of lost events. */
  readonly unreadable: readonly number[];
  /** False when nothing tells which domain id the device has: then no line can be held to one. */
  readonly knowsDomain: boolean;
}

/** The trace of the file with this header. */
export function recordedTrace(header: JsonRecord, context: FileContext, trace: string): RecordedTrace {
  const owner = ownerOf(header, context);
  const numbered = trace.split(/\r?\n/).map((text, index) => ({ text, number: index + 1 }));
  const lines: ParsedLine[] = [];
  const unreadable: number[] = [];
  for (const { text, number } of numbered) {
    if (text.trim() === '' || text.startsWith('#')) continue;
    const line = parse(text, number, owner);
    if (line === null) unreadable.push(number);
    else lines.push(line);
  }
  const recorder = recorderOf(lines);
  const own = lines.filter((line) => line.own ?? (line.task === recorder && !line.inInterrupt));
  const knowsDomain = owner.domainId !== null;
  return { lines: sideBySide(own), others: lines.length - own.length, unreadable, knowsDomain };
}

function ownerOf(header: JsonRecord, context: FileContext): Owner {
  const device = String(header['dev']);
  // A domain that is attached to nothing has no id, and a device that is not translated has no domain.
  const isAttached = header['suite'] !== 'hwdom' && header['domain_type'] !== null;
  return { device, domainId: isAttached ? recordedDomainId(device, context) : NO_DOMAIN };
}

/** Null for a line without an event. */
function parse(line: string, number: number, owner: Owner): ParsedLine | null {
  const [, task, cpu, flags = '', event = '', payload = ''] = LINE.exec(line) ?? [];
  if (task === undefined) return null;
  const own = ownership(event, payload, owner);
  const inInterrupt = INTERRUPT_FLAG.test(flags);
  const text = comparableText(`${event}: ${payload}`, owner.domainId !== null);
  const wholeFlush = event === 'cache_tag_flush_range' && FLUSH.exec(payload)?.[2] === WHOLE_SPACE;
  return { number, cpu: Number(cpu), event, text, wholeFlush, task, inInterrupt, own };
}

/** Whether a line is the file's; null when it does not say. */
function ownership(event: string, payload: string, owner: Owner): boolean | null {
  if (event === 'map' || event === 'unmap') return null;
  if (event.startsWith('dma_')) return payload.startsWith(`${owner.device} `);
  if (event === 'swiotlb_bounced') return payload.startsWith(`dev_name: ${owner.device} `);
  if (event.startsWith('cache_tag_flush_range')) return isDomain(Number(FLUSH.exec(payload)?.[1]), owner);
  if (event === 'qi_submit') return isDescriptorOf(payload, owner);
  return false;
}

const isDomain = (domainId: number, owner: Owner): boolean =>
  owner.domainId === null || domainId === owner.domainId;

function isDescriptorOf(payload: string, owner: Owner): boolean {
  const [, type = '', low = ''] = QI.exec(payload) ?? [];
  if (DOMAIN_DESCRIPTORS.has(type)) return isDomain(domainIdIn(low), owner);
  // Bits 47:32 are the function.
  return (
    type === 'dev_tlb_inv' && Number.parseInt(low.slice(0, -8).slice(-4), 16) === requesterIdOf(owner.device)
  );
}

/** Requester id of a PCI function `domain:bus:device.function`. */
export function requesterIdOf(device: string): number {
  const [bus = 0, slot = 0, pciFunction = 0] = device
    .split(/[:.]/)
    .slice(-3)
    .map((digits) => Number.parseInt(digits, 16));
  return bus * 256 + slot * 8 + pciFunction;
}

/** The task that wrote most of the lines known to be the file's, or of all when none is. */
function recorderOf(lines: readonly ParsedLine[]): string | undefined {
  const written = lines.filter(
    ({ own, inInterrupt, wholeFlush }) => own === true && !inInterrupt && !wholeFlush,
  );
  const counts = new Map<string, number>();
  for (const { task } of written.length > 0 ? written : lines) counts.set(task, (counts.get(task) ?? 0) + 1);
  return [...counts].sort(([, one], [, other]) => other - one)[0]?.[0];
}

/** Moves the commands of each flush of the whole domain behind its line. */
function sideBySide(lines: readonly ParsedLine[]): RecordedTraceLine[] {
  const ordered: RecordedTraceLine[] = [];
  /** Place behind the last line of the flush that a CPU is in. */
  const open = new Map<number, number>();
  for (const { number, cpu, event, text, wholeFlush } of lines) {
    const place = event === 'qi_submit' ? open.get(cpu) : undefined;
    if (place === undefined) {
      ordered.push({ number, cpu, event, text, wholeFlush });
      if (wholeFlush) open.set(cpu, ordered.length);
      else open.delete(cpu);
      continue;
    }
    ordered.splice(place, 0, { number, cpu, event, text, wholeFlush: true });
    open.set(cpu, place + 1);
  }
  return ordered;
}

// StoryTeller: turns groups of faults into stories with what the history holds at that moment.
// Source followed: none.
// Simplified: a story told early learns later only of mappings that come to cover its address.

import { type AddressAlias, aliasesOf } from './address-alias.ts';
import { notesFor } from './blame-notes.ts';
import type { FaultCase } from './blame-reason.ts';
import { askedReasons, reasonsFor } from './blame-rules.ts';
import type { BlameStory } from './blame-story.ts';
import type { BounceWatch } from './bounce-watch.ts';
import type { DeviceKin } from './device-kin.ts';
import { type FaultAddress, WIDE } from './fault-address.ts';
import type { FaultGroup } from './fault-group.ts';
import type { PlacedFault } from './fault-order.ts';
import type { FlushWatch } from './flush-watch.ts';
import type { MappingHistory } from './mapping-history.ts';
import { type MappingSighting, sightingOf } from './mapping-sighting.ts';
import { PageWatch } from './page-watch.ts';
import { isAboutUnit, type RecordedFault } from './recorded-fault.ts';
import { NOTHING_AROUND, surroundingsOf } from './surroundings.ts';
import { positionOf } from './trace-position.ts';
import { TraceSpan } from './trace-span.ts';

/** The watches whose notes the teller reads; the history above all. */
export class StoryTeller {
  readonly span: TraceSpan = new TraceSpan();
  readonly stories: BlameStory[] = [];
  readonly #history: MappingHistory;
  readonly #bounces: BounceWatch;
  readonly #kin: DeviceKin;
  readonly #flushes: FlushWatch;
  /** Stories that nothing covered when they were told, with what they were told from. */
  readonly #uncovered = new PageWatch<readonly [BlameStory, FaultCase]>();

  constructor(history: MappingHistory, bounces: BounceWatch, kin: DeviceKin, flushes: FlushWatch) {
    this.#history = history;
    this.#bounces = bounces;
    this.#kin = kin;
    this.#flushes = flushes;
  }

  /** Tells of groups of faults; of many at once in not much more time than of one. */
  tell(groups: readonly FaultGroup[]): void {
    const cases = this.#casesOf(
      groups.map(({ fault }) => ({ fault, position: positionOf(fault, this.span) })),
    );
    for (const [index, group] of groups.entries()) this.#tellOne(group, cases[index] as FaultCase);
  }

  #tellOne(group: FaultGroup, one: FaultCase): void {
    const { fault, tellings, count, first, last } = group;
    const { addressLow, addressHigh, addressLowText, addressHighText } = group;
    const reasons = reasonsFor(one);
    const owner = ownerIn(one);
    const story: BlameStory = {
      ...{ fault, count, tellings, first, last, addressLow, addressHigh, addressLowText, addressHighText },
      ...{ owner, around: one.around, reasons, notes: notesFor(one, owner, reasons, this.#flushes) },
    };
    this.stories.push(story);
    if (owner === undefined) this.#uncovered.add(fault.address, [story, one]);
  }

  /** An address as it stands at the end of the trace. */
  tellAsked(asked: FaultAddress, device: string): void {
    const { lastLine, firstTime, lastTime, inTicks } = this.span;
    const fault = askedFault(asked, device, lastLine + 1, lastTime);
    const position = { line: lastLine + 1, time: lastTime, byTime: firstTime >= 0 && !inTicks };
    const [one] = this.#casesOf([{ fault, position }]);
    if (one === undefined) return;
    const reasons = askedReasons(one);
    const owner = ownerIn(one);
    const end = { line: lastLine + 1, time: lastTime, task: '' };
    const { address, addressText: text } = asked;
    this.stories.unshift({
      ...{ fault, count: 0, tellings: [], first: end, last: end, addressLow: address, addressHigh: address },
      ...{ addressLowText: text, addressHighText: text },
      ...{ owner, around: one.around, reasons, notes: notesFor(one, owner, reasons, this.#flushes) },
    });
  }

  /** A mapping came or went: stories without an owner may learn of a later one. */
  mappingChanged(slot: number): void {
    if (this.#uncovered.empty) return;
    const { columns } = this.#history;
    for (const waiting of this.#uncovered.taken(columns.dmaAddr[slot] ?? 0, columns.dmaEnd[slot] ?? 0)) {
      const [story, one] = waiting;
      const seen = sightingOf(columns, slot, one.fault, one.position);
      if (seen.owner === 'other' || seen.state !== 'later') this.#uncovered.add(one.fault.address, waiting);
      else tellLater(story, one, seen);
    }
  }

  #casesOf(places: readonly PlacedFault[]): FaultCase[] {
    const readings = places.map((place) => readingsOf(place));
    const around = surroundingsOf(
      this.#history,
      readings.flatMap(({ own, aliases }) => [...own, ...aliases.map(({ place }) => place)]),
    );
    return readings.map(({ place: { fault, position }, own: [own], aliases }) => ({
      fault,
      position,
      around: (own && around.get(own)) ?? NOTHING_AROUND,
      aliases: aliases.map(({ alias, place }) => ({
        ...alias,
        around: around.get(place) ?? NOTHING_AROUND,
      })),
      ...this.#common(fault.device),
    }));
  }

  #common(device: string): Omit<FaultCase, 'fault' | 'position' | 'around' | 'aliases'> {
    return {
      bounces: this.#bounces,
      kin: this.#kin,
      forgotten: this.#history.forgotten,
      lostEvents: this.span.lostEvents,
      firstTime: this.span.inTicks ? -1 : this.span.firstTime,
      mappingsSeen: this.#history.seenOf(''),
      mappingsOfDevice: this.#history.seenOf(device),
    };
  }
}

interface Readings {
  readonly place: PlacedFault;
  /** The fault itself, unless no mapping can be near it. */
  readonly own: readonly PlacedFault[];
  readonly aliases: readonly { readonly alias: Omit<AddressAlias, 'around'>; readonly place: PlacedFault }[];
}

function readingsOf(place: PlacedFault): Readings {
  const { fault, position } = place;
  if (isAboutUnit(fault)) return { place, own: [], aliases: [] };
  if (fault.address < WIDE) return { place, own: [place], aliases: [] };
  const aliases = aliasesOf(fault).map((alias) => ({
    alias,
    place: { fault: { ...fault, address: alias.address }, position },
  }));
  return { place, own: [], aliases };
}

/** Nothing had covered the address; now something does, behind the fault. */
function tellLater(story: BlameStory, one: FaultCase, seen: MappingSighting): void {
  story.around = { ...one.around, covering: [seen, ...one.around.covering] };
  story.owner = seen;
  story.reasons = reasonsFor({ ...one, around: story.around });
}

const ownerIn = ({ around }: FaultCase): MappingSighting | undefined =>
  around.covering.find(({ owner }) => owner !== 'other');

const askedFault = (at: FaultAddress, device: string, line: number, time: number): RecordedFault => ({
  ...{ source: 'asked', line, time, device, driver: '', ...at, addressBytes: 1, code: 0, codeText: '' },
  reading: { access: 'unknown', kind: 'unknown', words: 'no fault: the end of the trace', others: [] },
});

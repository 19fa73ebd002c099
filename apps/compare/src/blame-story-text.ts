// One story of `sgfree blame` for people: what faulted, whose it was, a timeline, the neighbours, the reasons.
// Source followed: the project's command-line conventions: hex for addresses, everything from a file made printable.
// Simplified: long lines are left to the terminal.

import {
  type BlameReason,
  type BlameStory,
  hexText,
  type MappingSighting,
  mappingText,
  spanText,
  timeText,
} from '@sgfree/trace';
import { createColors } from 'picocolors';
import { blameTimeline } from './blame-timeline.ts';
import { printable } from './request-list/shown-value.ts';
import { type Cell, grouped, textTable } from './text-table.ts';
import { type World, wantsColour } from './world.ts';

const MOST_TEXT = 800;
/** No mapping has an address from here on. */
const WIDE = 2 ** 52;
const OWNER_WORDS = { live: 'owner', ended: 'last owner', later: 'later owner' } as const;
const SIDES = [
  ['below, live', 'belowLive'],
  ['below, ended', 'belowEnded'],
  ['above, live', 'aboveLive'],
  ['above, ended', 'aboveEnded'],
] as const;

/** Writes stories for one world and one clock. */
export class BlameStoryText {
  readonly #world: World;
  readonly #inTicks: boolean;
  readonly #bold: (text: string) => string;

  constructor(world: World, inTicks: boolean) {
    this.#world = world;
    this.#inTicks = inTicks;
    this.#bold = createColors(wantsColour(world)).bold;
  }

  text(story: BlameStory, number: number): string {
    return `${[
      this.#bold(shown(headline(story, number))),
      ...this.#tellings(story).map(shown),
      ...(isAboutUnit(story) ? [] : [shown(ownerLine(story))]),
      '',
      this.#table(['BEFORE', 'TIME', 'LINE', 'WHAT'], this.#timeline(story)),
      '',
      ...this.#neighbours(story),
      ...this.#reasons(story),
    ].join('\n')}\n`;
  }

  #tellings({ tellings, count, first, last }: BlameStory): string[] {
    const when = count > 1 ? [`first ${this.#place(first)}, last ${this.#place(last)}`] : [];
    const told = tellings.flatMap(({ source, codeText, words, others }) => [
      `told by ${source}: ${codeText}: ${words}`,
      ...others.map((other) => `  (${other})`),
    ]);
    return [...when, ...told];
  }

  #place({ time, line }: { readonly time: number; readonly line: number }): string {
    if (time < 0) return `line ${line}`;
    return `${timeText(time, this.#inTicks)}${this.#inTicks ? ' ticks' : ' s'}, line ${line}`;
  }

  #timeline(story: BlameStory): Cell[][] {
    return blameTimeline(story).map(({ before, time, line, what }) => [
      right(beforeText(before)),
      right(timeText(time, this.#inTicks)),
      right(line < 0 ? '-' : String(line)),
      shown(what),
    ]);
  }

  #neighbours(story: BlameStory): string[] {
    const { around, fault } = story;
    if (isAboutUnit(story)) return [];
    if (fault.address >= WIDE) return ['next to it: no mapping lies at addresses of 2^52 and more', ''];
    const rows = SIDES.flatMap(([where, side]) => {
      const one = around[side];
      return one === undefined ? [] : [neighbourRow(where, one)];
    });
    if (rows.length === 0) return ['next to it: nothing of this device in the trace', ''];
    return [this.#table(['NEXT TO IT', 'BYTES AWAY', 'STATE', 'MAPPING'], rows), ''];
  }

  #reasons({ reasons, notes, fault }: BlameStory): string[] {
    const title =
      fault.source === 'asked' ? 'remarks' : reasons.length > 1 ? 'likely reasons' : 'likely reason';
    return [
      ...(reasons.length > 0 ? [`${title}:`] : []),
      ...reasons.flatMap((reason, index) => this.#reason(reason, index + 1)),
      ...notes.map(({ text }) => `  note: ${shown(text)}`),
    ];
  }

  #reason({ code, confidence, text, evidence }: BlameReason, number: number): string[] {
    return [
      `  ${number}. ${shown(text)} (${this.#bold(`${confidence}, ${code}`)})`,
      ...evidence.map(({ line, time, text: what }) => {
        const place = line < 0 ? '' : `${this.#place({ line, time })}: `;
        return `       ${shown(place + what)}`;
      }),
    ];
  }

  #table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
    return textTable(this.#world, head, rows).replace(/^/gm, '  ');
  }
}

const isAboutUnit = ({ fault: { reading } }: BlameStory): boolean =>
  reading.kind === 'command' || reading.kind === 'timeout';

function headline(story: BlameStory, number: number): string {
  const { fault, count, addressLowText: low, addressHighText: high } = story;
  const { device, driver, reading, addressText } = fault;
  if (fault.source === 'asked') {
    return `Address ${addressText}${device === '' ? '' : ` of ${device}`}, as it stands at the end of the trace`;
  }
  const access = reading.access === 'unknown' ? 'access' : reading.access;
  const who = `${device === '' ? 'an unnamed device' : device}${driver === '' ? '' : ` (${driver})`}`;
  const where = high === low ? addressText : `${low} to ${high}`;
  const times = count > 1 ? ` (${grouped(count)} times)` : '';
  const { kind } = reading;
  if (kind === 'command')
    return `Fault ${number}: trouble of unit ${driver || 'unknown'}, command at ${where}${times}`;
  if (kind === 'timeout')
    return `Fault ${number}: no answer from ${who} to the unit, address ${where}${times}`;
  return `Fault ${number}: ${access} by ${who} at ${where}${times}`;
}

function ownerLine({ owner, fault }: BlameStory): string {
  if (owner === undefined) return 'owner: unknown';
  const { direction, directionFrom, attrs, offset, physAddr, mapped } = owner;
  const inferred = directionFrom === 'recorded' ? '' : ` (${directionFrom})`;
  return [
    `${OWNER_WORDS[owner.state]}: ${mappingText(owner)}`,
    `physical ${physAddr < 0 ? 'unknown' : hexText(physAddr)}`,
    `direction ${direction === '' ? 'unknown' : `${direction}${inferred}`}`,
    ...(attrs === '' ? [] : [attrs]),
    ...(mapped.task === '' ? [] : [`mapped by ${mapped.task}`]),
    `${fault.source === 'asked' ? 'the address' : 'the access'} is at byte ${grouped(offset)}`,
  ].join(', ');
}

function neighbourRow(where: string, one: MappingSighting): Cell[] {
  const { state, sinceReleased, sinceMapped, distance } = one;
  const since = state === 'ended' ? sinceReleased : sinceMapped;
  const verb = state === 'ended' ? 'ended' : 'mapped';
  const when = Number.isNaN(since) ? verb : `${verb} ${spanText(since)} before`;
  return [where, right(grouped(distance)), when, shown(mappingText(one))];
}

function beforeText(before: number): string {
  if (Number.isNaN(before)) return '-';
  if (before === 0) return 'here';
  return before > 0 ? spanText(before) : `${spanText(-before)} after`;
}

const shown = (text: string): string => printable(text, MOST_TEXT);
const right = (content: string): Cell => ({ content, hAlign: 'right' });

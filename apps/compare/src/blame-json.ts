// The answers of `sgfree blame` as one JSON document, schema sgfree/blame/v1.
// Source followed: the project's command-line conventions: versioned schema, addresses as hex strings, unknown = null.
// Simplified: times are nanoseconds of the trace's clock, which need not be that of the day.

import {
  type BlameReport,
  type BlameStory,
  hexText,
  type MappingSighting,
  type TracePoint,
  type TraceTally,
} from '@sgfree/trace';

/** Name and version of the document's schema. */
export const BLAME_SCHEMA = 'sgfree/blame/v1';

/** The document, ready to print. */
export function blameDocument(
  source: string,
  damage: string | null,
  tally: TraceTally,
  report: BlameReport,
): string {
  const { stories, ...rest } = report;
  const document = {
    schema: BLAME_SCHEMA,
    trace: {
      source,
      damage,
      lines: tally.lines,
      events: tally.eventLines,
      clock: tally.clock,
      lostEvents: tally.lostEvents,
      overwrittenEvents: tally.overwrittenEvents,
      firstTime: known(tally.firstTime),
      lastTime: known(tally.lastTime),
      problems: Object.fromEntries(tally.problems),
    },
    ...rest,
    stories: stories.map(storyEntry),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function storyEntry(story: BlameStory): unknown {
  const {
    fault,
    count,
    tellings,
    first,
    last,
    addressLowText,
    addressHighText,
    owner,
    around,
    reasons,
    notes,
  } = story;
  return {
    source: fault.source,
    device: fault.device || null,
    driver: fault.driver || null,
    address: fault.addressText,
    addressLow: addressLowText,
    addressHigh: addressHighText,
    addressBytes: fault.addressBytes,
    access: fault.reading.access,
    refusal: fault.reading.kind,
    count,
    tellings,
    first: pointEntry(first),
    last: pointEntry(last),
    owner: owner === undefined ? null : sightingEntry(owner),
    neighbours: {
      belowLive: optional(around.belowLive),
      belowEnded: optional(around.belowEnded),
      aboveLive: optional(around.aboveLive),
      aboveEnded: optional(around.aboveEnded),
    },
    covering: around.covering.map(sightingEntry),
    coveringCount: around.coveringCount,
    reasons: reasons.map(({ evidence, ...reason }) => ({
      ...reason,
      evidence: evidence.map(({ line, time, text }) => ({ line: known(line), time: known(time), text })),
    })),
    notes,
  };
}

function sightingEntry(one: MappingSighting): Record<string, unknown> {
  const { mapped, released, ended, dmaAddr, dmaEnd, physAddr, device, direction, ...rest } = one;
  return {
    ...rest,
    device: device || null,
    direction: direction || null,
    dmaAddr: hexText(dmaAddr),
    dmaLast: hexText(dmaEnd - 1),
    physAddr: physAddr < 0 ? null : hexText(physAddr),
    mapped: mapped.line < 0 ? null : pointEntry(mapped),
    released: released === undefined ? null : pointEntry(released),
    ended: ended === undefined ? null : pointEntry(ended),
    sinceMapped: known(one.sinceMapped, Number.NEGATIVE_INFINITY),
    sinceReleased: known(one.sinceReleased, Number.NEGATIVE_INFINITY),
    sinceEnded: known(one.sinceEnded, Number.NEGATIVE_INFINITY),
  };
}

const optional = (one: MappingSighting | undefined): unknown =>
  one === undefined ? null : sightingEntry(one);

const pointEntry = ({ line, time, task }: TracePoint): unknown => ({
  line,
  time: known(time),
  task: task || null,
});

/** Null for what is unknown: below `least`, or not a number. */
const known = (value: number, least = 0): number | null => (value >= least ? value : null);

// The timeline of a story: what happened at the address, in the order of the trace.
// Source followed: none.
// Simplified: of the mappings that covered the address at other times the first four are shown.

import { type BlameStory, hexText, type MappingSighting, mappingText } from '@sgfree/trace';

const MOST_OTHERS = 4;

/** One row; `before` is the span to the fault in nanoseconds, negative behind it, NaN unknown. */
export interface TimelineRow {
  readonly line: number;
  readonly time: number;
  readonly before: number;
  readonly what: string;
}

/** The owner's life, the fault, and what else was at the address. */
export function blameTimeline({ fault, owner, around, first, last, count }: BlameStory): TimelineRow[] {
  const others = around.covering.filter(({ id }) => id !== owner?.id).slice(0, MOST_OTHERS);
  const here = fault.source === 'asked' ? 'end of the trace' : 'fault';
  const rows: TimelineRow[] = [
    { line: first.line, time: first.time, before: 0, what: here },
    ...[...(owner === undefined ? [] : [owner]), ...others].flatMap(lifeRows),
  ];
  if (count > 1) {
    const before = first.time < 0 || last.time < 0 ? Number.NaN : first.time - last.time;
    rows.push({ line: last.line, time: last.time, before, what: 'last fault of this story' });
  }
  const byLine = rows.some(({ before }) => Number.isNaN(before));
  return rows.sort((one, two) => (byLine ? 0 : two.before - one.before) || one.line - two.line);
}

function lifeRows(one: MappingSighting): TimelineRow[] {
  const { mapped, released, ended, sinceMapped, sinceReleased, sinceEnded } = one;
  const rows: TimelineRow[] = [];
  if (mapped.line >= 0) {
    rows.push({ ...mapped, before: sinceMapped, what: `${mappingText(one)}: mapped${by(mapped.task)}` });
  }
  if (released !== undefined && released.line !== ended?.line) {
    const what = `${hexText(one.dmaAddr)}: given up by the driver`;
    rows.push({ ...released, before: sinceReleased, what });
  }
  if (ended !== undefined) {
    rows.push({ ...ended, before: sinceEnded, what: `${hexText(one.dmaAddr)}: unmapped${by(ended.task)}` });
  }
  return rows;
}

const by = (task: string): string => (task === '' ? '' : ` by ${task}`);

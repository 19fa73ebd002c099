// The answers of `sgfree blame` for people: one story a fault, and a closing line.
// Source followed: the project's command-line conventions: hex for addresses, everything from a file made printable.
// Simplified: none.

import { type BlameReport, type TraceTally, traceProblems } from '@sgfree/trace';
import { BlameStoryText } from './blame-story-text.ts';
import { printable } from './request-list/shown-value.ts';
import { grouped } from './text-table.ts';
import type { World } from './world.ts';

const MOST_NAME = 4096;

/** The report as text; `source` names the trace. */
export function blameText(world: World, source: string, tally: TraceTally, report: BlameReport): string {
  const teller = new BlameStoryText(world, report.inTicks);
  const parts = report.stories.map((story, index) => teller.text(story, index + 1));
  return [...parts, `${[...closing(source, report), ...unusable(tally)].join('\n')}\n`].join('\n');
}

function closing(source: string, report: BlameReport): string[] {
  const { notExplained, otherFaults, forgotten, historyLimit, inTicks, stories } = report;
  const asked = stories.some(({ fault }) => fault.source === 'asked');
  const lines = [`${printable(source, MOST_NAME)}: ${faultsText(report, asked)}.`];
  if (otherFaults > 0) lines.push(`${linesTell(otherFaults)} of faults that were not asked about.`);
  if (notExplained > 0) lines.push(`${grouped(notExplained)} of them are counted, but not explained.`);
  if (inTicks) lines.push('The clock of the trace counts ticks, not seconds: spans of time are unknown.');
  if (forgotten > 0) {
    lines.push(
      `${grouped(forgotten)} ended mappings were forgotten; --history ${historyLimit} is the bound and can be raised.`,
    );
  }
  return lines;
}

/** What could not be read may have been a fault. */
function unusable(tally: TraceTally): string[] {
  const kinds = [...tally.problems].filter(([kind]) => traceProblems[kind].class === 'unusable');
  return kinds.map(
    ([kind, { count, firstLine }]) =>
      `${grouped(count)} ${count === 1 ? 'line' : 'lines'} not used, the first is line ${firstLine}: ${traceProblems[kind].meaning}.`,
  );
}

function faultsText({ faults, otherFaults }: BlameReport, asked: boolean): string {
  const where = asked ? ' there' : '';
  if (faults > 0) return `${linesTell(faults)} of IOMMU faults${where}`;
  if (asked) return 'no IOMMU fault there';
  return otherFaults > 0 ? 'no IOMMU fault of this device' : 'no IOMMU fault in this trace';
}

const linesTell = (count: number): string => `${grouped(count)} ${count === 1 ? 'line tells' : 'lines tell'}`;

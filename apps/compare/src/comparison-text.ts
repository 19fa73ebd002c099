// One comparison for people: what was run, the table of all stages, and what went wrong.
// Source followed: the stage report; nothing is computed here.
// Simplified: the first few failures are shown, the rest are counted.

import type { StageReport } from '@sgfree/roadmap';
import type { CompareOptions } from './compare-command.ts';
import type { Comparison } from './compare-json.ts';
import { counted } from './counted.ts';
import { sizeText } from './memory-size.ts';
import { reportTable } from './report-table.ts';
import { grouped } from './text-table.ts';
import type { World } from './world.ts';

const MOST_FAILURES_SHOWN = 5;

/** Everything about a comparison but its verdict; ends with a newline. */
export function comparisonText(world: World, options: CompareOptions, { list, reports }: Comparison): string {
  const pages = list.backing === 'huge-pages' ? '2 MiB pages' : '4 KiB pages';
  const lines = [
    `requests: ${list.source}: ${counted(list.ios.length, 'I/O')}, ${grouped(list.bytes)} bytes`,
    `memory:   ${pages} (${list.backingReason})`,
    `machine:  ${sizeText(options.memory)} of RAM, VT-d in strict mode, one NVMe disk; seed ${options.seed}`,
  ];
  if (list.skipped > 0)
    lines.push(`skipped:  ${counted(list.skipped, 'I/O')} that failed when they were recorded`);
  if (options.plant !== undefined) lines.push(`planted:  ${options.plant} (a fault put in on purpose)`);
  lines.push('', reportTable(world, reports), '');
  lines.push(...failureLines(reports));
  return `${lines.join('\n')}\n`;
}

/** What went wrong at each stage, a line each. */
export function failureLines(reports: readonly StageReport[]): string[] {
  return reports.flatMap(({ stage, failures, failureCount }) => {
    const shown = failures.slice(0, MOST_FAILURES_SHOWN);
    const more = failureCount - shown.length;
    return [
      ...shown.map(({ io, detail }) => `stage ${stage}:${io < 0 ? '' : ` I/O ${io}:`} ${detail}`),
      ...(more > 0 ? [`stage ${stage}: ${grouped(more)} more failures`] : []),
    ];
  });
}

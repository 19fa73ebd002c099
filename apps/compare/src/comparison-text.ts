// One comparison for people: what was run, the table of both stages, and what went wrong.
// Source followed: the stage report; nothing is computed here.
// Simplified: the first few failures are shown, the rest are counted.

import type { CompareOptions } from './compare-command.ts';
import type { Comparison } from './compare-json.ts';
import { sizeText } from './memory-size.ts';
import { reportTable } from './report-table.ts';
import { grouped } from './text-table.ts';
import type { World } from './world.ts';

const MOST_FAILURES_SHOWN = 5;

/** Everything about a comparison but its verdict; ends with a newline. */
export function comparisonText(world: World, options: CompareOptions, { list, reports }: Comparison): string {
  const pages = list.backing === 'huge-pages' ? '2 MiB pages' : '4 KiB pages';
  const lines = [
    `requests: ${list.source}: ${grouped(list.ios.length)} I/Os, ${grouped(list.bytes)} bytes`,
    `memory:   ${pages} (${list.backingReason})`,
    `machine:  ${sizeText(options.memory)} of RAM, VT-d in strict mode, one NVMe disk; seed ${options.seed}`,
  ];
  if (list.skipped > 0) lines.push(`skipped:  ${list.skipped} I/Os that failed when they were recorded`);
  if (options.plant !== undefined) lines.push(`planted:  ${options.plant} (a fault put in on purpose)`);
  lines.push('', reportTable(world, reports), '');
  for (const report of reports) {
    for (const failure of report.failures.slice(0, MOST_FAILURES_SHOWN)) {
      const place = failure.io < 0 ? '' : ` I/O ${failure.io}:`;
      lines.push(`stage ${report.stage}:${place} ${failure.detail}`);
    }
    const more = report.failureCount - Math.min(report.failures.length, MOST_FAILURES_SHOWN);
    if (more > 0) lines.push(`stage ${report.stage}: ${grouped(more)} more failures`);
  }
  return `${lines.join('\n')}\n`;
}

// A replayed trace for people: what was read, what each run cost, then device by device, and what rests on inference.
// Source followed: the report; nothing is computed here but sums and shares.
// Simplified: the devices with the most mappings; --json has all.

import type { ReplayReport, TracedDeviceReport, TracedSide } from '@sgfree/roadmap';
import { reconstructionRules, type TraceTally, traceProblems } from '@sgfree/trace';
import { createColors } from 'picocolors';
import { counted } from '../counted.ts';
import { printable } from '../request-list/shown-value.ts';
import { grouped } from '../text-table.ts';
import { type World, wantsColour } from '../world.ts';
import { deviceTables, isSingle, mappingsOf } from './device-table.ts';
import { mapFailureWords, refusalWords } from './failure-words.ts';
import { findingLines } from './replay-findings.ts';
import { countingRules, type ReplayedTrace } from './replay-json.ts';
import { runSizeTable, runTable } from './run-table.ts';
import { savingsText } from './savings.ts';

/** Everything to print, the verdict last. */
export function replayText(world: World, replayed: ReplayedTrace): string {
  const { report } = replayed;
  const colours = createColors(wantsColour(world));
  const { ok, line } = report.verdict;
  const parts = [
    headText(replayed),
    runTable(world, report),
    failuresText(report),
    savingsText(report),
    runSizeTable(world, report.traced.runSizes),
    ...deviceTables(world, report),
    findingsText(report),
    footnotes(report),
    ok ? colours.green(line) : colours.red(line),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function headText({ input, tally, report }: ReplayedTrace): string {
  const { traced, devices, cpus } = report;
  const kinds = Object.entries(traced.mappings).filter(([, count]) => count > 0);
  const lines = [
    `trace:    ${printable(input.name, 4096)}: ${counted(tally.lines, 'line')}, ${counted(tally.eventLines, 'event')}; ${layoutText(tally)}`,
    ...(input.damage === null ? [] : [`damaged:  ${input.damage}; what came before it was used`]),
    ...problemLines(tally),
    `mappings: ${kinds.map(([kind, count]) => `${grouped(count)} ${kind}`).join(', ') || 'none'}; ${counted(traced.bytes, 'byte')}`,
    `devices:  ${devicesText(devices)}, on ${counted(cpus, 'CPU')}${timeText(report)}`,
    ...untranslatedLines(traced),
    ...refusedLines(report),
  ];
  return lines.join('\n');
}

function devicesText(devices: readonly TracedDeviceReport[]): string {
  const some = devices.filter((device) => mappingsOf(device) > 0);
  const users = some.filter(({ user }) => user === 'iommu-api').length;
  const own = `${some.length - users}`;
  return users === 0 ? own : `${own}, and ${counted(users, 'direct user')} of the IOMMU`;
}

function layoutText({ format, clock, kernel }: TraceTally): string {
  return `layout ${format}, clock ${clock}, kernel ${kernel.version}`;
}

function timeText({ nanoseconds }: ReplayReport): string {
  return nanoseconds < 0 ? '' : `, mapping for ${(nanoseconds / 1e9).toFixed(3)} s`;
}

function problemLines(tally: TraceTally): string[] {
  const lines = [...tally.problems].map(
    ([kind, { count, firstLine }]) =>
      `noted:    ${kind}: ${counted(count, 'line')}, first line ${grouped(firstLine)}: ${traceProblems[kind].meaning}`,
  );
  const { lostEvents, overwrittenEvents } = tally;
  if (lostEvents > 0)
    lines.push(`lost:     ${counted(lostEvents, 'event')}; what they said is missing below`);
  if (overwrittenEvents > 0)
    lines.push(`lost:     ${counted(overwrittenEvents, 'event')} before the first line`);
  return lines;
}

const untranslatedLines = ({ untranslated, liveAtEnd }: TracedSide): string[] => {
  if (untranslated === 0) return [];
  const shown = `${counted(untranslated, 'mapping')} traced without translation, where drivers may leave out the unmapping`;
  return [
    `note:     ${shown}: ${grouped(liveAtEnd.count)} have no end, so that unmaps and flushes below are too few`,
  ];
};

function refusedLines({ traced, unnamedLeftOut }: ReplayReport): string[] {
  const lines = Object.entries(traced.refused).map(
    ([reason, count]) => `left out: ${counted(count, 'mapping')}: ${refusalWords(reason)} (${reason})`,
  );
  if (unnamedLeftOut > 0) {
    const some = counted(unnamedLeftOut, 'mapping');
    lines.push(`left out: ${some} that no line gives a device; some of them may be of the one asked for`);
  }
  return lines;
}

/** What a run could not map that the trace shows as mapped. */
function failuresText({ runs }: ReplayReport): string {
  const lines = runs.flatMap(({ stage, mode, total }) =>
    Object.entries(total.failed).map(
      ([reason, count]) =>
        `stage ${stage}, ${mode}: ${counted(count, 'mapping')} not made: ${mapFailureWords(reason)} (${reason})`,
    ),
  );
  return lines.join('\n');
}

function findingsText(report: ReplayReport): string {
  const lines = findingLines(report.traced, isSingle(report));
  return lines.length === 0
    ? ''
    : ['leaks and misuse found in the trace (certain: the trace alone proves it)', ...lines].join('\n');
}

function footnotes({ traced, devices }: ReplayReport): string {
  const rules = Object.entries(traced.inferred).map(
    ([rule, count]) =>
      `  ${counted(count, 'mapping')} by ${rule}: ${reconstructionRules[rule as keyof typeof reconstructionRules]}`,
  );
  const inferred = [...rules, ...maskLines(devices)];
  return [
    ...(inferred.length === 0 ? [] : ['inferred, and with it every number above that counts these mappings']),
    ...inferred,
    'counted',
    `  tracking memory: ${countingRules.tracking}`,
    ...(traced.mappings['iommu-api'] === 0
      ? []
      : [`  direct users of the IOMMU: ${countingRules.directUsers}`]),
  ].join('\n');
}

function maskLines(devices: readonly TracedDeviceReport[]): string[] {
  const masked = devices.filter((device) => device.user === 'dma-api' && mappingsOf(device) > 0);
  if (masked.length === 0) return [];
  const wide = masked.filter(({ streamingMaskBits }) => streamingMaskBits === 64).length;
  return [
    `  masks: ${wide} of ${counted(masked.length, 'device')} seen beyond 4 GiB, so with 64-bit masks; the others have 32-bit ones`,
  ];
}

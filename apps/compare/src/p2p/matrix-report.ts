// MatrixReport: the matrix of all selected devices as text: legend, cells, and what decided underneath.
// Source followed: the project's command-line conventions.
// Simplified: lists of ports and of unknown facts show the first ones and a count of the rest.

import type { DumpedFunction } from '@sgfree/topology';
import { grouped, textTable } from '../text-table.ts';
import type { World } from '../world.ts';
import { redirectingBits } from './acs-words.ts';
import type { LabelledDevice } from './device-selection.ts';
import { deviceName, placeWords, portWords } from './device-words.ts';
import { groupLines } from './group-change-text.ts';
import { groupText } from './group-words.ts';
import { pairLookup, verdictCell } from './matrix-cells.ts';
import { type MatrixSummary, summarised } from './matrix-summary.ts';
import { matrixText } from './matrix-text.ts';
import type { P2pAnswer } from './p2p-answer.ts';
import type { Judge, P2pCase } from './p2p-case.ts';
import { type RedirectPlan, redirectPlan } from './redirect-plan.ts';
import { codeWords, VERDICT_CODES } from './verdict-words.ts';
import { changedMatrixText, changesText } from './what-if-text.ts';

const MOST_LISTED = 12;
const MOST_PLANNED = 40;

/** The parts of the answer: legend, cells, counts; after a change also what it changes. */
export function matrixParts(world: World, answer: P2pAnswer): string[] {
  const { asked, question, judge, whatIf } = answer;
  const { devices } = question;
  const summary = summarised(answer, judge);
  const legend = legendText(world, devices, judge);
  if (whatIf !== null) {
    const after = summarised(answer, whatIf.judge);
    const groups = groupLines(whatIf.groups).join('\n');
    return [legend, changesText(whatIf), changedMatrixText(world, devices, summary, after), groups];
  }
  const cells = pairLookup(devices, summary.pairs);
  const matrix = matrixText(world, devices, (row, column) => verdictCell(cells(row, column)));
  return [legend, matrix, summaryText(asked, summary)];
}

/** One line for each device. */
function legendText(world: World, devices: readonly LabelledDevice[], judge: Judge): string {
  const rows = devices.map(({ label, fn }) => [
    label,
    fn.name,
    fn.numaNode === undefined ? '-' : String(fn.numaNode),
    groupText(judge, fn),
    placeWords(fn),
    deviceName(fn),
  ]);
  return textTable(world, ['', 'device', 'NUMA', 'IOMMU group', 'behind', 'name'], rows);
}

function summaryText(asked: P2pCase, summary: MatrixSummary): string {
  const { pairs, counts } = summary;
  const verdicts = VERDICT_CODES.filter((code) => (counts.get(code) ?? 0) > 0).map((code) =>
    counted(counts.get(code) ?? 0, `${code}  ${codeWords(code)}`),
  );
  return [
    `${grouped(pairs.length)} ${pairs.length === 1 ? 'pair' : 'pairs'}, each in both directions; the number behind the letter is the kernel's distance`,
    ...verdicts,
    '',
    'What decides',
    ...decidingLines(asked, summary),
    ...openLines(summary),
    ...redirectingLines(summary),
    ...planLines(redirectPlan(asked, summary)),
  ].join('\n');
}

const counted = (count: number, words: string): string => `${grouped(count).padStart(7)}  ${words}`;

function decidingLines(asked: P2pCase, { rules }: MatrixSummary): string[] {
  const kernel = `Linux ${asked.kernel.version}`;
  const words = {
    'common-port': 'switch-local: no redirecting ACS bit up to the common port',
    cpu: 'the CPU rule: AMD family 17h (Zen) or newer allows every path through host bridges',
    'cpu-or-not-listed': `the CPU: AMD Zen allows; for any other, ${kernel} does not allow the host bridges`,
    'host-bridge-listed': `the allow list: ${kernel} lists the host bridges`,
    'host-bridge-not-listed': `the allow list: ${kernel} does not allow the host bridges`,
    unknown: 'something that is not known',
  } as const;
  return [...rules].map(([rule, { pairs, hosts }]) => {
    const named =
      hosts.size === 0 || rule === 'unknown' ? '' : ` (by first function: ${[...hosts].sort().join(', ')})`;
    return counted(pairs, `${words[rule]}${named}`);
  });
}

function openLines({ open }: MatrixSummary): string[] {
  if (open.size === 0) return [];
  const facts = [...open].sort(([, one], [, other]) => other - one);
  const shown = facts.slice(0, MOST_LISTED).map(([fact, pairs]) => counted(pairs, `rest on ${fact}`));
  return ['', 'Not known', ...shown, ...moreLine(facts.length)];
}

function redirectingLines({ redirecting, harmless }: MatrixSummary): string[] {
  const lines = redirecting
    .slice(0, MOST_LISTED)
    .map(({ fn, control, pairs }) => counted(pairs, `${fn.name}  ${bitsText(control)}  ${nameAndPort(fn)}`));
  return [
    '',
    redirecting.length === 0
      ? 'No function is known to redirect (RR, CR, EC).'
      : 'Functions that redirect, and the pairs on whose way they lie',
    ...lines,
    ...moreLine(redirecting.length),
    ...(harmless === 0
      ? []
      : [`${grouped(harmless)} more with ACS bits set, but none that redirects (SrcValid alone does not).`]),
  ];
}

function planLines(plan: RedirectPlan | null): string[] {
  if (plan === null) return [];
  const { gained, functions, argument } = plan;
  const where = `${grouped(functions.length)} ${functions.length === 1 ? 'function' : 'functions'}`;
  const pairs = `${grouped(gained)} ${gained === 1 ? 'pair gets a bus address' : 'pairs get bus addresses'}`;
  const shown =
    functions.length <= MOST_PLANNED ? argument : 'too many for one line; --json has the argument';
  return [
    '',
    `${pairs} if ${where} on the way stop redirecting (--what-if shows the price in IOMMU groups)`,
    `  ${shown}`,
  ];
}

const bitsText = (control: number): string =>
  redirectingBits(control)
    .map((name) => `${name}+`)
    .join(' ');

const nameAndPort = (fn: DumpedFunction): string => `${portWords(fn)}, ${deviceName(fn)}`;

const moreLine = (total: number): string[] =>
  total > MOST_LISTED ? [`         and ${grouped(total - MOST_LISTED)} more (--json lists all)`] : [];

// WhatIfText: what a change does to registers, verdicts and IOMMU groups, as text.
// Source followed: the project's command-line conventions; registers in the words of lspci.
// Simplified: lists show the first ones and a count of the rest.

import type { AcsLoss, WhatIfRemark } from '@sgfree/p2p';
import { printable } from '../request-list/shown-value.ts';
import { grouped } from '../text-table.ts';
import type { World } from '../world.ts';
import { acsBitsText, shortBits } from './acs-words.ts';
import type { LabelledDevice } from './device-selection.ts';
import { deviceName } from './device-words.ts';
import { pairLookup, toneOf } from './matrix-cells.ts';
import type { MatrixSummary } from './matrix-summary.ts';
import { type MatrixCell, matrixText } from './matrix-text.ts';
import type { PairVerdict } from './p2p-case.ts';
import { codeWords, VERDICT_CODES, verdictCode } from './verdict-words.ts';
import type { WhatIfState } from './what-if-state.ts';

const MOST_LISTED = 12;

/** Registers that change, what else goes with them, and what is wrong with the change. */
export function changesText({ texts, result }: WhatIfState): string {
  const registers = result.changes.flatMap(({ fn, before, after, entry }) => [
    `  ${fn.name}  ${deviceName(fn)}  (entry ${printable(entry, 80)})`,
    `    before ${acsBitsText(before)}`,
    `    after  ${acsBitsText(after)}`,
  ]);
  return [
    `What if ${texts.map((text) => printable(text, 200)).join(' and ')}`,
    ...(registers.length === 0 ? ['  no ACS register changes'] : limited(registers, MOST_LISTED * 3)),
    ...result.losses.map((loss) => `  ${lossLine(loss)}`),
    ...result.mistakes.map(
      ({ text, explanation }) => `  mistake in ${JSON.stringify(printable(text, 80))}: ${explanation}`,
    ),
    ...result.remarks.map((remark) => `  ${remarkLine(remark)}`),
  ].join('\n');
}

/** Bits that a function loses besides those that redirect. */
export function lossLine({ fn, lost, maybeLost }: AcsLoss): string {
  const gone = lost === 0 ? '' : ` loses ${shortBits(lost).join(', ')}`;
  const maybe =
    maybeLost === 0 ? '' : ` loses ${shortBits(maybeLost).join(', ')} unless firmware had set them`;
  return `note: ${fn.name}${[gone, maybe].filter((part) => part !== '').join(' and')}`;
}

/** A remark with the functions it is about. */
export const remarkLine = ({ of, explanation }: WhatIfRemark): string =>
  `note: ${namesText(of)}: ${explanation}`;

const namesText = (functions: readonly { readonly name: string }[]): string => {
  const more = functions.length - 4;
  const names = functions.slice(0, 4).map(({ name }) => name);
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
};

/** The cells that change, and the counts before and after. */
export function changedMatrixText(
  world: World,
  devices: readonly LabelledDevice[],
  before: MatrixSummary,
  after: MatrixSummary,
): string {
  const changed = before.pairs.filter((pair, position) =>
    isChanged(pair, after.pairs[position] as PairVerdict),
  ).length;
  const then = pairLookup(devices, before.pairs);
  const now = pairLookup(devices, after.pairs);
  const cellOf = (row: LabelledDevice, column: LabelledDevice): MatrixCell =>
    changedCell(then(row, column), now(row, column));
  const counts = VERDICT_CODES.filter((code) => before.counts.get(code) || after.counts.get(code)).map(
    (code) =>
      `${grouped(before.counts.get(code) ?? 0).padStart(7)} -> ${grouped(after.counts.get(code) ?? 0).padEnd(7)}  ${code}  ${codeWords(code)}`,
  );
  const total = grouped(before.pairs.length);
  const head =
    changed === 0
      ? `No verdict of ${total} pairs changes`
      : `${grouped(changed)} of ${total} pairs change; - = as before`;
  return [...(changed === 0 ? [] : [matrixText(world, devices, cellOf), '']), head, ...counts].join('\n');
}

/** True when a pair has another verdict, or other possible ones. */
export const isChanged = (before: PairVerdict, after: PairVerdict): boolean =>
  verdictCode(before) !== verdictCode(after) || before.route.possible.join() !== after.route.possible.join();

function changedCell(before: PairVerdict, after: PairVerdict): MatrixCell {
  if (!isChanged(before, after)) return { text: '-', tone: 'none' };
  const code = verdictCode(after);
  return { text: `${verdictCode(before)}>${code}`, tone: toneOf(code) };
}

const limited = (lines: readonly string[], most: number): string[] =>
  lines.length <= most
    ? [...lines]
    : [...lines.slice(0, most), `  and ${grouped(lines.length - most)} more lines (--json has all)`];

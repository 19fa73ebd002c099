// RowReport: one device against all others as a table.
// Source followed: the project's command-line conventions.
// Simplified: verdicts hold in both directions, so one table serves `--from` and `--to`.

import type { DumpedFunction } from '@sgfree/topology';
import { textTable } from '../text-table.ts';
import type { World } from '../world.ts';
import { deviceName } from './device-words.ts';
import { groupLines } from './group-change-text.ts';
import type { P2pAnswer } from './p2p-answer.ts';
import type { P2pCase, PairVerdict } from './p2p-case.ts';
import { codeWords, distanceText, missingWords, verdictCode } from './verdict-words.ts';
import { changesText } from './what-if-text.ts';

/** The parts of the answer: `device` against each other selected device, before and after a change. */
export function rowParts(
  world: World,
  { asked, question, judge, whatIf }: P2pAnswer,
  device: DumpedFunction,
): string[] {
  const rows = question.devices
    .filter(({ fn }) => fn !== device)
    .map(({ fn }) => {
      const pair = judge.pair(device, fn);
      const after = whatIf === null ? null : whatIf.judge.pair(device, fn);
      return [
        fn.name,
        after === null ? verdictText(pair) : changedText(pair, after),
        distanceText(pair),
        decidedBy(asked, after ?? pair),
        deviceName(fn),
      ];
    });
  const table = textTable(world, ['device', 'verdict', 'distance', 'decided by', 'name'], rows);
  const head = `${device.name} (${deviceName(device)}), in both directions`;
  if (whatIf === null) return [head, table];
  return [head, changesText(whatIf), table, groupLines(whatIf.groups).join('\n')];
}

const verdictText = (pair: PairVerdict): string => codeWords(verdictCode(pair));

const changedText = (before: PairVerdict, after: PairVerdict): string =>
  verdictCode(before) === verdictCode(after)
    ? verdictText(after)
    : `${verdictText(before)} -> ${verdictText(after)}`;

function decidedBy(asked: P2pCase, pair: PairVerdict): string {
  const { rule, redirecting, common } = pair.route;
  const redirected =
    redirecting.length === 0 ? '' : `ACS redirect on ${redirecting.map(({ name }) => name).join(', ')}; `;
  if (verdictCode(pair) === 'Z') return `${redirected}CPU rule, else host bridge not listed`;
  switch (rule) {
    case 'common-port':
      return `common port ${typeof common === 'object' && common !== null ? common.name : '?'}`;
    case 'cpu':
      return `${redirected}CPU rule`;
    case 'host-bridge-listed':
      return `${redirected}host bridge listed`;
    case 'host-bridge-not-listed':
      return `${redirected}host bridge not listed`;
    case 'unknown':
      return `${redirected}not known: ${missingWords(asked, pair)}`;
  }
}

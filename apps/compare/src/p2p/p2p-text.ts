// P2pText: the answer for people: machine and rules, then matrix, row or pair, then what the dump does not show.
// Source followed: the project's command-line conventions.
// Simplified: none.

import type { World } from '../world.ts';
import { caseText, remarksText } from './case-text.ts';
import { matrixParts } from './matrix-report.ts';
import type { P2pAnswer } from './p2p-answer.ts';
import type { P2pQuestion } from './p2p-question.ts';
import { pairParts } from './pair-report.ts';
import { rowParts } from './row-report.ts';

/** The whole answer. */
export function p2pText(world: World, answer: P2pAnswer): string {
  const { asked, question } = answer;
  const { pair, one } = question;
  const parts =
    pair !== null
      ? pairParts(answer, pair.provider, pair.client)
      : one !== null
        ? rowParts(world, answer, one)
        : matrixParts(world, answer);
  const notes = [...(pair === null ? leftOutText(question) : []), ...remarksText(asked.dump.remarks)].join(
    '\n',
  );
  return [caseText(asked), ...parts, notes]
    .filter((part) => part !== '')
    .map((part) => `${part}\n`)
    .join('\n');
}

function leftOutText({ leftOut }: P2pQuestion): string[] {
  const [first] = leftOut;
  if (first === undefined) return [];
  const who = leftOut.length === 1 ? first.name : `${leftOut.length} endpoints (${first.name} and others)`;
  return [`note: the dump does not show the class of ${who}: left out here, --all shows every endpoint`];
}

// MatrixCells: the verdict of each pair of a matrix as a cell.
// Source followed: none; a list of pairs is laid out row by row, each pair once.
// Simplified: none.

import type { LabelledDevice } from './device-selection.ts';
import type { MatrixCell } from './matrix-text.ts';
import type { PairVerdict } from './p2p-case.ts';
import { distanceText, type VerdictCode, verdictCode } from './verdict-words.ts';

/** Finds the verdict of a pair, in whichever order. */
export function pairLookup(
  devices: readonly LabelledDevice[],
  pairs: readonly PairVerdict[],
): (one: LabelledDevice, other: LabelledDevice) => PairVerdict {
  const rank: Map<LabelledDevice, number> = new Map(devices.map((device, position) => [device, position]));
  const total = devices.length;
  return (one, other) => {
    const [a, b] = [rank.get(one) as number, rank.get(other) as number];
    const [low, high] = a < b ? [a, b] : [b, a];
    return pairs[(low * (2 * total - low - 1)) / 2 + high - low - 1] as PairVerdict;
  };
}

const TONE: Readonly<Record<VerdictCode, MatrixCell['tone']>> = {
  B: 'good',
  H: 'fair',
  Z: 'fair',
  N: 'bad',
  '?': 'open',
};

/** The tone a verdict is shown in. */
export const toneOf = (code: VerdictCode): MatrixCell['tone'] => TONE[code];

/** A verdict with its distance. */
export function verdictCell(pair: PairVerdict): MatrixCell {
  const code = verdictCode(pair);
  return { text: `${code}${distanceText(pair)}`, tone: TONE[code] };
}

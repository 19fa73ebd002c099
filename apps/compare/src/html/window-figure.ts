// The figure about revoke windows: every revoke of stages 5 to 7 and every move of stage 8.
// Source followed: the reports of those stages.
// Simplified: revokes of an importer that hangs its owner on purpose have no end, and are left out.

import type { Shown } from '../compare-json.ts';
import type { RevokePart } from '../revoke/revoke-part.ts';
import { grouped } from '../text-table.ts';
import { chartFigure } from './chart-figure.ts';
import { type StageWindows, windowChart } from './window-chart.ts';

/** The figure; empty where nothing was taken back. */
export function windowFigure(shown: Shown): string {
  const stages = windowsOf(shown).filter(({ steps }) => steps.length > 0);
  if (stages.length === 0) return '';
  return chartFigure({
    title: 'Revoke windows',
    says: 'Clock steps (bus requests) from the moment the memory is taken back, or an importer is told that it moves, to the last access; a dot a run, logarithmic scale. Revokes that an importer hangs on purpose are left out.',
    svg: windowChart('Revoke windows in clock steps by stage', stages),
    head: ['stage', 'runs', 'median', 'at most'],
    rows: stages.map(({ stage, what, steps }) => [
      `${stage} ${what}`,
      grouped(steps.length),
      grouped(steps[Math.floor(steps.length / 2)] ?? 0),
      grouped(steps.at(-1) ?? 0),
    ]),
  });
}

/** Every stage's windows, the shortest first. */
function windowsOf({ rangeListRevoke, revoke, guestSpace, gpuExchange }: Shown): StageWindows[] {
  const guest = (guestSpace?.rows ?? []).map(({ report }) => report.timings.lastAccess);
  const moves = (gpuExchange?.rows ?? [])
    .filter(({ report }) => report.input.way === 'range-list')
    .flatMap(({ report }) => report.moves.map(({ lastAccess }) => lastAccess ?? 0));
  return [
    { stage: 5, what: 'revokes over range lists', steps: sorted(revokeSteps(rangeListRevoke)) },
    { stage: 6, what: 'revokes over tables', steps: sorted(revokeSteps(revoke)) },
    { stage: 7, what: "revokes in a guest's address space", steps: sorted(guest) },
    { stage: 8, what: "moves of a GPU's memory", steps: sorted(moves) },
  ];
}

const revokeSteps = (part: RevokePart | null): number[] =>
  (part?.blocks ?? []).flatMap(({ rows }) =>
    rows
      .filter(({ report }) => report.hang === null && report.importers.some(({ refused }) => refused === 0))
      .filter(({ report }) => report.input.op !== 'deprecated')
      .map(({ report }) => report.timings.lastAccess),
  );

const sorted = (steps: readonly number[]): number[] => [...steps].sort((one, other) => one - other);

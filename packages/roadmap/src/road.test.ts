// The road says of a stage that it runs here when there is something to run.
import { expect, it } from 'vitest';
import { exportingStages } from './exporting-stages.ts';
import { theRoad } from './road.ts';
import { runnableStages } from './runnable-stages.ts';

/** Run by themselves: there is no list of I/O in a revoke, in a guest's address space or in a card's memory. */
const OTHER_STAGES = [6, 7, 8];

it('is nine stages in order, and knows which of them run', () => {
  expect(theRoad.map(({ stage }) => stage)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  const runs = [...runnableStages, ...exportingStages].map(({ stage }) => stage);
  const runnable = theRoad.filter((stage) => stage.runnable).map(({ stage }) => stage);
  expect(runnable).toEqual([...runs, ...OTHER_STAGES]);
});

it('says of a stage what its steps say', () => {
  for (const { stage, linux, steps } of theRoad) {
    const states = new Set(steps.map(({ state }) => state));
    expect([stage, steps.length > 0, steps.every(({ because }) => because !== '')]).toEqual([
      stage,
      true,
      true,
    ]);
    if (linux === 'not started') expect([...states]).toEqual(['not begun']);
    if (linux === 'not merged') expect(states.has('merged')).toBe(false);
    if (linux === 'merged' || linux === 'partial') expect(states.has('merged')).toBe(true);
    if (linux === 'partial') expect(states.size).toBeGreaterThan(1);
  }
});

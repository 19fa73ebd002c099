// The road says of a stage that it runs here when there is something to run.
import { expect, it } from 'vitest';
import { exportingStages } from './exporting-stages.ts';
import { theRoad } from './road.ts';
import { runnableStages } from './runnable-stages.ts';

/** Run by themselves: there is no list of I/O in a revoke or in a guest's address space. */
const OTHER_STAGES = [6, 7];

it('is nine stages in order, and knows which of them run', () => {
  expect(theRoad.map(({ stage }) => stage)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  const runs = [...runnableStages, ...exportingStages].map(({ stage }) => stage);
  const runnable = theRoad.filter((stage) => stage.runnable).map(({ stage }) => stage);
  expect(runnable).toEqual([...runs, ...OTHER_STAGES]);
});

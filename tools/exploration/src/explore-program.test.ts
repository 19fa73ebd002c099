// The explorer's program and judgement on toy scenarios: each way in which they can be wrong is seen.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type ChoicePolicy, type ExploredRun, type ModelTask, Scheduler } from '@sgfree/hw-model';
import { expect, test } from 'vitest';
import type { ExplorationSuite } from './exploration-suite.ts';
import { exploreProgram } from './explore-program.ts';
import { explorePlanted, exploreScenario } from './explored-scenario.ts';

/** Two tasks that count; `shows` says how much of the count the state text shows. */
interface Toy {
  readonly name: string;
  readonly shows: 'all' | 'nothing';
  /** A count that must never be seen. */
  readonly forbidden?: number;
}

function toyRun({ shows, forbidden }: Toy, policy: ChoicePolicy): ExploredRun {
  const scheduler = new Scheduler({ policy });
  let count = 0;
  function* task(by: (value: number) => number): ModelTask<void> {
    for (let round = 0; round < 2; round += 1) {
      yield { at: 'count' };
      count = by(count);
    }
  }
  scheduler.spawn(
    'adds',
    task((value) => value + 1),
  );
  scheduler.spawn(
    'doubles',
    task((value) => value * 2),
  );
  return {
    scheduler,
    check: () => (count === forbidden ? { rule: 'forbidden', detail: `${count}` } : null),
    state: () => (shows === 'all' ? `${count}` : ''),
    outcome: () => `${count}`,
  };
}

const right: Toy = { name: 'right', shows: 'all' };
const blind: Toy = { name: 'blind', shows: 'nothing' };
const broken: Toy = { name: 'broken', shows: 'all', forbidden: 3 };

function suite(small: readonly Toy[], record: object, planted: readonly string[] = ['forbidden']) {
  const file = join(mkdtempSync(join(tmpdir(), 'explore-')), 'states.json');
  writeFileSync(file, JSON.stringify(record));
  const made: ExplorationSuite<Toy> = {
    run: toyRun,
    small,
    large: [],
    seeded: small,
    planted: [{ scenario: broken, shows: planted }],
    record: pathToFileURL(file),
  };
  return { suite: made, file };
}

const defaults = { schedules: 5, few: 100 };
const silent = (): void => undefined;

test('a scenario that is right has no problem, and fewer states than on record are one', () => {
  const { suite: toys } = suite([right], {});
  const { report, problems } = exploreScenario(toys, right, { recorded: { right: 1 }, few: 100 });
  expect(problems).toEqual([]);
  const { states } = report;
  const more = exploreScenario(toys, right, { recorded: { right: states + 1 }, few: 0 });
  expect(more.problems).toEqual([`${states} states, fewer than the ${states + 1} on record`]);
  expect(exploreScenario(toys, right, { recorded: {}, few: 0 }).problems).toEqual(['no states on record']);
});

test('a state text that leaves something out is noticed by running every schedule', () => {
  const { suite: toys } = suite([blind], {});
  expect(exploreScenario(toys, blind, { recorded: { blind: 1 }, few: 0 }).problems).toEqual([]);
  expect(exploreScenario(toys, blind, { recorded: { blind: 1 }, few: 100 }).problems).not.toEqual([]);
});

test('a broken rule is a problem, and a planted one must be the one that was named', () => {
  const { suite: toys } = suite([broken], {});
  const { problems } = exploreScenario(toys, broken, { recorded: { broken: 1 }, few: 0 });
  expect(problems.some((text) => text.includes('forbidden: 3'))).toBe(true);
  expect(explorePlanted(toys, { scenario: broken, shows: ['forbidden'] }).problems).toEqual([]);
  expect(explorePlanted(toys, { scenario: broken, shows: ['other'] }).problems).toEqual(['no other']);
  expect(explorePlanted(toys, { scenario: right, shows: ['forbidden'] }).shown).toBe('NOT FOUND');
});

test('the program ends with 0, 1 or 2, and --update records the states', () => {
  const good = suite([right], { right: 1 });
  expect(exploreProgram(good.suite, defaults, [], silent)).toBe(0);
  expect(exploreProgram(good.suite, defaults, ['--update'], silent)).toBe(0);
  const { right: states } = JSON.parse(readFileSync(good.file, 'utf8')) as { right: number };
  expect(states).toBeGreaterThan(1);
  expect(exploreProgram(suite([right], { right: states + 1 }).suite, defaults, [], silent)).toBe(1);
  expect(exploreProgram(suite([right], { right: 1 }, ['other']).suite, defaults, [], silent)).toBe(1);
  const bad = suite([broken], { broken: 1 });
  expect(exploreProgram(bad.suite, defaults, ['--update'], silent)).toBe(1);
  expect(JSON.parse(readFileSync(bad.file, 'utf8'))).toEqual({ broken: 1 });
  expect(exploreProgram(good.suite, defaults, ['--seed', 'x'], silent)).toBe(2);
  expect(exploreProgram(good.suite, defaults, ['--nope'], silent)).toBe(2);
});

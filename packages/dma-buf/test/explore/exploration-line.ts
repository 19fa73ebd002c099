// ExplorationLine: an exploration as one line for people, and the states on record for it.
// Source followed: the record of states per scenario in states.json, which a later run must reach.
// Simplified: none.

import { readFileSync, writeFileSync } from 'node:fs';
import { type ExplorationReport, explore } from '@sgfree/hw-model';
import { type RevokeScenario, revokeRun } from './revoke-scenario.ts';

const FILE: URL = new URL('states.json', import.meta.url);

/** States by the name of the scenario. */
export type RecordedStates = Readonly<Record<string, number>>;

export function recordedStates(): RecordedStates {
  return JSON.parse(readFileSync(FILE, 'utf8')) as RecordedStates;
}

export function recordStates(states: RecordedStates): void {
  writeFileSync(FILE, `${JSON.stringify(states, null, 2)}\n`);
}

export function exploreScenario(scenario: RevokeScenario): ExplorationReport {
  return explore((policy) => revokeRun(scenario, policy));
}

export function explorationLine(name: string, report: ExplorationReport): string {
  const { states, schedules, runs, deepest, outcomes } = report;
  const count = (value: number): string =>
    value < 1e15 ? value.toLocaleString('en-US') : value.toExponential(2);
  return `${name}: ${count(states)} states, ${count(runs)} runs for ${count(schedules)} schedules of up to ${deepest} steps, outcomes: ${outcomes.length}`;
}

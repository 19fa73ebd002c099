// StateRecord: how many states each scenario had when it was recorded. Fewer later means that schedules are no longer seen.
// Simplified: a flat JSON object, written whole.

import { readFileSync, writeFileSync } from 'node:fs';

/** States by the name of the scenario. */
export type StateRecord = Readonly<Record<string, number>>;

/** Reads the record at `file`. */
export function readStates(file: URL): StateRecord {
  return JSON.parse(readFileSync(file, 'utf8')) as StateRecord;
}

/** Writes the record at `file`. */
export function writeStates(file: URL, states: StateRecord): void {
  writeFileSync(file, `${JSON.stringify(states, null, 2)}\n`);
}

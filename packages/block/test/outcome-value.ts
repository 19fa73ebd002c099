// For tests: the value of an outcome that must be a success.
import { errnoName, type Outcome } from '@sgfree/mm';

export function unwrapped<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Error(`failed with ${errnoName(outcome.errno)}`);
  return outcome.value;
}

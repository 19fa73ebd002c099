// A value that nothing can refuse where it is asked for: a scene is set up on a machine with room for it.
// Source followed: the project's rule that what cannot happen throws InternalError.
// Simplified: none.

import { InternalError } from '@sgfree/hw-model';
import type { Outcome } from '@sgfree/mm';

/** The value of `outcome`; throws InternalError that names `failure` and the errno otherwise. @internal */
export function had<T>(failure: string, outcome: Outcome<T>): T {
  if (!outcome.ok) throw new InternalError(`${failure}: errno ${outcome.errno}`);
  return outcome.value;
}

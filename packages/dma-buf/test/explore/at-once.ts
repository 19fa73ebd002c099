// atOnce: a call that may sleep and does not.
// Source followed: none; the shape that operations of exporters and importers have.
// Simplified: none.

import type { ModelTask } from '@sgfree/hw-model';

export function* atOnce<T>(result: T): ModelTask<T> {
  yield* [];
  return result;
}

// Following one task among many: what is done between its points, and what the log says meanwhile, is its own.
// Source followed: the scheduler's promise that code between two points runs alone.
// Simplified: none.

import type { EventLog, ModelEvent, ModelTask, YieldPoint } from '@sgfree/hw-model';

/** Runs the parts of `task` inside `around`, each of which must call its argument once. @internal */
export function* watchedTask<T>(
  task: ModelTask<T>,
  around: (part: () => IteratorResult<YieldPoint, T>) => IteratorResult<YieldPoint, T>,
): ModelTask<T> {
  for (;;) {
    const part = around(() => task.next());
    if (part.done === true) return part.value;
    yield part.value;
  }
}

/** Runs `part` and adds to `into` what it posted about `device`. @internal */
export function recordingOf<T>(log: EventLog, device: string, into: ModelEvent[]): (part: () => T) => T {
  return (part) => {
    const from = log.events.length;
    const result = part();
    into.push(...log.events.slice(from).filter((event) => event['device'] === device));
    return result;
  };
}

// PassingLog: hears every event, and passes it on to whoever listens besides.
// Source followed: none; what is kept of the events is each subclass's own business.
// Simplified: none.

import { EventLog, type ModelEvent } from '@sgfree/hw-model';

/** A log in front of another one. @internal */
export abstract class PassingLog extends EventLog {
  readonly #listener: EventLog | undefined;

  constructor(listener?: EventLog) {
    super();
    this.enabled = true;
    this.#listener = listener;
  }

  /** An event, before it is passed on. */
  protected abstract hear(event: ModelEvent): void;

  override post(event: ModelEvent): void {
    this.hear(event);
    this.#listener?.post(event);
  }
}

// MachineRecorder: takes down what a run's machine does, each event with the clock step at which it was posted.
// Source followed: the model's event log, which has an order and no times.
// Simplified: events between two bus requests are told apart by their order alone.

import type { ModelEvent, PciFabric } from '@sgfree/hw-model';

/** An event of the log, and when it was posted. */
export interface RecordedEvent {
  readonly step: number;
  readonly event: ModelEvent;
}

/** Of one run. */
export class MachineRecorder {
  readonly events: RecordedEvent[] = [];
  #fabric: PciFabric | null = null;

  /** Hand it to the run. */
  readonly observe = (fabric: PciFabric): void => {
    const { log, clock } = fabric;
    this.#fabric = fabric;
    log.enabled = true;
    fabric.traceRequests = true;
    const post = log.post.bind(log);
    log.post = (event) => {
      this.events.push({ step: clock.step, event });
      post(event);
    };
  };

  /** Marks the end of a piece of work, between the events. */
  readonly mark = (kind: string, fields: Readonly<Record<string, unknown>>): void => {
    this.events.push({ step: this.lastStep, event: { kind, ...fields } });
  };

  /** The same before everything. */
  readonly markFirst = (kind: string, fields: Readonly<Record<string, unknown>>): void => {
    this.events.unshift({ step: 0, event: { kind, ...fields } });
  };

  get lastStep(): number {
    return this.#fabric?.clock.step ?? 0;
  }

  /** Name of every function that has memory of its own, by requester ID. */
  get devices(): Map<number, string> {
    const functions = this.#fabric?.functions ?? [];
    const endpoints = functions.filter((each) => BARS.some((index) => each.bar(index) !== undefined));
    return new Map(endpoints.map(({ requesterId, name }) => [requesterId, name]));
  }
}

const BARS = [0, 1, 2, 3, 4, 5] as const;

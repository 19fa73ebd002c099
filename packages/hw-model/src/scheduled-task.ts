// ScheduledTask: one activity of a machine: a driver call, a DMA transfer, a controller's command.
// Source followed: kthreads and hardware engines alike; the scheduler does not tell them apart.
// Simplified: a task is never killed from outside; it ends by returning or by throwing.

import type { ModelTask, YieldPoint } from './yield-point.ts';

const START: YieldPoint = { at: 'start' };

/**
 * A task given to the scheduler; also the handle by which others watch or join it.
 * @public
 */
export class ScheduledTask<T> {
  readonly id: number;
  readonly name: string;
  /** A daemon waits for work forever; blocked daemons are idle hardware, not a deadlock. */
  readonly daemon: boolean;
  readonly #body: ModelTask<T>;
  #point: YieldPoint;
  #done = false;
  #result: T | undefined;

  constructor(id: number, name: string, body: ModelTask<T>, daemon: boolean, touches?: readonly object[]) {
    this.id = id;
    this.name = name;
    this.daemon = daemon;
    this.#body = body;
    this.#point = touches === undefined ? START : { ...START, touches };
  }

  /** The point at which the task is suspended, or `end`. */
  get at(): string {
    return this.#done ? 'end' : this.#point.at;
  }

  /** What the next step may touch, as its point says; undefined: anything. */
  get touches(): readonly object[] | undefined {
    return this.#point.touches;
  }

  get done(): boolean {
    return this.#done;
  }

  /** What the task returned; undefined until it is done. */
  get result(): T | undefined {
    return this.#result;
  }

  /** True when the scheduler may resume it now. */
  get runnable(): boolean {
    const until = this.#point.until;
    return !this.#done && (until === undefined || until());
  }

  /** Runs to the next point or to the end; an exception of the body ends the task and passes through. */
  resume(): void {
    let next: IteratorResult<YieldPoint, T>;
    try {
      next = this.#body.next();
    } catch (error) {
      this.#done = true;
      throw error;
    }
    if (next.done === true) {
      this.#done = true;
      this.#result = next.value;
    } else {
      this.#point = next.value;
    }
  }

  /** For another task: waits for this one and returns its result. */
  *join(): ModelTask<T> {
    yield { at: `join:${this.name}`, until: () => this.#done };
    return this.#result as T;
  }
}

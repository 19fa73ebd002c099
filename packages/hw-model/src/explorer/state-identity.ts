// StateIdentity: when two schedules have come to the same state, so that only one of them need be followed.
// Source followed: Mazurkiewicz, trace theory; Musuvathi and Qadeer, "Partial-order reduction for context-bounded state
// exploration" (happens-before caching): two beginnings in which every pair of dependent steps has the same order lead to
// the same state. Every state is still visited, so a check may look at anything.
// Simplified: a touch is a touch; reading and writing are not told apart.

import type { ScheduledTask } from '../scheduled-task.ts';
import type { RunObserver } from './guided-run.ts';
import type { NumberedNames } from './numbered-names.ts';

type Task = ScheduledTask<unknown>;

/** Follows a run and says where it is. @internal */
export interface StateIdentity extends RunObserver {
  /** Equal for two runs only when nothing that comes can tell them apart. */
  key(): string;
}

const ascending = (a: number, b: number): number => a - b;

/**
 * Identity by order: the steps so far and their order, as far as steps depend on each other. Two steps depend on each
 * other when one task makes both, when they touch a common object, or when one of them may touch anything.
 * @internal
 */
export class OrderIdentity implements StateIdentity {
  readonly #names: NumberedNames;
  /** The last step of each task there ever was; before its first, its birth. */
  readonly #lastOfTask = new Map<Task, number>();
  /** The last step that touched an object since the last one that may have touched anything. */
  readonly #lastOfObject = new Map<object, number>();
  #lastOfAll = 0;

  constructor(names: NumberedNames, tasks: readonly Task[]) {
    this.#names = names;
    this.#welcome(tasks, 0);
  }

  stepped(task: Task, touches: readonly object[] | undefined, tasks: readonly Task[]): void {
    const before = touches === undefined ? this.#everybody() : touches.map((object) => this.#last(object));
    const step = this.#names.numberOf(`step ${this.#lastOfTask.get(task)} ${this.#after(before)}`);
    this.#lastOfTask.set(task, step);
    if (touches === undefined) this.#touchedAll(step);
    else for (const object of touches) this.#lastOfObject.set(object, step);
    this.#welcome(tasks, step);
  }

  timePassed(tasks: readonly Task[]): void {
    const time = this.#names.numberOf(`time ${this.#after(this.#everybody())}`);
    this.#touchedAll(time);
    this.#welcome(tasks, time);
  }

  key(): string {
    return `${this.#everybody().sort(ascending).join(' ')} ${this.#lastOfAll}`;
  }

  #everybody(): number[] {
    return [...this.#lastOfTask.values()];
  }

  #last(object: object): number {
    return this.#lastOfObject.get(object) ?? this.#lastOfAll;
  }

  #after(steps: readonly number[]): string {
    return [...new Set([...steps, this.#lastOfAll])].sort(ascending).join(' ');
  }

  #touchedAll(step: number): void {
    this.#lastOfAll = step;
    this.#lastOfObject.clear();
  }

  /** New tasks are told apart by the step that made them, and by their order among those. */
  #welcome(tasks: readonly Task[], parent: number): void {
    tasks
      .filter((task) => !this.#lastOfTask.has(task))
      .forEach((task, at) => {
        this.#lastOfTask.set(task, this.#names.numberOf(`born ${parent} ${at}`));
      });
  }
}

/**
 * Identity by content: which points each task has passed, and what the scenario says of the rest. A task is known by how
 * it came to be, not by its name, which others may share.
 * @internal
 */
export class ContentIdentity implements StateIdentity {
  readonly #names: NumberedNames;
  /** The birth of a task and the points that it has passed, as a number. */
  readonly #passed = new Map<Task, number>();
  readonly #content: () => string;
  /** How often time has passed. */
  #times = 0;

  constructor(names: NumberedNames, content: () => string, tasks: readonly Task[]) {
    this.#names = names;
    this.#content = content;
    this.#welcome(tasks, 0);
  }

  stepped(task: Task, _touches: readonly object[] | undefined, tasks: readonly Task[]): void {
    const passed = this.#names.numberOf(`${this.#passed.get(task)} > ${task.at}`);
    this.#passed.set(task, passed);
    this.#welcome(tasks, passed);
  }

  timePassed(tasks: readonly Task[]): void {
    this.#times += 1;
    this.#welcome(tasks, this.#names.numberOf(`time ${this.#times}`));
  }

  key(): string {
    return `${[...this.#passed.values()].sort(ascending).join(' ')} ${this.#content()}`;
  }

  /** New tasks are told apart as by {@link OrderIdentity}: by what made them. */
  #welcome(tasks: readonly Task[], parent: number): void {
    tasks
      .filter((task) => !this.#passed.has(task))
      .forEach((task, at) => {
        this.#passed.set(task, this.#names.numberOf(`born ${parent} ${at}`));
      });
  }
}

/** No two schedules are ever the same: every one is followed to its end. @internal */
export class PathIdentity implements StateIdentity {
  #path = '';

  stepped(task: Task): void {
    this.#path += ` ${task.id}`;
  }

  timePassed(): void {}

  key(): string {
    return this.#path;
  }
}

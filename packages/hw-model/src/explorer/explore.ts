// explore: every schedule of a scenario, with each state visited once.
// Source followed: stateless model checking (Godefroid, "Model checking for programming languages using VeriSoft") with a
// memory of the states met; see state-identity.ts for when two are the same.
// Depth first, the task that ran last preferred, so that schedules change tasks rarely. Equal states have equal depths,
// so the shortest schedule of each violation is really the shortest there is.
// Simplified: one process; a run begins again from a fresh machine for every branch.

import type { ExploredRun, ExploredScenario, ScheduleFault } from './explored-run.ts';
import { GuidedRun } from './guided-run.ts';
import { NumberedNames } from './numbered-names.ts';
import { isSimpler, type ScheduleViolation } from './schedule.ts';
import { StateGraph } from './state-graph.ts';
import { ContentIdentity, OrderIdentity, PathIdentity, type StateIdentity } from './state-identity.ts';

/**
 * How states are told apart: `content` by what the scenario says of them, `order` by the order of dependent steps
 * (`touches`), `none` not at all: every schedule is run.
 * @public
 */
export type ExplorationReduction = 'content' | 'order' | 'none';

/**
 * Bounds and ways of an exploration.
 * @public
 */
export interface ExplorationOptions {
  /** Default `content` when the scenario describes its states, else `order`. */
  readonly reduction?: ExplorationReduction;
  /** Steps of a schedule; a longer one is a violation `step-limit`. Default 1000. */
  readonly maxSteps?: number;
  /** States after which the exploration gives up. Default 1,000,000. */
  readonly maxStates?: number;
  /** Stops at the first violation. Default false: all are found, each with its shortest schedule. */
  readonly stopAtViolation?: boolean;
}

/**
 * What an exploration found.
 * @public
 */
export interface ExplorationReport {
  /** Different states met and checked. */
  readonly states: number;
  /** Steps from state to state. */
  readonly transitions: number;
  /** Steps that led into a state met before: there the schedule was not followed any further. */
  readonly joins: number;
  /** Machines built and run. */
  readonly runs: number;
  /** Schedules there are, each from the start to an end or a violation: what would be run without reduction. */
  readonly schedules: number;
  /** Steps of the longest schedule. */
  readonly deepest: number;
  /** False when a bound stopped it. */
  readonly complete: boolean;
  /** One for each rule and detail, with the shortest schedule that shows it. */
  readonly violations: readonly ScheduleViolation[];
  /** The different outcomes, sorted. */
  readonly outcomes: readonly string[];
}

const DEFAULT_STEPS = 1000;
const DEFAULT_STATES = 1_000_000;

/**
 * Runs `scenario` under every schedule, checking every state.
 * @public
 */
export function explore(scenario: ExploredScenario, options: ExplorationOptions = {}): ExplorationReport {
  return new Exploration(scenario, options).report();
}

class Exploration {
  readonly #scenario: ExploredScenario;
  readonly #options: ExplorationOptions;
  readonly #graph = new StateGraph();
  readonly #events = new NumberedNames();
  readonly #violations = new Map<string, ScheduleViolation>();
  readonly #outcomes = new Set<string>();
  /** Beginnings of schedules that are still to be followed, as choices. */
  readonly #open: number[][] = [[]];
  #runs = 0;
  #complete = true;
  #start = 0;

  constructor(scenario: ExploredScenario, options: ExplorationOptions) {
    this.#scenario = scenario;
    this.#options = options;
  }

  report(): ExplorationReport {
    for (let next = this.#open.pop(); next !== undefined; next = this.#open.pop()) {
      this.#follow(next);
      if (this.#isOver()) break;
    }
    const { states, transitions, joins, deepest } = this.#graph;
    return {
      states,
      transitions,
      joins,
      deepest,
      runs: this.#runs,
      schedules: this.#graph.schedules(this.#start),
      complete: this.#complete,
      violations: [...this.#violations.values()],
      outcomes: [...this.#outcomes].sort(),
    };
  }

  #isOver(): boolean {
    const { stopAtViolation = false, maxStates = DEFAULT_STATES } = this.#options;
    const bound = (stopAtViolation && this.#violations.size > 0) || this.#graph.states >= maxStates;
    const over = bound && this.#open.length > 0;
    if (over) this.#complete = false;
    return over;
  }

  /** Repeats a beginning and goes on until the end, or until a state that was met before. */
  #follow(beginning: readonly number[]): void {
    this.#runs += 1;
    const branch = new Branch(this.#scenario, (run) => this.#identity(run), beginning);
    let state = this.#graph.numberOf(branch.key());
    if (beginning.length === 0) {
      this.#graph.enter(state, 0);
      this.#start = state;
    }
    for (;;) {
      const choice = branch.choose(this.#open);
      if (choice === null) {
        this.#ended(branch.guided, branch.guided.end());
        return;
      }
      branch.guided.advance(choice);
      const from = state;
      state = this.#graph.numberOf(branch.key());
      if (branch.repeating) continue;
      if (!this.#graph.step(from, state, branch.guided.depth) || this.#stopped(branch.guided)) return;
    }
  }

  #stopped(guided: GuidedRun): boolean {
    const { maxSteps = DEFAULT_STEPS } = this.#options;
    if (guided.fault === null && guided.depth >= maxSteps && guided.runnable.length > 0)
      guided.giveUp(maxSteps);
    if (guided.fault === null) return false;
    this.#note(guided, guided.fault);
    return true;
  }

  #ended(guided: GuidedRun, fault: ScheduleFault | null): void {
    if (fault !== null) this.#note(guided, fault);
    const outcome = guided.run.outcome?.();
    if (outcome !== undefined) this.#outcomes.add(outcome);
  }

  #note(guided: GuidedRun, { rule, detail }: ScheduleFault): void {
    const { schedule } = guided;
    const key = `${rule} ${detail}`;
    const known = this.#violations.get(key);
    if (known === undefined || isSimpler(schedule, known.schedule)) {
      this.#violations.set(key, { rule, detail, schedule });
    }
  }

  #identity(run: ExploredRun): StateIdentity {
    const { tasks } = run.scheduler;
    const { reduction = run.state === undefined ? 'order' : 'content' } = this.#options;
    if (reduction === 'none') return new PathIdentity();
    if (reduction === 'order') return new OrderIdentity(this.#events, tasks);
    return new ContentIdentity(this.#events, () => run.state?.() ?? '', tasks);
  }
}

/** A run that repeats the beginning of another one and then turns off. */
class Branch {
  readonly guided: GuidedRun;
  readonly #identity: StateIdentity;
  readonly #beginning: readonly number[];
  /** Choices taken from the beginning. */
  #taken = 0;
  #last = '';

  constructor(
    scenario: ExploredScenario,
    identify: (run: ExploredRun) => StateIdentity,
    beginning: readonly number[],
  ) {
    let identity: StateIdentity | undefined;
    this.guided = new GuidedRun(scenario, {
      stepped: (...step) => identity?.stepped(...step),
      timePassed: (tasks) => identity?.timePassed(tasks),
    });
    identity = identify(this.guided.run);
    this.#identity = identity;
    this.#beginning = beginning;
  }

  /** Where the run is. A step that went wrong leads somewhere else than one that did not, however alike they look. */
  key(): string {
    const { fault } = this.guided;
    return fault === null ? this.#identity.key() : `${this.#identity.key()} ${fault.rule} ${fault.detail}`;
  }

  /** True until the last choice of the beginning, which is the new one, has been taken. */
  get repeating(): boolean {
    return this.#taken < this.#beginning.length;
  }

  /** Index of the task that runs next, null when none can; other beginnings that turn off here go to `others`. */
  choose(others: number[][]): number | null {
    const { runnable } = this.guided;
    if (runnable.length === 0) return null;
    const choice = runnable.length === 1 ? 0 : this.#choice(runnable, others);
    this.#last = runnable[choice]?.name ?? '';
    return choice;
  }

  #choice(runnable: readonly { readonly name: string }[], others: number[][]): number {
    const repeated = this.#beginning[this.#taken];
    if (repeated !== undefined) {
      this.#taken += 1;
      return repeated;
    }
    const { choices } = this.guided.run.scheduler;
    const choice = Math.max(
      0,
      runnable.findIndex(({ name }) => name === this.#last),
    );
    for (let at = runnable.length - 1; at >= 0; at -= 1) if (at !== choice) others.push([...choices, at]);
    return choice;
  }
}

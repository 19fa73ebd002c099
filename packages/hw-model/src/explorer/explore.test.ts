// The explorer against brute force: on random programs, reduced exploration finds exactly what running everything finds.
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { type ChoicePolicy, replayedChoices } from '../choice-policy.ts';
import { Scheduler } from '../scheduler.ts';
import type { ModelTask, YieldPoint } from '../yield-point.ts';
import { explore } from './explore.ts';
import type { ExploredRun, ExploredScenario } from './explored-run.ts';

/** One statement of a toy program; `at` names a variable, a lock or a completion. */
type Statement =
  | { readonly do: 'set' | 'add' | 'copy'; readonly at: number; readonly value: number }
  | { readonly do: 'lock' | 'complete' | 'wait' | 'spawn' | 'must-differ'; readonly at: number };

interface Cell {
  value: number;
}

/** Every step declares what it touches. All variables, locks and completions are shared. */
class Toy {
  readonly scheduler: Scheduler;
  readonly cells: Cell[] = [{ value: 0 }, { value: 0 }];
  readonly locks: Cell[] = [{ value: 0 }, { value: 0 }];
  readonly completions: Cell[] = [{ value: 0 }, { value: 0 }];
  readonly locals: number[] = [];
  fault: string | null = null;

  constructor(policy: ChoicePolicy) {
    this.scheduler = new Scheduler({ policy });
  }

  *body(program: readonly Statement[], me: number): ModelTask<void> {
    yield { at: 'begin', touches: [] };
    for (const statement of program) yield* this.#statement(statement, me);
  }

  *#statement(statement: Statement, me: number): ModelTask<void> {
    const cell = this.cells[statement.at] as Cell;
    const lock = this.locks[statement.at] as Cell;
    const done = this.completions[statement.at] as Cell;
    const point = (...touches: object[]): YieldPoint => ({ at: statement.do, touches });
    const free = (): boolean => lock.value === 0;
    switch (statement.do) {
      case 'set':
        yield point(cell);
        cell.value = statement.value;
        break;
      case 'add':
        yield point(cell);
        cell.value += (this.locals[me] ?? 0) + statement.value;
        break;
      case 'copy':
        yield point(cell);
        this.locals[me] = cell.value;
        break;
      case 'lock':
        yield { ...point(lock), until: free };
        lock.value = 1;
        yield { at: 'locked', touches: [this.cells[0] as Cell] };
        (this.cells[0] as Cell).value *= 2;
        yield { at: 'unlock', touches: [lock] };
        lock.value = 0;
        break;
      case 'complete':
        yield point(done);
        done.value += 1;
        break;
      case 'wait':
        yield { ...point(done), until: () => done.value > 0 };
        done.value -= 1;
        break;
      case 'spawn':
        yield point(cell);
        this.scheduler.spawn('child', this.body([{ do: 'add', at: statement.at, value: 1 }], me + 10));
        break;
      case 'must-differ':
        // Looks at two variables, and touches both.
        yield point(...this.cells);
        if (this.cells[0]?.value === this.cells[1]?.value)
          this.fault ??= `task ${me}: equal at ${this.cells[0]?.value}`;
    }
    yield { at: 'between', touches: [] };
  }

  get text(): string {
    return JSON.stringify([this.cells, this.locks, this.completions, this.locals, this.fault].flat());
  }
}

function toyScenario(programs: readonly (readonly Statement[])[], describes: boolean): ExploredScenario {
  return (policy) => {
    const toy = new Toy(policy);
    programs.forEach(
      (program, me) => void toy.scheduler.spawn(`t${me}`, toy.body(program, me), { touches: [] }),
    );
    return {
      scheduler: toy.scheduler,
      check: () => (toy.fault === null ? null : { rule: 'equal', detail: toy.fault }),
      finish: () => (toy.cells[0]?.value === 3 ? { rule: 'three', detail: 'ends at 3' } : null),
      outcome: () => toy.text,
      ...(describes ? { state: () => toy.text } : {}),
    };
  };
}

interface Truth {
  schedules: number;
  readonly outcomes: Set<string>;
  /** Rule and detail, with the fewest steps that show it. */
  readonly violations: Map<string, number>;
}

/** Programs with more schedules take too long to run in full. */
const MOST_SCHEDULES = 20_000;

/** Every schedule run to its end, with nothing but the scheduler and recorded choices; null when there are too many. */
function bruteForce(scenario: ExploredScenario): Truth | null {
  const truth: Truth = { schedules: 0, outcomes: new Set(), violations: new Map() };
  for (let choices: number[] | null = []; choices !== null; ) {
    const widths: number[] = [];
    const replayed = replayedChoices(choices);
    const run = scenario((count) => {
      widths.push(count);
      return replayed(count);
    });
    truth.schedules += 1;
    if (truth.schedules > MOST_SCHEDULES) return null;
    runToEnd(run, truth);
    choices = nextChoices(run.scheduler.choices, widths);
  }
  return truth;
}

function runToEnd(run: ExploredRun, truth: Truth): void {
  const note = (what: string, steps: number): void => {
    truth.violations.set(what, Math.min(steps, truth.violations.get(what) ?? steps));
  };
  for (let steps = 1; ; steps += 1) {
    const { status, blocked } = run.scheduler.run(1);
    if (status === 'deadlock')
      note(blocked.map(({ task, at }) => `${task} waits at ${at}`).join(', '), steps - 1);
    const fault = status === 'step-limit' ? run.check?.() : status === 'idle' ? run.finish?.() : null;
    if (fault) note(fault.detail, status === 'idle' ? steps - 1 : steps);
    if (status !== 'step-limit') truth.outcomes.add(run.outcome?.() ?? '');
    if (status !== 'step-limit' || fault) return;
  }
}

/** The next list of choices in the order of a counter whose digits have these widths; null after the last. */
function nextChoices(choices: readonly number[], widths: readonly number[]): number[] | null {
  for (let at = choices.length - 1; at >= 0; at -= 1) {
    const next = (choices[at] ?? 0) + 1;
    if (next < (widths[at] ?? 0)) return [...choices.slice(0, at), next];
  }
  return null;
}

const statements = fc.oneof(
  fc.record({
    do: fc.constantFrom('set' as const, 'add' as const, 'copy' as const),
    at: fc.nat(1),
    value: fc.nat(2),
  }),
  fc.record({
    do: fc.constantFrom('lock' as const, 'complete' as const, 'wait' as const, 'spawn' as const),
    at: fc.nat(1),
  }),
  fc.record({ do: fc.constant('must-differ' as const), at: fc.nat(1) }),
);
const twoTasks = fc.tuple(
  fc.array(statements, { maxLength: 2 }),
  fc.array(statements, { minLength: 1, maxLength: 1 }),
);
const threeTasks = fc.tuple(
  fc.array(statements, { maxLength: 1 }),
  fc.array(statements, { maxLength: 1 }),
  fc.constant([]),
);

describe('reduced exploration finds what brute force finds', () => {
  for (const reduction of ['none', 'order', 'content'] as const) {
    test.prop([fc.oneof(twoTasks, threeTasks)], { numRuns: 20 })(
      `with reduction ${reduction}`,
      (programs) => {
        const truth = bruteForce(toyScenario(programs, true));
        if (truth === null) return;
        const report = explore(toyScenario(programs, true), { reduction, maxStates: 1_000_000 });
        expect(report.complete).toBe(true);
        expect(new Set(report.outcomes)).toEqual(truth.outcomes);
        const found = report.violations.map(
          ({ detail, schedule }) => [detail, schedule.steps.length] as const,
        );
        expect(new Map(found)).toEqual(truth.violations);
        expect(report.schedules).toBe(truth.schedules);
        expect(report.runs).toBeLessThanOrEqual(truth.schedules);
        if (reduction === 'none') expect(report.runs).toBe(truth.schedules);
      },
    );
  }
});

// ExplorationSuite: the scenarios that a package has explored, how each is run, and the states on record for them.
// A scenario says what it is about by its name alone; everything else is its package's business.
// Simplified: one record file a suite.

import type { ChoicePolicy, ExploredRun } from '@sgfree/hw-model';

/** A scenario, as far as exploring it is concerned. */
export interface NamedScenario {
  readonly name: string;
}

/** A scenario in which somebody breaks the contract, and the rules of which one must be found broken. */
export interface PlantedScenario<Scenario> {
  readonly scenario: Scenario;
  readonly shows: readonly string[];
}

/** Everything of one package that is explored. */
export interface ExplorationSuite<Scenario extends NamedScenario> {
  /** A fresh machine of the scenario, which asks `policy`. */
  run(scenario: Scenario, policy: ChoicePolicy): ExploredRun;
  /** Explored completely with every test run. */
  readonly small: readonly Scenario[];
  /** Explored completely by the program. */
  readonly large: readonly Scenario[];
  /** Run under random schedules by the program. */
  readonly seeded: readonly Scenario[];
  readonly planted: readonly PlantedScenario<Scenario>[];
  /** JSON: states by the name of the scenario, which a run must reach. */
  readonly record: URL;
}

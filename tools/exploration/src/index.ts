// Exploration: what tests and programs of packages that have scenarios explored use.

export { explorationLine } from './exploration-line.ts';
export type { ExplorationSuite, NamedScenario, PlantedScenario } from './exploration-suite.ts';
export { type ExploreDefaults, exploreProgram } from './explore-program.ts';
export {
  type ExploredScenarioReport,
  explorePlanted,
  exploreScenario,
  type Judgement,
  type PlantedReport,
} from './explored-scenario.ts';
export { readStates, type StateRecord } from './state-record.ts';
